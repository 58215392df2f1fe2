use actix_web::{dev::Service, http::Method, test::TestRequest, web};
use devskyy_api::{Network, app};

use crate::world::World;

#[actix_web::test]
async fn an_unknown_address_is_a_problem() {
    World::new().get("/api/v1/nothing").send().await.refused(404, "request.route_not_found");
    World::new().get("/nothing").send().await.refused(404, "request.route_not_found");
}

#[actix_web::test]
async fn a_method_that_is_not_there_is_told_what_is() {
    let world = World::new();
    let answer = world.call(Method::PUT, "/api/v1/agents").send().await;
    answer.refused(405, "request.method_not_allowed");
    assert_eq!(answer.header("allow"), "GET, HEAD, POST");
    let one = "/api/v1/agents/01938f2e-0000-7000-8000-000000000000";
    assert_eq!(world.call(Method::DELETE, one).send().await.header("allow"), "GET, HEAD, PATCH");
}

#[actix_web::test]
async fn a_sane_request_id_is_echoed_and_any_other_replaced() {
    let world = World::new();
    let answer = world.get("/health/live").header("x-request-id", "order-17").send().await;
    assert_eq!(answer.header("x-request-id"), "order-17");
    let answer = world.get("/health/live").header("x-request-id", "a b").send().await;
    assert_eq!(answer.header("x-request-id").len(), 36);
    let answer = world.get("/nothing").header("x-request-id", "order-18").send().await;
    assert_eq!(answer.refused(404, "request.route_not_found")["request_id"], "order-18");
}

#[actix_web::test]
async fn the_caller_and_their_trace_are_stored_with_the_events() {
    let world = World::new();
    let ada = world.person("ada").await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let call = world.post("/api/v1/projects").by(&ada).header("traceparent", trace);
    call.json(&serde_json::json!({"name": "Supply chain"})).send().await.expect(201);
    let event = world.store.events().pop().unwrap();
    assert_eq!(event.context.traceparent.as_deref(), Some(trace));
    assert!(event.context.actor.starts_with("user:"), "{:?}", event.context);
}

#[actix_web::test]
async fn a_request_id_is_echoed_and_correlates_nothing() {
    let world = World::new();
    let (ada, id) = (world.person("ada").await, "01938f2e-0000-7000-8000-00000000abcd");
    let call = world.post("/api/v1/projects").by(&ada).header("x-request-id", id);
    let answer = call.json(&serde_json::json!({"name": "Supply chain"})).send().await;
    assert_eq!(answer.header("x-request-id"), id);
    assert_ne!(world.store.events().pop().unwrap().context.correlation_id.to_string(), id);
}

/// The headers of every response.
const HARMLESS: [(&str, &str); 9] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-dns-prefetch-control", "off"),
    ("server", ""),
];

