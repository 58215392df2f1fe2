use serde_json::json;

use crate::world::World;

async fn refusal(body: &[u8]) -> (World, crate::world::Answer) {
    let world = World::new();
    let ada = world.person("ada").await;
    let head = world.head().await;
    let call = world.post("/api/v1/agents").by(&ada).header("content-type", "application/json");
    let answer = call.raw(body).send().await;
    assert_eq!(world.head().await, head, "a refused request changes nothing");
    (world, answer)
}

#[actix_web::test]
async fn what_is_not_json_is_refused() {
    for body in ["", "{", "nonsense", "{\"name\": \"a\"} trailing", "{\"name\": 'a'}", "{\"a\": 1,}", "NaN"] {
        refusal(body.as_bytes()).await.1.refused(400, "request.malformed_json");
    }
}

#[actix_web::test]
async fn what_is_not_utf_8_is_refused() {
    refusal(b"{\"name\": \"\xff\xfe\"}").await.1.refused(400, "request.malformed_json");
}

#[actix_web::test]
async fn a_member_that_occurs_twice_is_refused() {
    let body = br#"{"name": "Greeter", "type": "workflow", "name": "Herald"}"#;
    refusal(body).await.1.refused_at(400, "request.duplicate_member", "/name");
}

#[actix_web::test]
async fn a_member_that_occurs_twice_deep_inside_is_refused() {
    let body = br#"{"name": "Greeter", "type": "workflow", "definition": {"steps": [{"id": "a", "id": "b"}]}}"#;
    refusal(body).await.1.refused_at(400, "request.duplicate_member", "/definition/steps/0/id");
}

#[actix_web::test]
async fn an_unknown_member_is_refused() {
    let body = br#"{"name": "Greeter", "type": "workflow", "colour": "red"}"#;
    refusal(body).await.1.refused_at(422, "request.unknown_member", "/colour");
}

#[actix_web::test]
async fn a_missing_member_is_named() {
    refusal(br#"{"name": "Greeter"}"#).await.1.refused_at(422, "request.missing_member", "/type");
}

#[actix_web::test]
async fn a_member_of_the_wrong_type_is_named_and_its_value_stays_here() {
    let answer =
        refusal(br#"{"name": "Greeter", "type": "workflow", "capabilities": ["a", {"secret": "hunter2"}]}"#).await.1;
    answer.refused_at(422, "request.wrong_type", "/capabilities/1");
    assert!(!answer.text().contains("hunter2"));
}

#[actix_web::test]
async fn anything_but_an_object_is_refused() {
    for body in ["[]", "null", "7", "\"text\""] {
        refusal(body.as_bytes()).await.1.refused_at(422, "request.wrong_type", "");
    }
}

#[actix_web::test]
async fn nul_is_refused() {
    let body = br#"{"name": "Gre\u0000eter", "type": "workflow"}"#;
    refusal(body).await.1.refused_at(400, "request.nul_character", "/name");
}

#[actix_web::test]
async fn nesting_beyond_the_limit_is_refused() {
    let body =
        format!(r#"{{"name": "Greeter", "type": "workflow", "definition": {}{}}}"#, "[".repeat(40), "]".repeat(40));
    refusal(body.as_bytes()).await.1.refused(400, "request.too_deep");
}

#[actix_web::test]
async fn a_body_beyond_the_limit_is_refused() {
    let body = json!({"name": "Greeter", "type": "workflow", "description": "x".repeat(300_000)});
    let problem = refusal(body.to_string().as_bytes()).await.1.refused(413, "request.body_too_large");
    assert!(problem["detail"].as_str().unwrap().contains("262144"), "{problem}");
}

#[actix_web::test]
async fn another_media_type_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    for kind in ["text/plain", "application/xml", "application/json; charset=latin1", "application/jsonp"] {
        let call = world.post("/api/v1/projects").by(&ada).header("content-type", kind);
        call.raw(br#"{"name": "Supply chain"}"#).send().await.refused(415, "request.unsupported_media_type");
    }
    let call = world.post("/api/v1/projects").by(&ada).raw(br#"{"name": "Supply chain"}"#);
    call.send().await.refused(415, "request.unsupported_media_type");
}

#[actix_web::test]
async fn a_charset_of_utf_8_is_fine() {
    let world = World::new();
    let ada = world.person("ada").await;
    let call = world.post("/api/v1/projects").by(&ada).header("content-type", "application/json; charset=UTF-8");
    call.raw(br#"{"name": "Supply chain"}"#).send().await.expect(201);
}

#[actix_web::test]
async fn a_body_that_may_be_left_out_may_be_empty_whatever_it_says_it_is() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let cancel = async |kind: &str, body: &[u8]| {
        let run = world.post(&agent).by(&ada).json(&json!({})).send().await.expect(202);
        let path = format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap());
        world.post(&path).by(&ada).header("content-type", kind).raw(body).send().await
    };
    cancel("application/json", b"").await.expect(200);
    cancel("text/plain", b"").await.expect(200);
    cancel("text/plain", b"{}").await.refused(415, "request.unsupported_media_type");
}
