use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use devskyy_application::identity::AccessClaims;

use crate::bounded_cache::BoundedCache;

/// Caches tokens whose signature was verified, so that a busy client pays for it once.
///
/// Bounded, and keyed by digest, so that no token is stored. The validity of the session is checked elsewhere, each
/// time.
pub(super) struct VerifiedTokens {
    known: Mutex<BoundedCache<[u8; 32], AccessClaims>>,
}

impl VerifiedTokens {
    pub(super) fn new(most: usize) -> Self {
        Self { known: Mutex::new(BoundedCache::of(most)) }
    }

    pub(super) fn find(&self, token: &str) -> Option<AccessClaims> {
        self.lock().get(&key(token)).cloned()
    }

    pub(super) fn remember(&self, token: &str, claims: AccessClaims) {
        self.lock().insert(key(token), claims);
    }

    /// Drops all entries, because the set of trusted keys has changed.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BoundedCache<[u8; 32], AccessClaims>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(token: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    key
}