#[actix_web::test]
async fn every_answer_is_harmless_wherever_it_is_shown() {
    let world = World::new();
    for path in ["/health", "/nothing", "/api/v1/agents", "/docs", "/docs/", "/docs/errors", "/openapi.json"] {
        let answer = world.get(path).send().await;
        for (name, value) in HARMLESS {
            assert_eq!(answer.header(name), value, "{name} of {path}");
        }
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}

#[actix_web::test]
async fn answers_that_name_people_are_kept_nowhere() {
    let world = World::new();
    let ada = world.person("ada").await;
    assert_eq!(world.get("/api/v1/auth/me").by(&ada).send().await.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn browsers_are_told_to_come_back_over_tls_only_where_they_came_so() {
    assert_eq!(World::new().get("/health/live").send().await.header("strict-transport-security"), "");
    let mut world = World::new();
    world.state.settings.over_tls = true;
    for path in ["/health/live", "/nothing"] {
        let header = world.get(path).send().await.header("strict-transport-security").to_owned();
        assert!(header.starts_with("max-age=63072000"), "{path}: {header}");
    }
}

#[actix_web::test]
async fn a_trusted_proxy_says_who_came_over_tls_and_nobody_else_does() {
    let mut world = World::new();
    world.state.settings.trusted_proxies = Network::parse("10.0.0.0/8").into_iter().collect();
    let mut told = Vec::new();
    for (peer, header) in [
        ("10.0.0.1:80", ("x-forwarded-proto", "https")),
        ("10.0.0.1:80", ("x-forwarded-proto", "https, http")),
        ("10.0.0.1:80", ("forwarded", "for=192.0.2.7;proto=\"https\", for=10.0.0.2;proto=http")),
        ("10.0.0.1:80", ("x-forwarded-proto", "http")),
        ("10.0.0.1:80", ("forwarded", "for=192.0.2.7")),
        ("192.0.2.7:80", ("x-forwarded-proto", "https")),
    ] {
        let request = TestRequest::get().uri("/health/live").peer_addr(peer.parse().unwrap()).append_header(header);
        let answer = world.ask(request).await.unwrap();
        told.push(answer.headers().contains_key("strict-transport-security"));
    }
    assert_eq!(told, [true, true, true, false, false, false]);
}

#[actix_web::test]
async fn an_address_that_is_too_long_is_refused() {
    let path = format!("/api/v1/agents?q={}", "a".repeat(8_200));
    let answer = World::new().get(&path).send().await;
    answer.refused(414, "request.address_too_long");
    assert!(!answer.header("ratelimit").is_empty(), "it is counted");
}

#[actix_web::test]
async fn a_panic_is_a_problem_too() {
    let world = World::new();
    let broken = app(&world.state).route("/broken", web::get().to(|| async { panics() }));
    let service = actix_web::test::init_service(broken).await;
    let error = service.call(TestRequest::get().uri("/broken").to_request()).await.unwrap_err();
    let response = error.error_response();
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers().get("x-content-type-options").unwrap(), "nosniff");
    let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((problem["code"].as_str(), problem["request_id"].is_string()), (Some("internal"), true), "{problem}");
    assert!(!problem.to_string().contains("the cat"), "{problem}");
}

fn panics() -> &'static str {
    panic!("the cat is out of the bag")
}

#[actix_web::test]
async fn health_says_how_the_platform_is() {
    let world = World::new();
    let health = world.get("/health").send().await.expect(200);
    assert_eq!((health["status"].as_str(), health["version"].is_string()), (Some("healthy"), true));
    world.get("/health/ready").send().await.expect(200);
    world.break_database();
    assert_eq!(world.get("/health").send().await.expect(200)["status"], "degraded");
    let ready = world.get("/health/ready").send().await.expect(503);
    assert_eq!(
        (ready["checks"][0]["name"].as_str(), ready["checks"][0]["ok"].as_bool()),
        (Some("database"), Some(false))
    );
    assert_eq!(world.get("/health/live").send().await.expect(200)["status"], "live");
}

#[actix_web::test]
async fn what_is_wrong_beside_requests_is_told_and_sends_no_request_elsewhere() {
    let world = World::new();
    world.break_background();
    let ready = world.get("/health/ready").send().await.expect(200);
    let check = ready["checks"].as_array().unwrap().iter().find(|check| check["ok"] == false).unwrap();
    assert_eq!((ready["status"].as_str(), check["name"].as_str()), (Some("degraded"), Some("subscriptions")));
}

#[actix_web::test]
async fn head_is_answered_like_get() {
    let answer = World::new().call(Method::HEAD, "/health/live").send().await;
    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn large_answers_are_compressed_for_those_who_can_read_them() {
    let answer = World::new().get("/openapi.json").header("accept-encoding", "gzip").send().await;
    assert_eq!(answer.header("content-encoding"), "gzip");
}

#[actix_web::test]
async fn the_documentations_addresses_say_which_methods_they_take() {
    let world = World::new();
    for path in ["/openapi.json", "/docs", "/docs/", "/docs/errors", "/docs/swagger-ui.css"] {
        let answer = world.post(path).send().await;
        answer.refused(405, "request.method_not_allowed");
        assert_eq!(answer.header("allow"), "GET, HEAD", "{path}");
    }
}
