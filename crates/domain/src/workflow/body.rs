//! What the body of a request may be, as far as that can be said before it is computed.

use super::{computed::Computed, definition::HttpRequest};
use crate::kernel::Json;

/// Why a request cannot have such a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// There are two bodies.
    #[error("a request sends its arguments or a body, not both")]
    Both,
    /// There is nothing to make a form of.
    #[error("a form needs a body")]
    NoFields,
    /// What is to be a form has no fields, or fields in fields.
    #[error("the fields of a form are texts, numbers, booleans, lists of these, or computed values")]
    NotFields,
}

impl BodyFault {
    /// What is wrong with the body of a request, where anything is.
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

/// What is computed in a wrong way is refused for that.
fn is_computed(value: &Json) -> bool {
    !matches!(Computed::of(value), Ok(None))
}

const fn is_plain(value: &Json) -> bool {
    matches!(value, Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_))
}
