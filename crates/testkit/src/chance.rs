//! Chance that can be had again.

use std::{
    fmt,
    hash::{BuildHasher as _, Hasher as _, RandomState},
};

/// Names the seed of an earlier run.
const VARIABLE: &str = "DEVSKYY_TEST_SEED";

/// Numbers that differ from one run of a test to the next. A test that fails tells the seed, with which they come again.
///
/// They are those of `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Debug)]
pub struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    /// Begins with the seed that `DEVSKYY_TEST_SEED` holds, and without one with another each time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "whoever runs a test again names the seed by hand")]
    pub fn drawn() -> Self {
        let named = std::env::var(VARIABLE).ok().and_then(|seed| seed.parse().ok());
        // Each of these hashers begins with keys of its own.
        Self::seeded(named.unwrap_or_else(|| RandomState::new().build_hasher().finish()))
    }

    /// Begins with this seed.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// Any number.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one; 0 where there is none.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    /// One of these; nothing where there is none.
    pub fn one_of<'a, T>(&mut self, many: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(many.len() as u64)).ok()?;
        many.get(index)
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VARIABLE}={}", self.seed)
    }
}

impl Drop for Chance {
    #[expect(clippy::print_stderr, reason = "whoever sees a test fail can have the same chance again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the same again: {self}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn a_seed_brings_the_same_numbers_again() {
        let numbers = |mut chance: Chance| (0..9).map(|_| chance.below(1_000)).collect::<Vec<_>>();
        assert_eq!(numbers(Chance::seeded(7)), numbers(Chance::seeded(7)));
    }

    #[test]
    fn other_seeds_bring_other_numbers() {
        assert_ne!(Chance::seeded(1).next(), Chance::seeded(2).next());
    }

    #[test]
    fn nothing_is_drawn_from_nothing() {
        assert_eq!(Chance::seeded(1).one_of::<u8>(&[]), None);
    }
}
