use super::say;
use crate::{
    configuration::Settings,
    failure::Failure,
    run,
    storage::{self, Store},
};

/// Migrates the schema and prints which database that was.
pub(super) async fn migrate(settings: Settings) -> Result<(), Failure> {
    let store = Store::chosen(&settings);
    let _claimed = storage::claim(&settings, &store)?;
    run::database(&settings, &store).await?.close().await;
    say(&format!("the schema is up to date ({store})\n"))
}
