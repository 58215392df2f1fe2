use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web::Data,
};
use devskyy_application::identity::{ApiKeys, Identity};

use crate::{
    extract::Proof,
    problem::{Problem, unauthenticated},
};

/// Longest token that is looked at.
const LONGEST: usize = 4_096;

/// Where programs may present their key.
const API_KEY: &str = "x-api-key";

/// Checks the request's proof before anything else is read, so that strangers cost little.
///
/// A key has the same verdict in `Authorization: Bearer` and in `X-API-Key`; a request with both is nobody's.
pub(crate) async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(presented) = presented(&request) {
        let proof = match presented {
            Ok(text) => verdict(&request, &text).await,
            Err(problem) => Err(problem),
        };
        request.extensions_mut().insert::<Proof>(proof);
    }
    next.call(request).await
}

/// The one text that is to prove who asks; nothing where none was sent.
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

async fn verdict(request: &ServiceRequest, text: &str) -> Proof {
    if ApiKeys::recognises(text) {
        let keys = request.app_data::<Data<ApiKeys>>().ok_or_else(unauthenticated)?.clone();
        return keys.authenticate.handle(text).await.map_err(Problem::from);
    }
    let identity = request.app_data::<Data<Identity>>().ok_or_else(unauthenticated)?.clone();
    identity.authenticate.handle(text).await.map_err(Problem::from)
}

/// The token of `Authorization: Bearer <token>` (RFC 6750).
pub(crate) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (1..=LONGEST).contains(&token.len())).then_some(token)
}
