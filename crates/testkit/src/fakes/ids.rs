use std::sync::atomic::{AtomicU64, Ordering};

use devskyy_application::ports::IdGenerator;
use uuid::Uuid;

/// Predictable ids: `00000000-0000-7000-8000-000000000001`, then `…2`, and so on.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl SequentialIds {
    /// The `n`th id, counted from 1.
    #[must_use]
    pub const fn nth(n: u64) -> Uuid {
        Uuid::from_u64_pair(0x7000, 0x8000_0000_0000_0000 | n)
    }
}

impl IdGenerator for SequentialIds {
    fn next(&self) -> Uuid {
        Self::nth(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
