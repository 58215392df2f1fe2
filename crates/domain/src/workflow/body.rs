//! Static checks of a request's body, before it is computed.

use super::{computed::Computed, definition::HttpRequest};
use crate::kernel::Json;

/// Why a request's body is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// There are two bodies.
    #[error("a request sends its arguments or a body, not both")]
    Both,
    /// A form without a body.
    #[error("a form needs a body")]
    NoFields,
    /// The body of a form is not an object, or its fields are nested.
    #[error("the fields of a form are texts, numbers, booleans, lists of these, or computed values")]
    NotFields,
}

impl BodyFault {
    /// The fault of a request's body, if any.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        match &request.body {
            Some(_) if request.send_arguments => Some(Self::Both),
            Some(body) if request.form && !fields(body) => Some(Self::NotFields),
            None if request.form => Some(Self::NoFields),
            Some(_) | None => None,
        }
    }
}

/// Whether a value can be the fields of a form, as far as it is not computed.
fn fields(body: &Json) -> bool {
    match (is_computed(body), body) {
        (true, _) => true,
        (false, Json::Object(members)) => members.values().all(field),
        (false, _) => false,
    }
}

fn field(value: &Json) -> bool {
    match value {
        Json::Array(elements) => elements.iter().all(|element| is_computed(element) || is_plain(element)),
        other => is_computed(other) || is_plain(other),
    }
}

/// A malformed computed value counts as computed: it is reported separately.
fn is_computed(value: &Json) -> bool {
    !matches!(Computed::of(value), Ok(None))
}

const fn is_plain(value: &Json) -> bool {
    matches!(value, Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_))
}
