//! Every response of version 1 names the address in version 2, and when version 1 retires.

use std::{sync::Arc, time::Duration};

use actix_web::http::Method;
use devskyy_api::{Limiter, Limits, Retirement, openapi};
use serde_json::{Value, json};

use crate::world::{Answer, World};

const ID: &str = "01938f2e-0000-7000-8000-000000000000";

/// `Deprecation` and `Sunset` of a response to a signed-in user.
async fn announced(world: &World, path: &str) -> (String, String) {
    let ada = world.person("ada").await;
    let answer = world.get(path).by(&ada).send().await;
    (answer.header("deprecation").to_owned(), answer.header("sunset").to_owned())
}

fn retiring() -> World {
    let mut world = World::new();
    world.state.settings.retirement = Retirement {
        deprecated_at: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        sunset_at: Some("2028-01-01T12:00:00Z".parse().unwrap()),
    };
    world
}

#[actix_web::test]
async fn version_1_announces_its_retirement_when_it_has_dates() {
    let dates = ("@1798761600".to_owned(), "Sat, 01 Jan 2028 12:00:00 GMT".to_owned());
    assert_eq!(announced(&retiring(), "/api/v1/auth/me").await, dates);
    assert_eq!(announced(&World::new(), "/api/v1/auth/me").await, Default::default());
}

#[actix_web::test]
async fn a_refusal_of_version_1_leads_on_and_announces_as_other_answers_do() {
    let world = retiring();
    let id = ID;
    let ada = world.person("ada").await;
    let answer = world.get(&format!("/api/v1/agents/{id}")).by(&ada).send().await;
    answer.refused(404, "not_found");
    assert_eq!(answer.header("link"), format!("</api/v2/agents/agt_{id}>; rel=\"successor-version\""));
    assert_eq!(answer.header("deprecation"), "@1798761600");
}

#[actix_web::test]
async fn what_no_route_of_version_1_takes_announces_its_retirement_too() {
    let world = retiring();
    world.get("/api/v1/nothing").send().await.refused(404, "request.route_not_found");
    assert_eq!(announced(&world, "/api/v1/nothing").await.0, "@1798761600");
}

#[actix_web::test]
async fn a_method_that_version_1_does_not_take_leads_on_to_the_same_address() {
    let answer = retiring().call(Method::PUT, "/api/v1/agents").send().await;
    answer.refused(405, "request.method_not_allowed");
    let told = ["link", "deprecation"].map(|name| answer.header(name).to_owned());
    assert_eq!(told, ["</api/v2/agents>; rel=\"successor-version\"", "@1798761600"]);
}

#[actix_web::test]
async fn version_2_announces_no_retirement() {
    assert_eq!(announced(&retiring(), "/api/v2/auth/me").await, Default::default());
}

#[actix_web::test]
async fn version_2_has_no_successor() {
    let world = World::new();
    let ada = world.person("ada").await;
    assert_eq!(world.get("/api/v2/auth/me").by(&ada).send().await.header("link"), "");
}

/// Whether a response has the headers of every response about agents.
#[track_caller]
fn leads_on(answer: &Answer, status: u16, code: &str) {
    answer.refused(status, code);
    let told = ["link", "deprecation", "sunset"].map(|name| answer.header(name).to_owned());
    let link = "</api/v2/agents>; rel=\"successor-version\"";
    assert_eq!(told, [link, "@1798761600", "Sat, 01 Jan 2028 12:00:00 GMT"], "{code}");
}

#[actix_web::test]
async fn whoever_asks_too_much_is_led_on() {
    let mut world = retiring();
    world.state.limiter = Arc::new(Limiter::new(Limits { reads: 1, writes: 1, anonymous: 1 }));
    world.get("/api/v1/agents").send().await.refused(401, "unauthenticated");
    leads_on(&world.get("/api/v1/agents").send().await, 429, "rate_limited");
}

#[actix_web::test]
async fn whoever_has_not_signed_in_is_led_on() {
    leads_on(&retiring().get("/api/v1/agents").send().await, 401, "unauthenticated");
    leads_on(&retiring().get("/api/v1/agents").by("forged").send().await, 401, "unauthenticated");
}

#[actix_web::test]
async fn an_address_that_is_too_long_leads_on() {
    let long = format!("/api/v1/agents?name={}", "a".repeat(8_200));
    leads_on(&retiring().get(&long).send().await, 414, "request.address_too_long");
}

#[actix_web::test]
async fn a_body_that_is_too_large_leads_on() {
    let world = retiring();
    let ada = world.person("ada").await;
    let large = json!({"name": "x".repeat(300_000)});
    leads_on(&world.post("/api/v1/agents").by(&ada).json(&large).send().await, 413, "request.body_too_large");
}

#[actix_web::test]
async fn a_repetition_that_is_still_being_answered_leads_on() {
    let world = retiring();
    let ada = world.person("ada").await;
    let send = || {
        let call = world.post("/api/v1/agents").by(&ada).header("idempotency-key", "order-4711");
        call.json(&json!({"name": "Greeter", "type": "workflow"})).send()
    };
    world.moody.hold();
    let again = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let again = send().await;
        world.moody.let_go();
        again
    };
    let (_, again) = tokio::join!(send(), again);
    leads_on(&again, 409, "idempotency.in_flight");
}

#[actix_web::test]
async fn an_answer_that_a_browser_asks_for_leads_on_too() {
    let world = retiring();
    let answer = world.call(Method::OPTIONS, "/api/v1/agents").send().await;
    leads_on(&answer, 405, "request.method_not_allowed");
}

#[actix_web::test]
async fn an_id_that_is_none_leads_nowhere() {
    let answer = retiring().get("/api/v1/agents/7").send().await;
    assert_eq!((answer.header("link"), answer.header("deprecation")), ("", "@1798761600"));
}

#[actix_web::test]
async fn what_only_begins_like_version_1_announces_nothing() {
    let answer = retiring().get("/api/v10/agents").send().await;
    assert_eq!((answer.header("link"), answer.header("deprecation")), ("", ""));
}

/// An address of version 2 as in the document, with ids of the kinds it names.
fn typed(document: &Value, path: &str, operation: &Value) -> String {
    let parameter = |name: &str| {
        let parameters = operation["parameters"].as_array().unwrap();
        let schema = &parameters.iter().find(|it| it["name"] == name && it["in"] == "path").unwrap()["schema"];
        let Some(kind) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) else {
            return "1".to_owned();
        };
        let pattern = document["components"]["schemas"][kind]["pattern"].as_str().unwrap();
        format!("{}_{ID}", pattern.trim_start_matches('^').split('_').next().unwrap())
    };
    let segment = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => parameter(name),
        None => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[actix_web::test]
async fn every_operation_of_version_1_leads_to_the_same_one_of_version_2() {
    let (world, document) = (World::new(), serde_json::to_value(openapi()).unwrap());
    let mut wrong = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(below) = path.strip_prefix("/api/v2") else { continue };
        for (method, operation) in item.as_object().unwrap() {
            let wanted = format!("<{}>; rel=\"successor-version\"", typed(&document, path, operation));
            let bare = |part: &str| match part.strip_prefix('{') {
                Some("number}" | "hash}") => "1".to_owned(),
                Some(_) => ID.to_owned(),
                None => part.to_owned(),
            };
            let one = format!("/api/v1{}", below.split('/').map(bare).collect::<Vec<_>>().join("/"));
            let answer = world.call(method.to_uppercase().parse().unwrap(), &one).send().await;
            if answer.header("link") != wanted {
                wrong.push(format!("{method} {one}: {}", answer.header("link")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
