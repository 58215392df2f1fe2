use actix_web::{
    Error, FromRequest, HttpMessage, ResponseError,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::Next,
    web::Data,
};
use devskyy_application::{
    audit::SecurityLog,
    identity::{ApiKeys, Identity},
};
use devskyy_domain::kernel::ids::ApiKeyId;

use super::limit::refuse_unproven;
use crate::{
    extract::{Proof, Visitor},
    problem::{Problem, unauthenticated},
};

/// The longest token that is checked.
const LONGEST: usize = 4_096;

/// The header in which programs may send their key.
const API_KEY: &str = "x-api-key";

/// Checks the credential of a request before anything else is read, so that strangers cost little.
///
/// A key is checked alike in `Authorization: Bearer` and in `X-API-Key`; a request with both is not authenticated.
pub(crate) async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(presented) = presented(&request) {
        let credential = presented.and_then(|text| Credential::of(&request, text));
        let proof = match &credential {
            Ok(credential) => match credential.key().and_then(|key| refuse_unproven(&request, key)) {
                Some(problem) => Err(problem),
                None => credential.check().await,
            },
            Err(problem) => Err(problem.clone()),
        };
        if let Err(problem) = &proof {
            note(&request, problem).await;
        }
        let mut extensions = request.extensions_mut();
        extensions.insert::<Proof>(proof);
        if let Ok(credential) = credential {
            extensions.insert(credential);
        }
    }
    next.call(request).await
}

/// Records a refused credential. An unavailable capability proves nothing about the credential.
async fn note(request: &ServiceRequest, problem: &Problem) {
    let refused = problem.status_code() == StatusCode::UNAUTHORIZED;
    if let Some(security) = request.app_data::<Data<SecurityLog>>().filter(|_| refused)
        && let Ok(Visitor(actor)) = Visitor::from_request(request.request(), &mut Payload::None).await
    {
        let key = request.headers().contains_key(API_KEY);
        security.not_accepted(&actor, if key { "api_key" } else { "bearer" });
    }
}

/// The one credential that was sent, if any.
fn presented(request: &ServiceRequest) -> Option<Result<String, Problem>> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let mut keys = request.headers().get_all(API_KEY);
    let (header, key) = (headers.next(), keys.next());
    if header.is_none() && key.is_none() {
        return None;
    }
    let several = headers.next().is_some() || keys.next().is_some();
    let text = match (header, key) {
        (Some(header), None) => header.to_str().ok().and_then(bearer),
        (None, Some(key)) => key.to_str().ok().filter(|key| key.len() <= LONGEST && ApiKeys::recognises(key)),
        _ => None,
    };
    Some(text.filter(|_| !several).map(str::to_owned).ok_or_else(unauthenticated))
}

/// The credential of a request. A long response checks again whether it is still valid.
#[derive(Clone)]
pub(crate) struct Credential {
    text: String,
    identity: Data<Identity>,
    keys: Data<ApiKeys>,
}

impl Credential {
    fn of(request: &ServiceRequest, text: String) -> Result<Self, Problem> {
        let identity = request.app_data::<Data<Identity>>().ok_or_else(unauthenticated)?.clone();
        let keys = request.app_data::<Data<ApiKeys>>().ok_or_else(unauthenticated)?.clone();
        Ok(Self { text, identity, keys })
    }

    /// The id of the key, if it looks like an API key.
    fn key(&self) -> Option<ApiKeyId> {
        self.keys.authenticate.meant(&self.text)
    }

    /// The subject it stands for now.
    pub(crate) async fn check(&self) -> Proof {
        let subject = if ApiKeys::recognises(&self.text) {
            self.keys.authenticate.handle(&self.text).await
        } else {
            self.identity.authenticate.handle(&self.text).await
        };
        subject.map_err(Problem::from)
    }
}

/// The token of `Authorization: Bearer <token>` (RFC 6750).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (1..=LONGEST).contains(&token.len())).then_some(token)
}
