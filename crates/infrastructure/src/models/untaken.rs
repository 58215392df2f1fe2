//! Caches the forms of answers that servers rejected, so that not every request is rejected first.

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::models::OutputFormat;
use serde_json::json;

use crate::bounded_cache::BoundedCache;

/// Time to live; servers may be updated.
const REMEMBERED: TimeDelta = TimeDelta::hours(1);
/// Capacity of the cache.
const MOST: usize = 1_000;

/// A form of an answer for a model at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FormAsked([u8; 32]);

/// The cache key of a form.
pub(super) fn form_asked(base_url: &str, model: &str, output: &OutputFormat) -> FormAsked {
    let asked = json!([base_url, model, output.schema]).to_string();
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, asked.as_bytes()).as_ref());
    FormAsked(fingerprint)
}

/// Rejected forms and their expiry.
#[derive(Debug)]
pub(super) struct Untaken(Mutex<BoundedCache<FormAsked, DateTime<Utc>>>);

impl Default for Untaken {
    fn default() -> Self {
        Self(Mutex::new(BoundedCache::of(MOST)))
    }
}

impl Untaken {
    pub(super) fn holds(&self, form: &FormAsked, now: DateTime<Utc>) -> bool {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get(form).is_some_and(|until| *until > now)
    }

    pub(super) fn note(&self, form: FormAsked, now: DateTime<Utc>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.insert(form, now + REMEMBERED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_not_taken_for_an_hour() {
        let (untaken, now, form) = (Untaken::default(), DateTime::<Utc>::default(), FormAsked([7; 32]));
        untaken.note(form, now);
        let held = [0, 3_599, 3_600].map(|after: i64| untaken.holds(&form, now + TimeDelta::seconds(after)));
        assert_eq!(held, [true, true, false]);
    }
}
