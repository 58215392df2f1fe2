//! Limits on the size of definitions, for workflows and assistants alike; they are both enforced and published in the
//! OpenAPI description.

use std::ops::RangeInclusive;

use super::secret::Sent;

/// Number of steps of a workflow.
pub const STEPS: RangeInclusive<usize> = 1..=200;
/// Length of the name of a step or tool in characters.
pub const NAME: RangeInclusive<usize> = 1..=64;
/// Maximum number of steps that one step needs.
pub const NEEDS: usize = 200;
/// Maximum number of tools of one definition.
pub const TOOLS: usize = 128;
/// Maximum length of a computed text, or of a text for models or people, in characters.
pub const TEXT: usize = 65_536;
/// Maximum length of the URL of a tool in characters, including its templates.
pub const ADDRESS: usize = 2_048;
/// Maximum length of a server's name of its tool in characters.
pub const SERVERS_NAME: usize = 256;
/// Maximum number of headers that a tool sends.
pub const HEADERS: usize = 64;
/// Step limit of a run.
pub const MAX_STEPS: RangeInclusive<u32> = 1..=10_000;
/// Time limit of a run in seconds, including waiting: up to 30 days.
pub const WALL_CLOCK_S: RangeInclusive<u32> = 1..=2_592_000;
/// Number of calls in progress at once.
pub const CONCURRENCY: RangeInclusive<u32> = 1..=64;
/// Attempts of one call.
pub const ATTEMPTS: RangeInclusive<u32> = 1..=20;
/// Milliseconds between two attempts.
pub const PAUSE_MS: RangeInclusive<u32> = 1..=3_600_000;
/// Timeout of one call in seconds.
pub const TIMEOUT_S: RangeInclusive<u32> = 1..=300;
/// Seconds until an approval expires: up to 30 days.
pub const APPROVAL_EXPIRES_S: RangeInclusive<u32> = 1..=2_592_000;

/// A size that exceeds its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excess {
    /// JSON pointer to it.
    pub(crate) pointer: String,
    /// What there is too much of.
    pub(crate) what: &'static str,
    /// Maximum size.
    pub(crate) most: usize,
    /// Size found.
    pub(crate) found: usize,
}

impl Excess {
    /// A number that exceeds its maximum, if it does.
    pub(crate) fn of(pointer: String, what: &'static str, most: usize, found: usize) -> Option<Self> {
        (found > most).then_some(Self { pointer, what, most, found })
    }

    /// A text that exceeds its maximum, if it does.
    pub(crate) fn of_text(pointer: String, most: usize, text: &str) -> Option<Self> {
        Self::of(pointer, "characters", most, text.chars().count())
    }

    /// The excesses of a tool's request, except in the texts of its headers.
    pub(crate) fn of_sent(Sent { pointer, url, headers, .. }: &Sent<'_>) -> Vec<Self> {
        let address = Self::of_text(format!("{pointer}/url"), ADDRESS, url);
        let headers = Self::of(format!("{pointer}/headers"), "headers", HEADERS, headers.len());
        address.into_iter().chain(headers).collect()
    }
}
