use std::{cell::RefCell, rc::Rc};

use actix_web::{
    HttpMessage,
    dev::ServiceRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue, LINK, VARY},
};

/// Headers that the layers add to the response however it ends: from the endpoint, as a problem, or in a panic.
#[derive(Debug, Clone, Default)]
pub(super) struct Dress(Rc<RefCell<Vec<(HeaderName, HeaderValue)>>>);

impl Dress {
    /// Attaches an empty set to a request.
    pub(super) fn lay_out(request: &ServiceRequest) -> Self {
        let dress = Self::default();
        request.extensions_mut().insert(dress.clone());
        dress
    }

    /// Adds a header to the response of this request.
    pub(super) fn add(request: &ServiceRequest, name: HeaderName, value: HeaderValue) {
        if let Some(dress) = request.extensions().get::<Self>() {
            dress.0.borrow_mut().push((name, value));
        }
    }

    /// Adds the headers to a response.
    pub(super) fn put_on(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.borrow_mut().drain(..) {
            if [VARY, LINK].contains(&name) { headers.append(name, value) } else { drop(headers.insert(name, value)) }
        }
    }

    /// Takes the collected headers.
    pub(super) fn take(&self) -> Vec<(HeaderName, HeaderValue)> {
        self.0.take()
    }
}
