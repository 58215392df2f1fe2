use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use devskyy_domain::kernel::ids::{AgentId, ApiKeyId, ApprovalId, OperationId, ProjectId, RunId, SessionId, UserId};
use uuid::Uuid;

use crate::problem::{Problem, request};

/// Ids in a path, in their order; `Id<AgentId>` for one, `Id<(RunId, ApprovalId)>` for two.
pub(crate) struct Id<T>(pub(crate) T);

/// Something made of a path's ids.
pub(crate) trait FromIds: Sized {
    /// Takes its ids in order.
    fn from_ids(ids: &[Uuid]) -> Option<Self>;
}

macro_rules! single {
    ($($id:ty),+) => {$(
        impl FromIds for $id {
            fn from_ids(ids: &[Uuid]) -> Option<Self> {
                ids.first().map(|id| Self::from(*id))
            }
        }
    )+};
}

single!(AgentId, ApiKeyId, ApprovalId, OperationId, ProjectId, RunId, SessionId, UserId);

impl<A: FromIds, B: FromIds> FromIds for (A, B) {
    fn from_ids(ids: &[Uuid]) -> Option<Self> {
        Some((A::from_ids(ids)?, B::from_ids(ids.get(1..)?)?))
    }
}

impl<T: FromIds> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parts = request.match_info().iter().filter(|(name, _)| *name == "id" || name.ends_with("_id"));
        let ids: Result<Vec<Uuid>, Problem> = parts.map(|(name, raw)| parse(name, raw)).collect();
        let malformed = || Problem::new(request::MALFORMED_ID, "the path has too few ids");
        ready(ids.and_then(|ids| T::from_ids(&ids).map(Self).ok_or_else(malformed)))
    }
}

/// Only the hyphenated form: one thing has one address.
fn parse(name: &str, raw: &str) -> Result<Uuid, Problem> {
    Some(raw)
        .filter(|raw| raw.len() == 36)
        .and_then(|raw| Uuid::try_parse(raw).ok())
        .ok_or_else(|| Problem::parameter(request::MALFORMED_ID, name, "this part of the path must be a UUID"))
}
