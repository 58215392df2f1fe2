//! Made-up endpoints that violate the table, and are detected.

use std::collections::BTreeSet;

use actix_web::{
    App, HttpResponse,
    dev::Service as _,
    http::Method,
    test::{TestRequest, init_service},
    web,
};
use devskyy_application::access::{Permission, PlatformPermission};

use super::{Documented, Place, Rule, Verdict, Who, expected, judge, judge_each, on, status};

/// The number of violations of a made-up endpoint that responds to all callers alike.
async fn findings_about(answer: fn() -> HttpResponse, rule: Rule) -> usize {
    let place = Place::new(false).await;
    let service = init_service(App::new().default_service(web::to(move || std::future::ready(answer())))).await;
    let ask = async |request: TestRequest| status(service.call(request.to_request()).await);
    let operation = Documented {
        id: "offend".to_owned(),
        method: Method::GET,
        path: "/api/v1/projects/{id}/offence".to_owned(),
        proofs: BTreeSet::new(),
    };
    judge_each(ask, &place, &operation, &on("offend", rule)).await.0.len()
}

#[actix_web::test]
async fn an_endpoint_that_does_what_it_denies_is_caught() {
    let place = Place::new(false).await;
    let ask = async |_: TestRequest| {
        place.rename_the_guest().await;
        403
    };
    let operation = Documented {
        id: "offend".to_owned(),
        method: Method::GET,
        path: "/api/v1/users/{id}/offence".to_owned(),
        proofs: BTreeSet::new(),
    };
    let rule = Rule::Platform(PlatformPermission::UsersWrite);
    let (findings, _) = judge_each(ask, &place, &operation, &on("offend", rule)).await;
    let changed = findings.iter().filter(|finding| finding.ends_with("something has changed")).count();
    assert_eq!(changed, Who::ALL.iter().filter(|who| expected(rule, **who) != Verdict::Allowed).count());
}

#[actix_web::test]
async fn an_endpoint_that_carries_nothing_out_is_caught() {
    let place = Place::new(false).await;
    let operation = Documented {
        id: "offend".to_owned(),
        method: Method::GET,
        path: "/api/v1/offence".to_owned(),
        proofs: BTreeSet::new(),
    };
    let findings = judge(async |_: TestRequest| 409, &place, &operation, &on("offend", Rule::Public)).await;
    assert_eq!(findings, ["offend (Public): nobody's request was ever carried out"]);
}

#[actix_web::test]
async fn an_endpoint_that_forgets_its_check_is_caught() {
    let denied = |rule| Who::ALL.iter().filter(|who| expected(rule, **who) != Verdict::Allowed).count();
    let rule = Rule::Project(Permission::MembersWrite);
    assert_eq!(findings_about(|| HttpResponse::Ok().finish(), rule).await, denied(rule));
}

#[actix_web::test]
async fn an_endpoint_that_lets_nobody_in_is_caught() {
    let rule = Rule::Project(Permission::ProjectsRead);
    assert!(findings_about(|| HttpResponse::Forbidden().finish(), rule).await > 0);
}

#[actix_web::test]
async fn an_endpoint_that_tells_strangers_what_exists_is_caught() {
    let found = findings_about(|| HttpResponse::Forbidden().finish(), Rule::Project(Permission::KeysIssue)).await;
    let hidden = Who::ALL.iter().filter(|who| {
        let verdict = expected(Rule::Project(Permission::KeysIssue), **who);
        verdict != Verdict::Forbidden
    });
    assert_eq!(found, hidden.count());
}
