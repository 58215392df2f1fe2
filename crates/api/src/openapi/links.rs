//! Links of OpenAPI 3.1: what can be done next with the resource of a response.
//!
//! One table gives the resource of each operation and its address. The rest follows from the addresses: the response
//! links to every operation at that address and below it whose parameters are known by then.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::{
    OpenApi, PathItem, RefOr, Response,
    link::Link,
    path::{Operation, Parameter, ParameterIn},
};

use super::operations;
use crate::version::ApiVersion;

/// An operation, the address of the resource it returns, and the member of the response that is the last parameter of
/// that address, if the request has not named it.
const ANSWERS: [(&str, &str, Option<&str>); 15] = [
    ("register", "/users/{id}", Some("id")),
    ("create_project", "/projects/{id}", Some("id")),
    ("add_member", "/projects/{id}/members/{user_id}", Some("user_id")),
    ("invite_member", "/projects/{id}/invitations/{invitation_id}", Some("id")),
    ("invite_member", "/invitations/{invitation_id}", Some("id")),
    ("issue_key", "/projects/{id}/api-keys/{key_id}", Some("id")),
    ("add_provider", "/projects/{id}/providers/{provider_id}", Some("id")),
    ("add_secret", "/projects/{id}/secrets/{secret_id}", Some("id")),
    ("set_project_budget", "/projects/{id}/budget", None),
    ("create_agent", "/agents/{id}", Some("id")),
    ("publish_version", "/agents/{id}/versions/{number}", Some("number")),
    ("set_agent_budget", "/agents/{id}/budget", None),
    ("execute_agent", "/runs/{id}", Some("id")),
    ("retry_run", "/runs/{id}", Some("id")),
    ("fork_run", "/runs/{id}", Some("id")),
];

/// Adds the links to every response of the table.
pub(super) fn lead_on(document: &mut OpenApi) {
    for version in [ApiVersion::V1, ApiVersion::V2] {
        for (maker, address, member) in ANSWERS {
            let address = format!("{}{address}", version.base());
            let links = leading(document, version, &address, member);
            let makers = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with(version.base()));
            for operation in makers.flat_map(|(_, item)| operations(item)).filter(|it| is_named(it, maker)) {
                successes(operation).for_each(|answer| answer.links.extend(links.clone()));
            }
        }
    }
}

/// Whether an operation has that name, in either version.
fn is_named(operation: &Operation, name: &str) -> bool {
    operation.operation_id.as_deref().is_some_and(|id| id == name || id.strip_prefix("v2_") == Some(name))
}

fn successes(operation: &mut Operation) -> impl Iterator<Item = &mut Response> {
    let succeeded = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    succeeded.filter_map(|(_, response)| match response {
        RefOr::T(response) => Some(response),
        RefOr::Ref(_) => None,
    })
}

/// The links to every operation at an address and below it, by name.
fn leading(
    document: &OpenApi,
    version: ApiVersion,
    address: &str,
    member: Option<&str>,
) -> BTreeMap<String, RefOr<Link>> {
    let known: Vec<&str> = parameters(address).collect();
    let within = |path: &str| path.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let reachable = |path: &str| within(path) && parameters(path).count() == known.len();
    let mut links = BTreeMap::new();
    for (path, item) in document.paths.paths.iter().filter(|(path, _)| reachable(path)) {
        for operation in described(item) {
            let Some(id) = operation.operation_id.clone() else { continue };
            let mut given: BTreeMap<String, Value> =
                known.iter().map(|name| ((*name).to_owned(), json!(format!("$request.path.{name}")))).collect();
            if let (Some(last), Some(member)) = (known.last(), member) {
                given.insert((*last).to_owned(), json!(format!("$response.body#/{member}")));
            }
            if version == ApiVersion::V2 && is_guarded(operation) && shares_version(address, path) {
                given.insert("If-Match".to_owned(), json!("$response.header.ETag"));
            }
            let mut link = Link::default();
            (link.operation_id, link.parameters) = (id.clone(), given);
            links.insert(id, link.into());
        }
    }
    links
}

/// Whether a change at a path is guarded by the version in the resource's `ETag`. A budget has one of its own.
fn shares_version(address: &str, path: &str) -> bool {
    address.ends_with("/budget") == path.ends_with("/budget")
}

fn is_guarded(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(Parameter { name, parameter_in: ParameterIn::Header, .. }) => name == "If-Match",
        RefOr::T(_) | RefOr::Ref(_) => false,
    })
}

/// The names of an address's parameters, in order.
fn parameters(address: &str) -> impl Iterator<Item = &str> {
    address.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn described(item: &PathItem) -> impl Iterator<Item = &Operation> {
    [&item.get, &item.post, &item.put, &item.patch, &item.delete].into_iter().flatten()
}
