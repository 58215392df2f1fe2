//! Every operation of the document × every kind of caller, against the written table.
//!
//! The rules are in `operations.rs`. A denied request must also have changed nothing.

mod culprits;
mod guards;
mod operations;
mod owners;
mod place;
mod reads;

use std::{collections::BTreeSet, fmt};

use actix_web::{Error, body::BoxBody, dev::ServiceResponse, http::Method, test::TestRequest};
use devskyy_api::openapi;
use devskyy_application::access::{Permission, allows, allows_on_platform};
use serde_json::{Value, json};

use self::{
    operations::{OPERATIONS, Operation, Rule, on},
    place::{Place, Who},
};

/// What a response shows about the caller's permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Unauthenticated,
    Hidden,
    Forbidden,
    Allowed,
    /// The request itself is wrong, or the platform failed: the response does not show whether the caller may do it.
    Unclear(u16),
}

impl Verdict {
    const fn of(status: u16) -> Self {
        match status {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::Hidden,
            200..=399 | 409 => Self::Allowed,
            other => Self::Unclear(other),
        }
    }
}

/// The verdict of the table.
fn expected(rule: Rule, who: Who) -> Verdict {
    match rule {
        Rule::Public => Verdict::Allowed,
        _ if who == Who::Anonymous => Verdict::Unauthenticated,
        Rule::SignedIn => Verdict::Allowed,
        Rule::Person if who.is_key() => Verdict::Forbidden,
        Rule::Person => Verdict::Allowed,
        Rule::Platform(permission) if !who.is_key() && allows_on_platform(who.platform_role(), permission) => {
            Verdict::Allowed
        }
        Rule::Platform(_) => Verdict::Forbidden,
        Rule::Invited if who.is_key() => Verdict::Forbidden,
        Rule::Invited if who == Who::INVITED => Verdict::Allowed,
        Rule::Invited => Verdict::Hidden,
        Rule::Project(permission) => in_project(permission, who, permission.suits_keys()),
        Rule::PersonInProject(permission) => in_project(permission, who, false),
    }
}

fn in_project(permission: Permission, who: Who, takes_keys: bool) -> Verdict {
    let may = |permission| allows(who.platform_role(), who.role(), permission);
    let in_scope = who.scopes().is_none_or(|scopes| takes_keys && scopes.contains(permission.as_str()));
    match (may(Permission::ProjectsRead), may(permission) && in_scope) {
        (false, _) => Verdict::Hidden,
        (true, false) => Verdict::Forbidden,
        (true, true) => Verdict::Allowed,
    }
}

/// An operation of the document.
struct Documented {
    id: String,
    method: Method,
    path: String,
    /// The accepted credentials; none for public operations.
    proofs: BTreeSet<String>,
}

fn documented(document: &Value) -> Vec<Documented> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let proofs = operation["security"].as_array().into_iter().flatten();
            found.push(Documented {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                proofs: proofs.flat_map(|it| it.as_object().unwrap().keys().cloned()).collect(),
            });
        }
    }
    found
}

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

fn rule_of(id: &str) -> Option<&'static Operation> {
    let in_any_version = id.strip_prefix("v2_").unwrap_or(id);
    OPERATIONS.iter().find(|operation| operation.id == in_any_version)
}

/// Operations without a rule, and rules without an operation.
fn unmatched(document: &Value) -> Vec<String> {
    let known: Vec<String> = documented(document).into_iter().map(|it| it.id).collect();
    let missing = known.iter().filter(|id| rule_of(id).is_none()).map(|id| format!("`{id}` has no rule"));
    let stale = OPERATIONS.iter().filter(|it| !known.iter().any(|id| id == it.id));
    missing.chain(stale.map(|it| format!("`{}` is no operation", it.id))).collect()
}

/// One cell of the matrix.
struct Cell<'a> {
    operation: &'a Documented,
    row: &'a Operation,
    who: Who,
}

impl Cell<'_> {
    /// The smallest valid request.
    fn request(&self, place: &Place) -> TestRequest {
        let request = self.unconditional(place);
        if self.operation.method == Method::GET { request } else { request.append_header(("if-match", "*")) }
    }

    /// The same without `If-Match`.
    fn unconditional(&self, place: &Place) -> TestRequest {
        let mut below = "";
        let mut address = Vec::new();
        for part in self.operation.path.split('/') {
            let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            address.push(name.map_or_else(|| part.to_owned(), |name| self.parameter(place, name, below)));
            below = part;
        }
        let query = self.row.query.map(|query| self.typed(place, format!("?{}", query(place)))).unwrap_or_default();
        let mut request = TestRequest::default().method(self.operation.method.clone());
        request = request.uri(&format!("{}{query}", address.join("/")));
        if let Some(token) = place.token(self.who) {
            request = request.append_header(("authorization", format!("Bearer {token}")));
        }
        match self.row.body {
            Some(body) => request
                .append_header(("content-type", "application/json"))
                .set_payload(self.typed(place, body(place, self.who).to_string())),
            None => request,
        }
    }

    fn is_second(&self) -> bool {
        self.operation.path.starts_with("/api/v2/")
    }

    fn parameter(&self, place: &Place, name: &str, below: &str) -> String {
        let id = place.parameter(name, below, self.who);
        let kind = if self.is_second() { kind(name, below) } else { "" };
        format!("{kind}{id}")
    }

    /// A text with its ids in the form of the version.
    fn typed(&self, place: &Place, text: String) -> String {
        if !self.is_second() {
            return text;
        }
        let (project, guest) = (format!("prj_{}", place.project), format!("usr_{}", place.guest));
        text.replace(&place.project, &project).replace(&place.guest, &guest)
    }
}

