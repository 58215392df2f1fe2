use devskyy_infrastructure::es::{rebuild, verify};

use super::{progress::Progress, say};
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    run,
    storage::{self, Store},
    wiring::{laws, projections},
};

/// Verifies that the log is complete, that every view matches it, that unique values are held by their owners, and that
/// runs keep their invariants; changes nothing.
pub(super) async fn verify_log(settings: Settings) -> Result<(), Failure> {
    let store = Store::chosen(&settings);
    storage::present(&store)?;
    let database = run::connect(&settings, &store).await?;
    let mut progress = Progress::of("verifying");
    let verdict = verify(&database, &projections(), laws(), |done, all| progress.tell(done, all)).await;
    database.close().await;
    let verdict = verdict.map_err(|error| Failure::operation(causes(&error)))?;
    for fault in &verdict.faults {
        say(&format!("{fault}\n"))?;
    }
    match verdict.faults.len() {
        0 => say(&format!(
            "{} events and all views are consistent; the log ends with {}\n",
            verdict.events,
            hex(&verdict.hash)
        )),
        faults => Err(Failure::operation(format!(
            "{faults} faults; rebuild views with `devskyy projections rebuild`, restore a damaged log or unique values from a backup"
        ))),
    }
}

/// Rebuilds views from the log: one of them, or all.
pub(super) async fn rebuild_views(settings: Settings, name: Option<&str>) -> Result<(), Failure> {
    let mut chosen = projections();
    let names: Vec<&str> = chosen.iter().map(|projection| projection.name()).collect();
    let names = names.join(", ");
    chosen.retain(|projection| name.is_none_or(|name| projection.name() == name));
    if let Some(name) = name.filter(|_| chosen.is_empty()) {
        return Err(Failure::operation(format!("there is no projection {name}; choose one of {names}")));
    }
    let store = Store::chosen(&settings);
    storage::present(&store)?;
    let _claimed = storage::claim(&settings, &store)?;
    let database = run::database(&settings, &store).await?;
    let mut progress = Progress::of("rebuilding");
    let rebuilt = rebuild(&database, &chosen, |done, all| progress.tell(done, all)).await;
    database.close().await;
    let events = rebuilt.map_err(|error| Failure::operation(causes(&error)))?;
    say(&format!("{} rebuilt from {events} events\n", name.unwrap_or(&names)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
