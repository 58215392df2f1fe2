use std::time::Duration;

/// How long somebody who waits for one run leaves the log alone after a look at it.
///
/// The log moves for everybody, and mostly for others: each look in vain makes the next one wait twice as long, up to a
/// tenth of a second. So many who wait ask no more than ten times a second each, however busy the log is.
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
    /// The pause after a look that found something new of the run, or nothing.
    pub fn after(&mut self, found: bool) -> Duration {
        self.0 = if found { SHORTEST } else { (self.0 * 2).min(LONGEST) };
        self.0
    }
}
