use devskyy_infrastructure::es::{Runner, SubscriptionState, resume_after, subscriptions};

use super::say;
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    run,
    storage::{self, Store},
    wiring::READERS,
};

/// Shows each subscription's position, lag and errors, also while servers run. Fails if one has stopped, lags or has set events aside.
pub(super) async fn show(settings: Settings) -> Result<(), Failure> {
    let store = Store::chosen(&settings);
    storage::present(&store)?;
    let database = run::connect(&settings, &store).await?;
    let (found, renewed) = (subscriptions(&database, &READERS).await, !database.of_one_process());
    database.close().await;
    let found = found.map_err(|error| Failure::operation(causes(&error)))?;
    for state in &found {
        say(&format!("{}\n", line(state, renewed)))?;
        for (at, why) in &state.aside {
            say(&format!("{} set aside {at}: {}\n", state.name, one_line(why)))?;
        }
    }
    let stopped = found.iter().filter(|state| state.stopped.is_some()).count();
    let behind = found.iter().filter(|state| state.stopped.is_none() && state.is_behind()).count();
    let aside = found.iter().filter(|state| !state.aside.is_empty()).count();
    if stopped + behind + aside == 0 {
        return Ok(());
    }
    Err(Failure::operation(format!(
        "of {} subscriptions {stopped} have stopped, {behind} lag and {aside} have set events aside; stopped ones are retried every ten \
         seconds, events that were set aside after a minute at first and an hour at most",
        found.len()
    )))
}

/// Resumes a subscription after a position of the log as it is now.
pub(super) async fn resume(settings: Settings, name: &str, after: u64) -> Result<(), Failure> {
    let store = Store::chosen(&settings);
    storage::present(&store)?;
    let _claimed = storage::claim(&settings, &store)?;
    let database = run::database(&settings, &store).await?;
    let done = resume_after(&database, name, after).await;
    database.close().await;
    match done.map_err(|error| Failure::operation(causes(&error)))? {
        true => say(&format!("{name} resumes after {after}\n")),
        false => Err(Failure::operation(format!(
            "there is no subscription {name}, or the log ends before {after}; `devskyy subscriptions` shows both"
        ))),
    }
}

/// One subscription's line. If leases are not renewed, their end is left out, because the holder may still be running.
fn line(state: &SubscriptionState, renewed: bool) -> String {
    let SubscriptionState { name, position, head, runner, stopped, delayed, waiting, .. } = state;
    let how = match stopped {
        Some((at, why)) => format!("stopped before {at}: {}", one_line(why)),
        None if state.is_behind() => format!("lags, is at {position} of {head}"),
        None => format!("runs, is at {position} of {head}"),
    };
    let waiting = match waiting {
        None => "; not part of this version".to_owned(),
        Some(waiting) if waiting.events == 0 => "; no events waiting".to_owned(),
        Some(waiting) => format!("; {} events waiting, the first for {} s", waiting.events, waiting.longest.as_secs()),
    };
    let runner = match runner {
        None => "; no process runs it".to_owned(),
        Some(Runner { owner, .. }) if !renewed => format!("; run by {owner}, now or last"),
        Some(Runner { owner, lease_s }) if *lease_s >= 0 => {
            format!("; run by {owner}, lease ends in {lease_s} s")
        }
        Some(Runner { owner, lease_s }) => format!("; last run by {owner}, lease ended {} s ago", -lease_s),
    };
    let delayed = delayed.as_ref().map(|(at, why)| format!("; retrying {at}: {}", one_line(why)));
    format!("{name} {how}{waiting}{runner}{}", delayed.unwrap_or_default())
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use devskyy_infrastructure::es::{Runner, SubscriptionState, Waiting};
    use uuid::Uuid;

    use super::line;

    /// The line of a subscription whose lease ended long ago.
    fn told(renewed: bool) -> String {
        let state = SubscriptionState {
            name: "runs.children".to_owned(),
            position: 7,
            head: 7,
            runner: Some(Runner { owner: Uuid::nil(), lease_s: -4_000 }),
            stopped: None,
            aside: Vec::new(),
            delayed: None,
            waiting: Some(Waiting::default()),
        };
        line(&state, renewed)
    }

    #[test]
    fn a_lease_that_is_renewed_and_ended_is_told_with_its_end() {
        assert!(told(true).ends_with("lease ended 4000 s ago"));
    }

    #[test]
    fn a_lease_that_nobody_renews_is_told_without_its_end() {
        assert!(told(false).ends_with("now or last"));
    }
}
