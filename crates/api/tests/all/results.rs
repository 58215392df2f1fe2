//! Results that are too large for events, over HTTP.

use serde_json::{Value, json};

use crate::world::World;

const LARGE: usize = 70_000;

/// A world with a user and a run that returned a large text and has ended.
async fn ended() -> (World, String, Value) {
    let world = World::new();
    let ada = world.person("ada").await;
    let run = returned(&world, &ada, "x").await;
    (world, ada, run)
}

/// A user's run that returned a large text of one repeated letter.
async fn returned(world: &World, token: &str, letter: &str) -> Value {
    let steps = json!([{"id": "print", "tool": "jq", "arguments": letter.repeat(LARGE)}]);
    let definition = json!({"steps": steps, "output": {"$jq": ".steps.print.output"}});
    let body = json!({"name": format!("Printer {letter}"), "type": "workflow", "definition": definition});
    let agent = world.post("/api/v1/agents").by(token).json(&body).send().await.expect(201);
    world.work();
    let execute = format!("/api/v1/agents/{}/execute", agent["id"].as_str().unwrap());
    world.post(&execute).by(token).json(&json!({"wait_s": 30})).send().await.expect(200)
}

fn hash(run: &Value) -> &str {
    run["output_stored"]["hash"].as_str().unwrap()
}

fn path(run: &Value, hash: &str) -> String {
    format!("/api/v1/runs/{}/results/{hash}", run["id"].as_str().unwrap())
}

#[actix_web::test]
async fn a_run_shows_where_a_large_output_is_kept() {
    let (_, _, run) = ended().await;
    let stored = &run["output_stored"];
    let beginning = format!("\"{}", "x".repeat(255));
    assert_eq!(
        (&run["output"], &stored["bytes"], &stored["preview"]),
        (&Value::Null, &json!(LARGE + 2), &json!(beginning))
    );
}

#[actix_web::test]
async fn a_step_shows_where_a_large_output_is_kept() {
    let (_, _, run) = ended().await;
    assert_eq!(run["steps"][0]["output_stored"], run["output_stored"]);
}

#[actix_web::test]
async fn a_run_as_it_was_shows_where_a_large_output_is_kept() {
    let (world, ada, run) = ended().await;
    let before = run["version"].as_u64().unwrap() - 1;
    let path = format!("/api/v1/runs/{}?version={before}", run["id"].as_str().unwrap());
    let run = world.get(&path).by(&ada).send().await.expect(200);
    assert_eq!(run["steps"][0]["output_stored"]["bytes"], json!(LARGE + 2));
}

#[actix_web::test]
async fn the_events_of_a_run_name_the_hash() {
    let (world, ada, run) = ended().await;
    let path = format!("/api/v1/runs/{}/events", run["id"].as_str().unwrap());
    let events = world.get(&path).by(&ada).send().await.expect(200);
    let last = events["items"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["data"]["output_hash"], &last["data"]["output_bytes"]), (&json!(hash(&run)), &json!(LARGE + 2)));
}

#[actix_web::test]
async fn a_result_is_answered_as_it_was_kept() {
    let (world, ada, run) = ended().await;
    let answer = world.get(&path(&run, hash(&run))).by(&ada).send().await;
    assert_eq!((answer.header("content-type"), answer.expect(200)), ("application/json", json!("x".repeat(LARGE))));
}

#[actix_web::test]
async fn a_result_is_answered_in_version_2() {
    let (world, ada, run) = ended().await;
    let path = format!("/api/v2/runs/run_{}/results/{}", run["id"].as_str().unwrap(), hash(&run));
    assert_eq!(world.get(&path).by(&ada).send().await.expect(200), json!("x".repeat(LARGE)));
}

#[actix_web::test]
async fn a_result_may_be_cached_by_its_reader_for_ever() {
    let (world, ada, run) = ended().await;
    let answer = world.get(&path(&run, hash(&run))).by(&ada).send().await;
    let tag = format!("\"{}\"", hash(&run));
    let headers = (answer.header("etag"), answer.header("cache-control"));
    assert_eq!(headers, (tag.as_str(), "private, max-age=31536000, immutable"));
}

#[actix_web::test]
async fn a_result_that_is_known_is_not_sent_again() {
    let (world, ada, run) = ended().await;
    let tag = format!("\"{}\"", hash(&run));
    let answer = world.get(&path(&run, hash(&run))).by(&ada).header("if-none-match", &tag).send().await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0));
}

#[actix_web::test]
async fn whoever_knows_a_hash_and_not_the_run_learns_nothing() {
    let (world, _, run) = ended().await;
    let bob = world.person("bob").await;
    let tag = format!("\"{}\"", hash(&run));
    let call = world.get(&path(&run, hash(&run))).by(&bob).header("if-none-match", &tag);
    call.send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn what_others_hold_is_as_absent_as_what_nobody_holds() {
    let (world, ada, run) = ended().await;
    let bob = world.person("bob").await;
    let own = returned(&world, &bob, "y").await;
    let told = async |hash: &str| {
        let problem = world.get(&path(&own, hash)).by(&bob).send().await.refused(404, "not_found");
        problem["detail"].as_str().unwrap().replace(hash, "")
    };
    assert_eq!(told(hash(&run)).await, told(&"0".repeat(64)).await);
    drop(ada);
}

#[actix_web::test]
async fn a_hash_in_another_form_is_malformed() {
    let (world, ada, run) = ended().await;
    let call = world.get(&path(&run, &hash(&run).to_uppercase())).by(&ada);
    call.send().await.refused(400, "request.malformed_id");
}

#[actix_web::test]
async fn a_damaged_result_is_a_failure_and_not_an_answer() {
    let (world, ada, run) = ended().await;
    world.results.damage();
    world.get(&path(&run, hash(&run))).by(&ada).send().await.refused(500, "internal");
}
