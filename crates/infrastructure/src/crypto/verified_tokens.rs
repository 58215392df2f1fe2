use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use devskyy_application::identity::AccessClaims;

/// Remembers tokens whose signature has been checked, so that a busy client pays for it once.
///
/// Bounded in number; keyed by digest, so that no token is kept. Whether the sign-in still counts is asked elsewhere,
/// each time.
pub(super) struct VerifiedTokens {
    known: Mutex<HashMap<[u8; 32], AccessClaims>>,
    most: usize,
}

impl VerifiedTokens {
    pub(super) fn new(most: usize) -> Self {
        Self { known: Mutex::new(HashMap::new()), most }
    }

    pub(super) fn find(&self, token: &str) -> Option<AccessClaims> {
        self.lock().get(&key(token)).cloned()
    }

    pub(super) fn remember(&self, token: &str, claims: AccessClaims, now: DateTime<Utc>) {
        let mut known = self.lock();
        if known.len() >= self.most {
            known.retain(|_, claims| claims.expires_at > now);
        }
        if known.len() >= self.most {
            known.clear();
        }
        known.insert(key(token), claims);
    }

    /// Forgets everything, because the set of trusted keys has changed.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], AccessClaims>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(token: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    key
}
