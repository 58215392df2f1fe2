use devskyy_infrastructure::es::{Runner, SubscriptionState, resume_after, subscriptions};

use super::say;
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    run,
    storage::{self, Store},
    wiring::READERS,
};

/// Tells how far each subscription is, also while servers run, and fails where one has stopped, is behind or set an event aside.
pub(super) async fn show(settings: Settings) -> Result<(), Failure> {
    let store = Store::chosen(&settings);
    storage::present(&settings, &store)?;
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
        "of {} subscriptions {stopped} stopped, {behind} are behind and {aside} set events aside; what stopped is tried again every \
         ten seconds, what was set aside after a minute at first, after an hour at last",
        found.len()
    )))
}

/// Has one go on behind a position of the log as it is now.
pub(super) async fn resume(settings: Settings, name: &str, after: u64) -> Result<(), Failure> {
    let store = Store::chosen(&settings);
    storage::present(&settings, &store)?;
    let _claimed = storage::claim(&settings, &store)?;
    let database = run::database(&settings, &store).await?;
    let done = resume_after(&database, name, after).await;
    database.close().await;
    match done.map_err(|error| Failure::operation(causes(&error)))? {
        true => say(&format!("{name} goes on behind {after}\n")),
        false => Err(Failure::operation(format!(
            "there is no subscription {name}, or the log ends before {after}; devskyy subscriptions tells both"
        ))),
    }
}

/// How one is doing. Where leases are not renewed, their end says nothing, and nobody knows whether their holder is still there.
fn line(state: &SubscriptionState, renewed: bool) -> String {
    let SubscriptionState { name, position, head, runner, stopped, delayed, waiting, .. } = state;
    let how = match stopped {
        Some((at, why)) => format!("stopped before {at}: {}", one_line(why)),
        None if state.is_behind() => format!("is behind, has dealt with {position} of {head}"),
        None => format!("goes on, has dealt with {position} of {head}"),
    };
    let waiting = match waiting {
        None => "; this version does not run it".to_owned(),
        Some(waiting) if waiting.events == 0 => "; nothing waits".to_owned(),
        Some(waiting) => format!("; {} events wait, the first for {} s", waiting.events, waiting.longest.as_secs()),
    };
    let runner = match runner {
        None => "; nobody runs it".to_owned(),
        Some(Runner { owner, .. }) if !renewed => format!("; {owner} runs it, or ran it last"),
        Some(Runner { owner, lease_s }) if *lease_s >= 0 => {
            format!("; {owner} runs it, for another {lease_s} s at least")
        }
        Some(Runner { owner, lease_s }) => format!("; {owner} ran it, its lease ended {} s ago", -lease_s),
    };
    let delayed = delayed.as_ref().map(|(at, why)| format!("; {at} is tried again and again: {}", one_line(why)));
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

    /// How one is told whose lease ended long ago.
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
        assert!(told(true).ends_with("ran it, its lease ended 4000 s ago"));
    }

    #[test]
    fn a_lease_that_nobody_renews_is_told_without_its_end() {
        assert!(told(false).ends_with("runs it, or ran it last"));
    }
}
