//! Reproducible randomness.

use std::{
    fmt,
    hash::{BuildHasher as _, Hasher as _, RandomState},
};

/// The environment variable with the seed of an earlier run.
const VARIABLE: &str = "DEVSKYY_TEST_SEED";

/// Random numbers that differ between runs of a test. A failing test prints the seed, which reproduces them.
///
/// The algorithm is `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Debug)]
pub struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    /// Starts with the seed in `DEVSKYY_TEST_SEED`, or with a random one.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "whoever runs a test again names the seed by hand")]
    pub fn drawn() -> Self {
        let named = std::env::var(VARIABLE).ok().and_then(|seed| seed.parse().ok());
        // Each of these hashers has random keys.
        Self::seeded(named.unwrap_or_else(|| RandomState::new().build_hasher().finish()))
    }

    /// Starts with this seed.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    /// A random element; `None` if there is none.
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
