//! Response headers that follow from what an operation does: create, read a version, list by pages.

use utoipa::openapi::{
    Header, Object, OpenApi, RefOr,
    path::{Operation, Parameter},
    schema::Type,
};

use super::operations;

/// Statuses of responses that create something.
const CREATING: [&str; 2] = ["201", "202"];
/// Statuses of successful responses with a body.
const WITH_BODY: [&str; 3] = ["200", "201", "202"];
/// Parameters of operations on something with a version.
const CONDITIONAL: [&str; 2] = ["If-Match", "If-None-Match"];

/// Adds these headers to every successful response with a body. A response with headers of its own keeps just those.
pub(super) fn add(document: &mut OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let paged = takes(operation, "page");
        let creates = CREATING.iter().any(|status| operation.responses.responses.contains_key(*status));
        let versioned = creates || CONDITIONAL.iter().any(|name| takes(operation, name));
        for (status, response) in &mut operation.responses.responses {
            let RefOr::T(response) = response else { continue };
            if !response.headers.is_empty() || !WITH_BODY.contains(&status.as_str()) {
                continue;
            }
            let headers = [
                (versioned, "ETag", "The version"),
                (CREATING.contains(&status.as_str()), "Location", "Where it is"),
                (paged, "Link", "Neighbouring pages (RFC 8288)"),
            ];
            let present = headers.into_iter().filter(|(present, ..)| *present);
            response.headers.extend(present.map(|(_, name, about)| (name.to_owned(), text(about).into())));
        }
    }
}

fn takes(operation: &Operation, wanted: &str) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(Parameter { name, .. }) if name == wanted))
}

fn text(about: &str) -> Header {
    let mut header = Header::new(Object::with_type(Type::String));
    header.description = Some(about.to_owned());
    header
}
