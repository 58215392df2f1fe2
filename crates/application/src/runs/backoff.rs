use std::time::Duration;

/// Pause of a client that waits for one run, between two looks at the log.
///
/// Most appends concern other runs: each look without news doubles the pause, up to a tenth of a second. So each
/// waiting client looks at most ten times a second, however busy the log is.
#[derive(Debug, Clone, Copy)]
pub struct Backoff(Duration);

const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(100);

impl Default for Backoff {
    fn default() -> Self {
        Self(SHORTEST)
    }
}

impl Backoff {
    /// The pause after a look; `found` if there was something new about the run.
    pub fn after(&mut self, found: bool) -> Duration {
        self.0 = if found { SHORTEST } else { (self.0 * 2).min(LONGEST) };
        self.0
    }
}
