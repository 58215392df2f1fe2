//! Every change in version 2 names the state it applies to (`If-Match`); without it, it is refused.

use serde_json::{Value, json};

use super::{
    Cell, Documented, OPERATIONS, Operation, Place, Rule, TestRequest, Who, document, documented, on, rule_of,
};

/// Changes in version 2 that take no `If-Match`, and why.
const EXCUSED: [(&str, &str); 11] = [
    ("log_in", "begins a sign-in, and changes none"),
    ("refresh", "the refresh token is the condition: it is good for one state of the sign-in"),
    ("log_out", "a sign-in has no version, and ends once"),
    ("end_session", "a sign-in has no version, and ends once"),
    ("change_password", "the present password is the condition"),
    ("invite", "begins an invitation, and changes none; nothing shows it again"),
    ("invite_member", "begins an invitation, and changes none"),
    ("withdraw_invitation", "an invitation can be changed in one state only; in every other the answer is 409"),
    ("accept_invitation", "an invitation can be changed in one state only; in every other the answer is 409"),
    ("decline_invitation", "an invitation can be changed in one state only; in every other the answer is 409"),
    ("test_provider", "changes nothing"),
];

/// The header parameters of an operation, and whether they are required.
fn headers(operation: &Value) -> impl Iterator<Item = (&str, bool)> {
    let parameters = operation["parameters"].as_array().into_iter().flatten().filter(|it| it["in"] == "header");
    parameters.map(|it| (it["name"].as_str().unwrap(), it["required"] == true))
}

/// Whether an operation creates something, which has no earlier state.
fn makes(operation: &Value) -> bool {
    let made = |status: &str| operation["responses"][status]["headers"].get("Location").is_some();
    let repeatable = headers(operation).any(|(name, _)| name == "Idempotency-Key");
    repeatable && (made("201") || made("202"))
}

/// What is wrong with one operation of version 2, if anything.
fn finding(id: &str, operation: &Value) -> Option<String> {
    let excused = EXCUSED.iter().any(|(known, _)| *known == id);
    let guard = headers(operation).find(|(name, _)| *name == "If-Match");
    let says = |status: &str| operation["responses"].get(status).is_some();
    match guard {
        Some(_) if excused => Some(format!("`{id}` takes `If-Match` and needs no excuse")),
        Some((_, false)) => Some(format!("`{id}` leaves `If-Match` to the client")),
        Some(_) if !says("412") || !says("428") => Some(format!("`{id}` does not say how `If-Match` is refused")),
        Some(_) => {
            let untagged = ["200", "201"].into_iter().filter(|status| says(status));
            let untagged = untagged.filter(|status| operation["responses"][status]["headers"].get("ETag").is_none());
            let untagged: Vec<_> = untagged.collect();
            (!untagged.is_empty()).then(|| format!("`{id}` answers {untagged:?} without the new state's `ETag`"))
        }
        None if excused || makes(operation) => None,
        None => Some(format!("`{id}` changes something, takes no `If-Match` and has no excuse")),
    }
}

/// What is wrong with the conditions of version 2.
fn findings(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (_, item) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/api/v2/")) {
        for (_, operation) in item.as_object().unwrap().iter().filter(|(method, _)| *method != "get") {
            let id = operation["operationId"].as_str().unwrap();
            found.extend(finding(id.strip_prefix("v2_").unwrap(), operation));
        }
    }
    let known = |id: &str| OPERATIONS.iter().any(|operation| operation.id == id);
    found.extend(EXCUSED.iter().filter(|(id, _)| !known(id)).map(|(id, _)| format!("`{id}` is no operation")));
    found
}

#[test]
fn whatever_changes_something_in_version_2_says_which_state_it_means() {
    assert_eq!(findings(&document()), Vec::<String>::new());
}

/// What is wrong once an operation is added to the document.
fn found_with(path: &str, method: &str, operation: Value) -> Vec<String> {
    let mut document = document();
    document["paths"][path][method] = operation;
    findings(&document)
}

#[test]
fn a_change_that_asks_for_no_state_is_caught() {
    let offender = json!({"operationId": "v2_grant_wish", "responses": {"200": {"headers": {"ETag": {}}}}});
    let found = found_with("/api/v2/wishes/{id}", "patch", offender);
    assert_eq!(found, ["`grant_wish` changes something, takes no `If-Match` and has no excuse"]);
}

