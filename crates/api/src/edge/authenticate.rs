use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web::Data,
};
use devskyy_application::identity::Identity;

use crate::{
    extract::Proof,
    problem::{Problem, unauthenticated},
};

/// Longest token that is looked at.
const LONGEST: usize = 4_096;

/// Checks the request's proof before anything else is read, so that strangers cost little.
pub(crate) async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let header = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default().to_owned());
    let identity = request.app_data::<Data<Identity>>().cloned();
    if let (Some(header), Some(identity)) = (header, identity) {
        let proof: Proof = match bearer(&header) {
            Some(token) => identity.authenticate.handle(token).await.map_err(Problem::from),
            None => Err(unauthenticated()),
        };
        request.extensions_mut().insert(proof);
    }
    next.call(request).await
}

/// The token of `Authorization: Bearer <token>` (RFC 6750).
pub(crate) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (1..=LONGEST).contains(&token.len())).then_some(token)
}
