use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use devskyy_domain::kernel::ids::{
    AgentId, ApiKeyId, ApprovalId, InvitationId, OperationId, ProjectId, ProviderId, RunId, SecretId, SessionId,
    StreamKey, UserId,
};

use crate::{
    ids::WireId,
    problem::{Problem, request},
};

/// Ids in a path, in their order; `Id<AgentId>` for one, `Id<(RunId, ApprovalId)>` for two.
pub(crate) struct Id<T>(pub(crate) T);

/// A path's ids as text, still to be read.
pub(crate) struct Parts<'a> {
    rest: Box<dyn Iterator<Item = (&'a str, &'a str)> + 'a>,
}

impl Parts<'_> {
    fn next<I: StreamKey>(&mut self) -> Result<I, Problem> {
        let (name, raw) =
            self.rest.next().ok_or_else(|| Problem::new(request::MALFORMED_ID, "the path has too few ids"))?;
        WireId::<I>::read(raw).ok_or_else(|| {
            let form = WireId::<I>::form();
            Problem::parameter(request::MALFORMED_ID, name, format!("this part of the path must be {form}"))
        })
    }
}

/// A value made of a path's ids.
pub(crate) trait FromIds: Sized {
    /// Takes its ids in order.
    fn from_ids(parts: &mut Parts<'_>) -> Result<Self, Problem>;
}

macro_rules! single {
    ($($id:ty),+) => {$(
        impl FromIds for $id {
            fn from_ids(parts: &mut Parts<'_>) -> Result<Self, Problem> {
                parts.next()
            }
        }
    )+};
}

single!(
    AgentId,
    ApiKeyId,
    ApprovalId,
    InvitationId,
    OperationId,
    ProjectId,
    ProviderId,
    RunId,
    SecretId,
    SessionId,
    UserId
);

impl<A: FromIds, B: FromIds> FromIds for (A, B) {
    fn from_ids(parts: &mut Parts<'_>) -> Result<Self, Problem> {
        Ok((A::from_ids(parts)?, B::from_ids(parts)?))
    }
}

impl<T: FromIds> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = request.match_info().iter().filter(|(name, _)| *name == "id" || name.ends_with("_id"));
        ready(T::from_ids(&mut Parts { rest: Box::new(named) }).map(Self))
    }
}
