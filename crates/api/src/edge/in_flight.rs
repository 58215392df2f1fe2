use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderValue, RETRY_AFTER},
    middleware::Next,
    web::Data,
};

use super::{limit::caller, routes::Routes};
use crate::{
    extract::{Proof, idempotency_key},
    limits::Caller,
    problem::{Problem, platform},
};

/// The caller, and the key.
type Name = (Caller, String);

/// The requests under idempotency keys that this process is answering.
///
/// A request that passes, here or on another replica, still meets the log, which records one of them.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Name>>>);

impl InFlight {
    fn names(&self) -> MutexGuard<'_, HashSet<Name>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a name until the pass is dropped; `None` if it is taken.
    fn enter(&self, name: Name) -> Option<Pass> {
        self.names().insert(name.clone()).then(|| Pass { requests: self.clone(), name })
    }
}

struct Pass {
    requests: InFlight,
    name: Name,
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.requests.names().remove(&self.name);
    }
}

/// Refuses a repetition of a request in progress, and advises to try again.
pub(crate) async fn one_at_a_time(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let requests = request.app_data::<Data<InFlight>>().cloned();
    let pass = match (requests, name(&request)) {
        (Some(requests), Some(name)) => Some(requests.enter(name)),
        _ => None,
    };
    if matches!(pass, Some(None)) {
        return Err(in_flight().into());
    }
    let answer = next.call(request).await;
    drop(pass);
    answer
}

/// The name of a request that takes a key; elsewhere the header is ignored. Callers who have not signed in are
/// distinguished by address: two at one address with the same key at the same moment wait for each other.
fn name(request: &ServiceRequest) -> Option<Name> {
    let routes = request.app_data::<Data<Routes>>()?;
    if !routes.take_key(request.method(), request.path()) {
        return None;
    }
    let key = idempotency_key(request.headers()).ok()??;
    let refused = matches!(request.extensions().get::<Proof>(), Some(Err(_)));
    (!refused).then(|| (caller(request), key))
}

fn in_flight() -> Problem {
    Problem::new(platform::KEY_IN_FLIGHT, "the first request with this key is still in progress")
        .header(RETRY_AFTER, HeaderValue::from_static("1"))
}
