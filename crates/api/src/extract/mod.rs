//! What handlers take from a request, validated; every refusal is a [`crate::problem::Problem`].

mod actor;
mod body;
mod client_address;
mod client_scheme;
mod conditional;
mod cursor;
mod id;
mod idempotency;
mod json;
mod moment;
mod paging;
mod parameters;
mod pointer;
mod strict;

pub use self::{actor::RequestContext, client_address::Network};
pub(crate) use self::{
    actor::{CurrentActor, Proof, Visitor},
    body::{Body, OptionalBody, OptionalKeyedBody},
    client_address::ClientAddress,
    client_scheme::over_tls,
    conditional::{IfMatch, Revision, changed, created, digest, etag, known, quoted, shown, shown_at, unchanged},
    cursor::LONGEST_CURSOR,
    id::Id,
    idempotency::{Keyed, key as idempotency_key},
    moment::{INSTANT, moment},
    paging::{BY_AGE, Paged, link, page, paged, paged_beside, short, told},
    parameters::Parameters,
};
