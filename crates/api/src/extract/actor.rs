use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use devskyy_application::context::{Actor, Subject};
use uuid::Uuid;

use super::ClientAddress;
use crate::problem::{Problem, unauthenticated};

/// What is known about a request before it is handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The client's `X-Request-Id`, or a fresh one; identifies the request in responses and logs.
    pub request_id: String,
    /// Stored with every event that follows from the request.
    pub correlation_id: Uuid,
    /// The client's W3C trace, if it sent one.
    pub traceparent: Option<String>,
}

/// The result of checking the request's credential.
pub(crate) type Proof = Result<Subject, Problem>;

/// The signed-in caller; refuses everyone else.
pub(crate) struct CurrentActor(pub(crate) Actor);

impl FromRequest for CurrentActor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let proof = request.extensions().get::<Proof>().cloned();
        ready(proof.unwrap_or_else(|| Err(unauthenticated())).map(|subject| Self(actor(request, subject))))
    }
}

/// Any caller, treated as anonymous whatever credential was sent.
pub(crate) struct Visitor(pub(crate) Actor);

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(actor(request, Subject::Anonymous))))
    }
}

fn actor(request: &HttpRequest, subject: Subject) -> Actor {
    let extensions = request.extensions();
    let context = extensions.get::<RequestContext>();
    Actor {
        subject,
        correlation_id: context.map(|context| context.correlation_id).unwrap_or_default(),
        source: ClientAddress::of(request).0,
        traceparent: context.and_then(|context| context.traceparent.clone()),
    }
}
