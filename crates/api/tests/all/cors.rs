//! Pages of other origins may call only if the operator allows them.

use actix_web::http::Method;
use devskyy_api::Origins;

use crate::world::{Answer, Call, World};

const PAGE: &str = "https://console.example.org";

fn open_to(origin: &str) -> World {
    let mut world = World::new();
    world.state.settings.origins = Origins::of(&[origin.to_owned()]);
    world
}

fn question<'a>(world: &'a World, origin: &str) -> Call<'a> {
    let call = world.call(Method::OPTIONS, "/api/v1/agents").header("origin", origin);
    call.header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,idempotency-key")
}

/// Whether a header that is a list contains a name.
fn names(answer: &Answer, header: &str, name: &str) -> bool {
    answer.header(header).split(", ").any(|listed| listed.eq_ignore_ascii_case(name))
}

#[actix_web::test]
async fn nobody_may_call_from_a_page_unless_the_operator_says_so() {
    let answer = question(&World::new(), PAGE).send().await;
    answer.refused(405, "request.method_not_allowed");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[actix_web::test]
async fn a_page_of_a_listed_origin_may_call() {
    let answer = question(&open_to(PAGE), PAGE).send().await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (204, PAGE));
}

#[actix_web::test]
async fn a_page_is_told_the_methods_of_the_address() {
    let answer = question(&open_to(PAGE), PAGE).send().await;
    assert_eq!(answer.header("access-control-allow-methods"), "GET, HEAD, POST");
}

#[actix_web::test]
async fn a_page_may_send_every_header_the_interface_takes() {
    let answer = question(&open_to(PAGE), PAGE).send().await;
    for name in ["authorization", "content-type", "idempotency-key", "if-match", "x-api-key", "last-event-id"] {
        assert!(names(&answer, "access-control-allow-headers", name), "{name}");
    }
}

#[actix_web::test]
async fn a_page_may_read_every_header_the_interface_gives() {
    let world = open_to(PAGE);
    let answer = world.get("/api/v1/agents").header("origin", PAGE).send().await;
    for name in ["etag", "link", "location", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"] {
        assert!(names(&answer, "access-control-expose-headers", name), "{name}");
    }
}

#[actix_web::test]
async fn a_page_may_read_a_problem_too() {
    let world = open_to(PAGE);
    let answer = world.get("/api/v1/agents").header("origin", PAGE).send().await;
    answer.refused(401, "unauthenticated");
    assert_eq!(
        (answer.header("access-control-allow-origin"), answer.header("vary").to_lowercase().contains("origin")),
        (PAGE, true)
    );
}

#[actix_web::test]
async fn an_origin_is_allowed_only_exactly() {
    let world = open_to(PAGE);
    for origin in ["http://console.example.org", "https://console.example.org.evil.test", "https://example.org", "null"]
    {
        assert_eq!(question(&world, origin).send().await.header("access-control-allow-origin"), "", "{origin}");
    }
}

#[actix_web::test]
async fn no_page_may_call_with_credentials_of_the_browser() {
    for origin in [PAGE, "*"] {
        let answer = question(&open_to(origin), PAGE).send().await;
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{origin}");
    }
}

#[actix_web::test]
async fn a_star_is_open_to_every_page() {
    assert_eq!(question(&open_to("*"), "https://any.test").send().await.header("access-control-allow-origin"), "*");
}

#[actix_web::test]
async fn a_question_about_no_address_is_answered_as_any_request() {
    let world = open_to(PAGE);
    let call = world.call(Method::OPTIONS, "/nothing").header("origin", PAGE);
    call.header("access-control-request-method", "GET").send().await.refused(404, "request.route_not_found");
}

#[actix_web::test]
async fn a_question_needs_no_proof_and_is_not_counted() {
    assert_eq!(question(&open_to(PAGE), PAGE).send().await.header("ratelimit"), "");
}
