use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use crate::problem::{Problem, request};

/// The longest address that is accepted, its query included, in bytes.
const LONGEST_ADDRESS: usize = 8_192;

/// Refuses a request whose address is too long; it has been counted like any other.
pub(crate) async fn bounded(
    asked: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if asked.path().len() + asked.query_string().len() > LONGEST_ADDRESS {
        let detail = format!("path and query together may have at most {LONGEST_ADDRESS} bytes");
        return Err(Problem::new(request::ADDRESS_TOO_LONG, detail).into());
    }
    next.call(asked).await
}
