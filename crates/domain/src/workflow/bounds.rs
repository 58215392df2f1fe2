//! How much a definition may hold, of a workflow and of an assistant alike; what is enforced is also what the description
//! of the interface says.

use std::ops::RangeInclusive;

use super::secret::Sent;

/// Steps of a workflow.
pub const STEPS: RangeInclusive<usize> = 1..=200;
/// Characters of the name of a step or tool.
pub const NAME: RangeInclusive<usize> = 1..=64;
/// Steps that one step waits for.
pub const NEEDS: usize = 200;
/// Tools of one definition.
pub const TOOLS: usize = 128;
/// Characters of a text that is computed, or that models or people read.
pub const TEXT: usize = 65_536;
/// Characters of an address that a tool calls, its templates as they are written.
pub const ADDRESS: usize = 2_048;
/// Characters of what a server calls its tool.
pub const SERVERS_NAME: usize = 256;
/// Headers that a tool sends.
pub const HEADERS: usize = 64;
/// Steps that a run may take.
pub const MAX_STEPS: RangeInclusive<u32> = 1..=10_000;
/// Seconds that a run may take, waiting included: up to 30 days.
pub const WALL_CLOCK_S: RangeInclusive<u32> = 1..=2_592_000;
/// Calls under way at once.
pub const CONCURRENCY: RangeInclusive<u32> = 1..=64;
/// Tries of one call.
pub const ATTEMPTS: RangeInclusive<u32> = 1..=20;
/// Milliseconds between two tries.
pub const PAUSE_MS: RangeInclusive<u32> = 1..=3_600_000;
/// Seconds that one call may take.
pub const TIMEOUT_S: RangeInclusive<u32> = 1..=300;
/// Seconds that a question waits: up to 30 days.
pub const APPROVAL_EXPIRES_S: RangeInclusive<u32> = 1..=2_592_000;

/// Something there is too much of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excess {
    /// JSON pointer to it.
    pub(crate) pointer: String,
    /// Of what.
    pub(crate) what: &'static str,
    /// Most there may be.
    pub(crate) most: usize,
    /// How much there is.
    pub(crate) found: usize,
}

impl Excess {
    /// Too many of something.
    pub(crate) fn of(pointer: String, what: &'static str, most: usize, found: usize) -> Option<Self> {
        (found > most).then_some(Self { pointer, what, most, found })
    }

    /// Too many characters.
    pub(crate) fn of_text(pointer: String, most: usize, text: &str) -> Option<Self> {
        Self::of(pointer, "characters", most, text.chars().count())
    }

    /// Too much in what a tool sends, the texts of its headers aside.
    pub(crate) fn of_sent(Sent { pointer, url, headers, .. }: &Sent<'_>) -> Vec<Self> {
        let address = Self::of_text(format!("{pointer}/url"), ADDRESS, url);
        let headers = Self::of(format!("{pointer}/headers"), "headers", HEADERS, headers.len());
        address.into_iter().chain(headers).collect()
    }
}
