use devskyy_infrastructure::es::{SubscriptionState, subscriptions};

use super::say;
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    run,
    storage::{self, Store},
};

/// Tells how far each subscription is, also while servers run, and fails where one has stopped or set an event aside.
pub(super) async fn show(settings: Settings) -> Result<(), Failure> {
    let store = Store::chosen(&settings);
    storage::present(&settings, &store)?;
    let database = run::connect(&settings, &store).await?;
    let found = subscriptions(&database).await;
    database.close().await;
    let found = found.map_err(|error| Failure::operation(causes(&error)))?;
    for state in &found {
        say(&line(state))?;
        for (at, why) in &state.aside {
            say(&format!("{} set aside {at}: {}\n", state.name, why.replace('\n', " ")))?;
        }
    }
    let stopped = found.iter().filter(|state| state.stopped.is_some()).count();
    let aside = found.iter().filter(|state| !state.aside.is_empty()).count();
    match (stopped, aside) {
        (0, 0) => Ok(()),
        (0, aside) => Err(Failure::operation(format!(
            "{aside} of {} subscriptions set events aside; each is tried again after a minute at first, after an hour at last",
            found.len()
        ))),
        (stopped, _) => Err(Failure::operation(format!(
            "{stopped} of {} subscriptions stopped; each is tried again every ten seconds and goes on once its cause is gone",
            found.len()
        ))),
    }
}

fn line(SubscriptionState { name, position, stopped, .. }: &SubscriptionState) -> String {
    match stopped {
        None => format!("{name} goes on, has dealt with {position}\n"),
        Some((at, why)) => format!("{name} stopped before {at}: {}\n", why.replace('\n', " ")),
    }
}
