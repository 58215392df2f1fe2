use super::say;
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    run,
    storage::{self, Store},
    wiring,
};

/// Publishes a new signing key; running servers read it on their own.
pub(super) async fn rotate(settings: Settings) -> Result<(), Failure> {
    let store = Store::chosen(&settings);
    storage::present(&store)?;
    // A running server may hold the database: a key can be added concurrently, and the schema is left alone.
    let database = run::connect(&settings, &store).await?;
    let rotation = wiring::rotation(&settings, database.clone())?;
    let rotated = rotation.rotate().await;
    database.close().await;
    match rotated.map_err(|error| Failure::operation(causes(&error)))? {
        Some(key) => say(&format!(
            "key {} is published and signs from {}; the previous one verifies until its last token has expired\n",
            key.kid,
            key.signs_from.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        )),
        None => say("another process has just rotated the keys; nothing was done\n"),
    }
}
