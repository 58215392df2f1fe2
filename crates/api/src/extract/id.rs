use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use devskyy_domain::kernel::ids::{
    AgentId, ApiKeyId, ApprovalId, InvitationId, OperationId, ProjectId, ProviderId, RunId, SecretId, SessionId,
    StreamKey, UserId,
};

use crate::{
    ids::WireId,
    problem::{Problem, request},
    version::{ApiVersion, Successor},
};

/// Ids in a path, in their order; `Id<AgentId>` for one, `Id<(RunId, ApprovalId)>` for two.
pub(crate) struct Id<T>(pub(crate) T);

/// A path's ids as text, and what has been read of them.
pub(crate) struct Parts<'a> {
    rest: Box<dyn Iterator<Item = (&'a str, &'a str)> + 'a>,
    /// Each id as version 2 writes it.
    typed: Vec<String>,
}

impl Parts<'_> {
    fn next<I: StreamKey>(&mut self) -> Result<I, Problem> {
        let (name, raw) =
            self.rest.next().ok_or_else(|| Problem::new(request::MALFORMED_ID, "the path has too few ids"))?;
        let id = WireId::<I>::read(raw).ok_or_else(|| {
            let form = WireId::<I>::form();
            Problem::parameter(request::MALFORMED_ID, name, format!("this part of the path must be {form}"))
        })?;
        self.typed.push(ApiVersion::V2.within(|| WireId(id).to_string()));
        Ok(id)
    }
}

/// Something made of a path's ids.
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
        let mut parts = Parts { rest: Box::new(named), typed: Vec::new() };
        let ids = T::from_ids(&mut parts);
        let typed = parts.typed;
        if ids.is_ok()
            && let Some(path) = successor(request.path(), typed)
        {
            request.extensions_mut().insert(Successor(path));
        }
        ready(ids.map(Self))
    }
}

/// The address of the same thing in version 2.
fn successor(path: &str, typed: Vec<String>) -> Option<String> {
    let mut typed = typed.into_iter().peekable();
    let segments = path.strip_prefix(ApiVersion::V1.base())?.split('/').map(|segment| {
        let same = |typed: &String| typed.split_once('_').is_some_and(|(_, id)| id.eq_ignore_ascii_case(segment));
        typed.next_if(same).unwrap_or_else(|| segment.to_owned())
    });
    Some(format!("{}{}", ApiVersion::V2.base(), segments.collect::<Vec<_>>().join("/")))
}
