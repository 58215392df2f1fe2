use std::{collections::HashSet, sync::Arc};

use super::{
    append::{AppendRequest, ClaimChange},
    chain::{self, Hash},
    facts::Rejection,
};

/// Length limit of an idempotency key, in characters.
pub const LONGEST_KEY: usize = 255;

/// A valid request with everything precomputed that does not depend on the log. The caller does this work, because work
/// under the log's mutex delays all writers.
#[derive(Debug, Clone)]
pub struct Prepared {
    request: AppendRequest,
    meta: Meta,
    digests: Vec<Hash>,
}

/// A request's context as the stored text, and its digest.
#[derive(Debug, Clone)]
pub(super) struct Meta {
    pub(super) text: Arc<str>,
    pub(super) digest: Hash,
}

impl Prepared {
    /// Validates a request and computes its digests.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] when the log cannot record such a request, in whatever state it is.
    pub fn new(request: AppendRequest) -> Result<Self, Rejection> {
        well_formed(&request)?;
        let text = serde_json::to_string(&request.context).map_err(|_| Rejection::Malformed("unwritable context"))?;
        let digests = request.writes.iter().flat_map(|write| &write.events).map(|event| chain::digest(&event.data));
        let digests = digests.collect();
        let meta = Meta { digest: chain::digest(&text), text: text.into() };
        Ok(Self { request, meta, digests })
    }

    /// The request.
    #[must_use]
    pub const fn request(&self) -> &AppendRequest {
        &self.request
    }

    pub(super) const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Digests of the payloads, in the order of the request.
    pub(super) fn digests(&self) -> &[Hash] {
        &self.digests
    }
}

fn well_formed(request: &AppendRequest) -> Result<(), Rejection> {
    let mut named = HashSet::with_capacity(request.writes.len());
    if !request.writes.iter().all(|write| named.insert(write.stream)) {
        return Err(Rejection::Malformed("one request names a stream twice"));
    }
    if request.idempotency.as_ref().is_some_and(|idempotency| idempotency.key.chars().count() > LONGEST_KEY) {
        return Err(Rejection::Malformed("the idempotency key is too long"));
    }
    if texts(request).any(|text| text.contains('\0')) {
        return Err(Rejection::Malformed("a NUL character, which no database keeps in a text"));
    }
    Ok(())
}

fn texts(request: &AppendRequest) -> impl Iterator<Item = &str> {
    let events = request.writes.iter().flat_map(|write| &write.events);
    let claims = request.claims.iter().map(ClaimChange::claim);
    let keys = request.idempotency.iter().map(|idempotency| idempotency.key.as_str());
    let events = events.flat_map(|event| [&*event.event_type, event.data.as_str()]);
    events.chain(claims.flat_map(|claim| [claim.scope.as_str(), claim.value.as_str()])).chain(keys)
}
