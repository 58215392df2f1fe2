use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderMap, web::Data};
use devskyy_application::{context::Actor, es::Idempotency, identity::TokenMint};

use crate::problem::{Problem, platform, request};

const NAME: &str = "Idempotency-Key";
const PURPOSE: &str = "request.fingerprint";
/// The label of the digest that distinguishes callers who have not signed in.
const STRANGER: &str = "request.stranger";

/// A request that the client can send again without a second effect.
pub(crate) struct KeyedRequest {
    key: String,
    fingerprint: [u8; 32],
    mint: Data<dyn TokenMint>,
}

/// The client's key, if it sent one.
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

/// A request without a body, if the client sent a key.
pub(super) fn bodiless(request: &HttpRequest) -> Result<Option<KeyedRequest>, Problem> {
    key(request.headers())?.map(|key| KeyedRequest::new(key, request, b"")).transpose()
}

impl KeyedRequest {
    /// The fingerprint of a request: method, path and body.
    ///
    /// Bodies hold passwords, tools' secrets and people's addresses: a bare digest of one would let a reader of the
    /// database try guesses at the speed of a fast hash, so it is keyed with the platform's master key.
    pub(crate) fn new(key: String, request: &HttpRequest, body: &[u8]) -> Result<Self, Problem> {
        let mint = request.app_data::<Data<dyn TokenMint>>();
        let mint = mint.cloned().ok_or_else(|| Problem::new(platform::INTERNAL, "requests cannot be told apart"))?;
        let asked = [request.method().as_str().as_bytes(), b"\n", request.path().as_bytes(), b"\n", body].concat();
        Ok(Self { key, fingerprint: mint.keyed(PURPOSE, &asked), mint })
    }

    /// Keys of different callers never collide. Callers who have not signed in differ by the account they name, so that
    /// a guessed key is of no use to others; the name is kept as a keyed digest only.
    pub(crate) fn of(self, actor: &Actor, named: &str) -> Idempotency {
        let Self { key, fingerprint, mint } = self;
        let stranger = || {
            let mut scope = [0; 16];
            scope.iter_mut().zip(mint.keyed(STRANGER, named.as_bytes())).for_each(|(to, from)| *to = from);
            uuid::Builder::from_random_bytes(scope).into_uuid()
        };
        Idempotency { scope: actor.idempotency_scope().unwrap_or_else(stranger), key, fingerprint }
    }
}

/// The key of a request whose body is ignored.
pub(crate) struct Keyed(Option<KeyedRequest>);

impl Keyed {
    /// How a repetition of the request is recognised.
    pub(crate) fn of(self, actor: &Actor) -> Option<Idempotency> {
        self.0.map(|keyed| keyed.of(actor, ""))
    }
}

impl FromRequest for Keyed {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(bodiless(request).map(Self))
    }
}