#[test]
fn a_change_that_leaves_the_state_to_the_client_is_caught() {
    let guard = json!([{"name": "If-Match", "in": "header", "required": false}]);
    let offender = json!({"operationId": "v2_grant_wish", "parameters": guard, "responses": {"412": {}, "428": {}}});
    assert_eq!(found_with("/api/v2/wishes/{id}", "put", offender), ["`grant_wish` leaves `If-Match` to the client"]);
}

#[test]
fn a_change_that_hides_how_it_is_refused_is_caught() {
    let guard = json!([{"name": "If-Match", "in": "header", "required": true}]);
    let offender = json!({"operationId": "v2_grant_wish", "parameters": guard, "responses": {"412": {}}});
    let found = found_with("/api/v2/wishes/{id}", "delete", offender);
    assert_eq!(found, ["`grant_wish` does not say how `If-Match` is refused"]);
}

#[test]
fn a_change_that_does_not_tell_the_new_state_is_caught() {
    let guard = json!([{"name": "If-Match", "in": "header", "required": true}]);
    let responses = json!({"200": {}, "412": {}, "428": {}});
    let offender = json!({"operationId": "v2_grant_wish", "parameters": guard, "responses": responses});
    let found = found_with("/api/v2/wishes/{id}", "patch", offender);
    assert_eq!(found, ["`grant_wish` answers [\"200\"] without the new state's `ETag`"]);
}

#[test]
fn an_excuse_that_is_not_needed_is_caught() {
    let mut document = document();
    let guard = json!([{"name": "If-Match", "in": "header", "required": true}]);
    document["paths"]["/api/v2/auth/logout"]["post"]["parameters"] = guard;
    assert_eq!(findings(&document), ["`log_out` takes `If-Match` and needs no excuse"]);
}

/// A caller that may do everything with this rule.
const fn whoever_may(rule: Rule) -> Who {
    match rule {
        Rule::Platform(_) => Who::Admin,
        Rule::Invited => Who::INVITED,
        Rule::Public | Rule::SignedIn | Rule::Person | Rule::Project(_) | Rule::PersonInProject(_) => Who::Owner,
    }
}

/// Sends requests without a state and with one that never existed; returns those that are not refused.
async fn unguarded(
    ask: impl AsyncFn(TestRequest) -> u16,
    place: &Place,
    operation: &Documented,
    row: &Operation,
) -> Vec<String> {
    let cell = Cell { operation, row, who: whoever_may(row.rule) };
    let mut found = Vec::new();
    for (state, wanted) in [(None, 428), (Some("\"999999\""), 412), (Some("\"998\", \"999-0badcafe\""), 412)] {
        let before = place.world.head().await;
        let request = cell.unconditional(place);
        let request = match state {
            Some(state) => request.append_header(("if-match", state)),
            None => request,
        };
        let status = ask(request).await;
        if status != wanted || place.world.head().await != before {
            found.push(format!("{cell} meaning {state:?}: {wanted} expected, {status} given"));
        }
    }
    found
}

#[actix_web::test]
async fn whoever_means_no_state_or_a_stale_one_changes_nothing_in_version_2() {
    let place = Place::new(true).await;
    let document = document();
    let ask = async |request| super::status(place.world.ask(request).await);
    let (mut asked, mut found) = (0, Vec::new());
    for operation in documented(&document).iter().filter(|it| it.path.starts_with("/api/v2/")) {
        let described = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        let guarded = headers(described).any(|(name, _)| name == "If-Match");
        if let Some(row) = rule_of(&operation.id).filter(|_| guarded) {
            found.extend(unguarded(&ask, &place, operation, row).await);
            asked += 1;
        }
    }
    assert!(found.is_empty() && asked > 30, "{asked} asked\n{}", found.join("\n"));
}

#[actix_web::test]
async fn an_endpoint_that_forgets_the_state_is_caught() {
    let place = Place::new(false).await;
    let operation = Documented {
        id: "offend".to_owned(),
        method: actix_web::http::Method::PATCH,
        path: "/api/v2/projects/{id}".to_owned(),
        proofs: std::collections::BTreeSet::new(),
    };
    let careless = async |_| 200;
    assert_eq!(unguarded(careless, &place, &operation, &on("offend", Rule::Person)).await.len(), 3);
}
