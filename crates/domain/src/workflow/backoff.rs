use std::time::Duration;

use uuid::Uuid;

use super::definition::Backoff;

impl Backoff {
    /// How long to wait after a failed try (from 1), never shorter than the other side asked for.
    ///
    /// Half of the pause is fixed and half depends on the seed, so that calls which failed together are not made again
    /// together; the same seed gives the same pause.
    #[must_use]
    pub fn pause(&self, attempt: u32, seed: Uuid, asked: Option<Duration>) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let longest = u64::from(self.initial_ms).saturating_mul(1 << doublings).min(self.max_ms.into());
        let spread = longest / 2 + 1;
        let pause = longest - longest / 2 + mix(seed, attempt) % spread;
        Duration::from_millis(pause).max(asked.unwrap_or_default())
    }
}

/// FNV-1a: enough to spread pauses, and the same on every machine.
fn mix(seed: Uuid, attempt: u32) -> u64 {
    let bytes = seed.into_bytes().into_iter().chain(attempt.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
