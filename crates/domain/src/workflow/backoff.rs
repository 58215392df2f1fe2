use std::time::Duration;

use uuid::Uuid;

use super::definition::Backoff;

impl Backoff {
    /// Pause after a failed attempt (from 1); never shorter than `asked`, the delay requested by the server.
    ///
    /// Half of the pause is fixed and half is jitter that depends on the seed, so that calls which failed together are
    /// not retried together. The jitter on top of `asked` is up to a quarter of it, or half of the pause if that is
    /// more.
    #[must_use]
    pub fn pause(&self, attempt: u32, seed: Uuid, asked: Option<Duration>) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let longest = u64::from(self.initial_ms).saturating_mul(1 << doublings).min(self.max_ms.into());
        let half = longest / 2;
        let up_to = |most: u64| Duration::from_millis(mix(seed, attempt) % most.saturating_add(1));
        let own = Duration::from_millis(longest - half) + up_to(half);
        let asked = asked.map(|asked| {
            let quarter = u64::try_from(asked.as_millis() / 4).unwrap_or(u64::MAX);
            asked.saturating_add(up_to(quarter.min(self.max_ms.into()).max(half)))
        });
        own.max(asked.unwrap_or_default())
    }
}

/// FNV-1a: enough to spread pauses, and the same on every machine.
fn mix(seed: Uuid, attempt: u32) -> u64 {
    let bytes = seed.into_bytes().into_iter().chain(attempt.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Backoff, Duration, Uuid};

    fn pause(attempt: u32, seed: u128, asked: Option<Duration>) -> u128 {
        Backoff::default().pause(attempt, Uuid::from_u128(seed), asked).as_millis()
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let (first, tenth) = (pause(1, 5, None), pause(10, 5, None));
        assert!((250..=500).contains(&first) && (15_000..=30_000).contains(&tenth), "{first} {tenth}");
    }

    #[test]
    fn a_pause_is_never_shorter_than_what_was_asked() {
        assert!((1..100).all(|seed| pause(1, seed, Some(Duration::from_secs(90))) >= 90_000));
    }

    #[test]
    fn those_who_were_asked_to_wait_alike_do_not_come_back_together() {
        let pauses: BTreeSet<_> = (1..=100).map(|seed| pause(1, seed, Some(Duration::from_secs(8)))).collect();
        assert!(pauses.len() > 90 && pauses.iter().all(|pause| (8_000..=10_000).contains(pause)), "{pauses:?}");
    }
}
