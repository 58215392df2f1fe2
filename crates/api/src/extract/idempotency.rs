use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderMap};
use aws_lc_rs::digest::{Context, SHA256};
use devskyy_application::{context::Actor, es::Idempotency};
use uuid::Uuid;

use crate::problem::{Problem, request};

const NAME: &str = "Idempotency-Key";
/// Keys of callers who have not signed in; the use case must tell them apart itself.
const NOBODY: Uuid = Uuid::from_u128(0x6f1d_2c4e_8a3b_5d70_9e21_4c6b_7a58_3f09);

/// A request that the client can send again without a second effect.
pub(crate) struct KeyedRequest {
    key: String,
    fingerprint: [u8; 32],
}

/// The client's key, where it sent one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(NAME);
    let Some(value) = sent.next() else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
    match key.filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic())) {
        Some(key) if sent.next().is_none() => Ok(Some(key.to_owned())),
        Some(_) | None => Err(Problem::parameter(
            request::IDEMPOTENCY_KEY,
            NAME,
            "send one key of 1 to 255 printable ASCII characters without spaces",
        )),
    }
}

impl KeyedRequest {
    /// Fixes what was asked: method, path and body.
    pub(crate) fn new(key: String, request: &HttpRequest, body: &[u8]) -> Self {
        let mut digest = Context::new(&SHA256);
        for part in [request.method().as_str().as_bytes(), b"\n", request.path().as_bytes(), b"\n", body] {
            digest.update(part);
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest.finish().as_ref());
        Self { key, fingerprint }
    }

    /// Keys of different callers never meet.
    pub(crate) fn of(self, actor: &Actor) -> Idempotency {
        let scope = actor.idempotency_scope().unwrap_or(NOBODY);
        Idempotency { scope, key: self.key, fingerprint: self.fingerprint }
    }
}

/// The key of a request whose body means nothing.
pub(crate) struct Keyed(Option<KeyedRequest>);

impl Keyed {
    /// How a repetition of the request is recognised.
    pub(crate) fn of(self, actor: &Actor) -> Option<Idempotency> {
        self.0.map(|keyed| keyed.of(actor))
    }
}

impl FromRequest for Keyed {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(key(request.headers()).map(|key| Self(key.map(|key| KeyedRequest::new(key, request, b"")))))
    }
}