/// The prefix of a path's id in version 2.
fn kind(name: &str, below: &str) -> &'static str {
    match (name, below) {
        ("id", "projects") => "prj_",
        ("id", "agents") => "agt_",
        ("id", "runs") => "run_",
        ("id", "users") | ("user_id", _) => "usr_",
        ("key_id", _) => "key_",
        ("provider_id", _) => "prv_",
        ("secret_id", _) => "sct_",
        ("session_id", _) => "ses_",
        ("invitation_id", _) => "inv_",
        ("approval_id", _) => "apr_",
        ("operation_id", _) => "op_",
        _ => "",
    }
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Documented { id, method, path, .. } = self.operation;
        write!(f, "{:?} {id} ({method} {path}, {:?})", self.who, self.row.rule)
    }
}

/// The status of a service's response.
fn status(outcome: Result<ServiceResponse<BoxBody>, Error>) -> u16 {
    let status = outcome.map_or_else(|error| error.as_response_error().status_code(), |answer| answer.status());
    status.as_u16()
}

/// Sends the request as every caller, the denied ones first; reports violations of the table and requests none can do.
async fn judge(
    ask: impl AsyncFn(TestRequest) -> u16,
    place: &Place,
    operation: &Documented,
    row: &Operation,
) -> Vec<String> {
    let (mut findings, done) = judge_each(ask, place, operation, row).await;
    let excused = NEVER_DONE.iter().any(|(id, _)| *id == row.id);
    if !done && !excused {
        findings.push(format!("{} ({:?}): nobody's request was ever carried out", operation.id, row.rule));
    }
    if done && excused {
        findings.push(format!("{}: needs no excuse", operation.id));
    }
    findings
}

/// Operations that conflict with the state of the place for every permitted caller, and why.
const NEVER_DONE: [(&str, &str); 2] = [
    ("retry_run", "the run waits for people, and only one that has ended is made again"),
    ("fork_run", "nobody knows what became of one of the run's calls, and another run could make it a second time"),
];

/// The violations of the table, and whether any caller's request succeeded.
async fn judge_each(
    ask: impl AsyncFn(TestRequest) -> u16,
    place: &Place,
    operation: &Documented,
    row: &Operation,
) -> (Vec<String>, bool) {
    let mut everybody = Who::ALL;
    everybody.sort_by_key(|who| (expected(row.rule, *who) == Verdict::Allowed, *who));
    let (mut findings, mut done) = (Vec::new(), false);
    for who in everybody {
        let cell = Cell { operation, row, who };
        let before = place.world.everything().await;
        let status = ask(cell.request(place)).await;
        done |= (200..300).contains(&status);
        let (wanted, given) = (expected(row.rule, who), Verdict::of(status));
        if given != wanted {
            findings.push(format!("{cell}: {wanted:?} expected, {given:?} given"));
        }
        if wanted != Verdict::Allowed && place.world.everything().await != before {
            findings.push(format!("{cell}: denied, and yet something has changed"));
        }
        place.settle().await;
    }
    (findings, done)
}

#[test]
fn every_operation_has_a_rule() {
    assert_eq!(unmatched(&document()), Vec::<String>::new(), "see docs/how-to/add-a-use-case.md, step 6");
}

#[test]
fn an_operation_without_a_rule_is_named() {
    let mut document = document();
    document["paths"]["/api/v1/wishes"] = json!({"get": {"operationId": "list_wishes"}});
    assert_eq!(unmatched(&document), ["`list_wishes` has no rule"]);
}

/// The credentials that an operation with this rule accepts.
const fn proofs(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::Public => &[],
        Rule::Person | Rule::Platform(_) | Rule::Invited | Rule::PersonInProject(_) => &["bearer"],
        Rule::SignedIn | Rule::Project(_) => &["api_key", "bearer"],
    }
}

#[test]
fn the_document_says_of_every_operation_how_one_proves_who_asks() {
    let wrong = documented(&document()).into_iter().filter_map(|it| {
        let wanted = proofs(rule_of(&it.id)?.rule);
        let said: Vec<&str> = it.proofs.iter().map(String::as_str).collect();
        (said != wanted).then(|| format!("`{}` takes {wanted:?}, not {said:?}", it.id))
    });
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<String>::new(), "see FOR_PEOPLE in crates/api/src/openapi/mod.rs");
}

#[actix_web::test]
async fn whoever_reads_is_judged_by_the_table() {
    let place = Place::new(true).await;
    let ask = async |request| status(place.world.ask(request).await);
    let mut findings = Vec::new();
    for operation in documented(&document()).iter().filter(|it| it.method == Method::GET) {
        if let Some(row) = rule_of(&operation.id) {
            findings.extend(judge(&ask, &place, operation, row).await);
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[actix_web::test]
async fn whoever_changes_something_is_judged_by_the_table() {
    let mut findings = Vec::new();
    for operation in documented(&document()).iter().filter(|it| it.method != Method::GET) {
        if let Some(row) = rule_of(&operation.id) {
            // A place of its own, because allowed requests have changed the last one.
            let place = Place::new(operation.path.contains("/runs/")).await;
            let ask = async |request| status(place.world.ask(request).await);
            findings.extend(judge(ask, &place, operation, row).await);
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
