//! Deltas to send to other processes: only those of runs that have subscribers there.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use devskyy_domain::kernel::ids::RunId;

use super::Spoken;

/// Maximum bytes per run that wait to be sent; further deltas are dropped.
const MOST_BYTES: usize = 64 * 1024;
/// Maximum number of deltas per run that wait to be sent.
const MOST_PIECES: usize = 64;

/// Runs with subscribers in other processes, and the deltas to be sent to them.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    wanted: BTreeMap<RunId, DateTime<Utc>>,
    waiting: BTreeMap<RunId, Vec<Spoken>>,
}

impl Elsewhere {
    /// Records that other processes subscribe to these runs until `until`.
    pub(super) fn listen(&mut self, runs: impl IntoIterator<Item = RunId>, until: DateTime<Utc>) {
        self.wanted.extend(runs.into_iter().map(|run| (run, until)));
    }

    pub(super) fn wants(&self, run: RunId) -> bool {
        self.wanted.contains_key(&run)
    }

    /// Queues a delta for other processes; merges it with the one before if it continues it.
    pub(super) fn keep(&mut self, spoken: Spoken) {
        let waiting = self.waiting.entry(spoken.run).or_default();
        let bytes: usize = waiting.iter().map(|piece| piece.delta.text.len()).sum();
        if bytes + spoken.delta.text.len() > MOST_BYTES {
            return;
        }
        let apart = match waiting.last_mut() {
            Some(last) => last.join(spoken),
            None => Some(spoken),
        };
        if waiting.len() < MOST_PIECES {
            waiting.extend(apart);
        }
    }

    pub(super) fn is_owed(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes the deltas to send now. Expired subscriptions are removed.
    pub(super) fn take(&mut self, now: DateTime<Utc>) -> Vec<Spoken> {
        self.wanted.retain(|_, until| *until > now);
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().filter(|(run, _)| self.wants(*run)).flat_map(|(_, pieces)| pieces).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use devskyy_domain::kernel::ids::OperationId;
    use uuid::Uuid;

    use super::{super::Delta, *};

    fn spoken(run: u128, number: u64, offset: u64, text: &str) -> Spoken {
        let operation = OperationId::from(Uuid::from_u128(9));
        let delta = Delta { step: "turn_1".into(), operation, attempt: 1, offset, text: text.to_owned() };
        Spoken { run: RunId::from(Uuid::from_u128(run)), fence: 1, number, delta }
    }

    fn listening() -> Elsewhere {
        let mut elsewhere = Elsewhere::default();
        elsewhere.listen([RunId::from(Uuid::from_u128(1))], DateTime::UNIX_EPOCH + Duration::from_secs(6));
        elsewhere
    }

    fn told(elsewhere: &mut Elsewhere, seconds: u64) -> Vec<(u64, String)> {
        let told = elsewhere.take(DateTime::UNIX_EPOCH + Duration::from_secs(seconds));
        told.into_iter().map(|piece| (piece.delta.offset, piece.delta.text)).collect()
    }

    #[test]
    fn pieces_that_follow_each_other_are_told_as_one() {
        let mut elsewhere = listening();
        for (number, offset, text) in [(1, 0, "It "), (2, 3, "is "), (3, 6, "filed.")] {
            elsewhere.keep(spoken(1, number, offset, text));
        }
        assert_eq!(told(&mut elsewhere, 1), [(0, "It is filed.".to_owned())]);
    }

    #[test]
    fn a_new_beginning_is_told_apart() {
        let mut elsewhere = listening();
        for (number, offset, text) in [(1, 0, "No"), (2, 0, ""), (3, 0, "Yes")] {
            elsewhere.keep(spoken(1, number, offset, text));
        }
        assert_eq!(told(&mut elsewhere, 1), [(0, "No".to_owned()), (0, "Yes".to_owned())]);
    }

    #[test]
    fn what_nobody_takes_away_is_bounded() {
        let mut elsewhere = listening();
        for number in 0..1_000_u64 {
            elsewhere.keep(spoken(1, number, number * 1_000, &"x".repeat(1_000)));
        }
        assert_eq!(told(&mut elsewhere, 1), [(0, "x".repeat(65_000))]);
    }

    #[test]
    fn interest_ends_by_itself() {
        let mut elsewhere = listening();
        elsewhere.keep(spoken(1, 1, 0, "too late"));
        assert_eq!((told(&mut elsewhere, 7), elsewhere.wanted.len()), (vec![], 0));
    }
}
