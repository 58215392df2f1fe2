//! What was created can be read at its `Location`, by its creator.

use std::collections::BTreeSet;

use devskyy_api::openapi;
use serde_json::{Value, json};

use crate::{
    repeating::{BASES, Creating, Everything},
    world::World,
};

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// The operations of the document that respond with a `Location`, by their names in version 1.
fn telling(document: &Value) -> BTreeSet<String> {
    let items = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let tells = |operation: &&Value| {
        operation["responses"].as_object().unwrap().values().any(|it| it["headers"].get("Location").is_some())
    };
    let ids = items.filter(tells).map(|operation| operation["operationId"].as_str().unwrap());
    ids.map(|id| id.strip_prefix("v2_").unwrap_or(id).to_owned()).collect()
}

/// What is wrong with a location; `None` if it can be read there.
async fn finding(world: &World, reader: &str, id: &str, location: &str) -> Option<String> {
    let status = world.get(location).by(reader).send().await.status;
    (status != 200).then(|| format!("`{id}` says that it is at {location}, which answers {status}"))
}

/// The token of the creator. A new account is created by an anonymous caller, who signs in to it.
async fn reader(all: &Everything, case: &Creating) -> String {
    if case.id != "register" {
        return all.ada.clone();
    }
    let credentials = json!({"email": case.body["email"], "password": case.body["password"]});
    let session = all.world.post("/api/v1/auth/login").json(&credentials).send().await.expect(200);
    session["access_token"].as_str().unwrap().to_owned()
}

/// What is wrong with the returned locations, and with operations that return one and were not tried.
async fn findings(document: &Value, base: &'static str) -> Vec<String> {
    let (all, mut untried, mut found) = (Everything::of(base).await, telling(document), Vec::new());
    for case in all.creating().await.into_iter().filter(|case| telling(document).contains(case.id)) {
        let answer = all.send_under(case.id, &case.path, &case.body).await;
        assert!(answer.status.is_success(), "{}: {}", case.id, answer.text());
        let reader = reader(&all, &case).await;
        found.extend(finding(&all.world, &reader, case.id, answer.header("location")).await);
        untried.remove(case.id);
    }
    found.extend(untried.into_iter().map(|id| format!("`{id}` says where something is and was not tried")));
    found
}

#[actix_web::test]
async fn whatever_was_made_can_be_read_where_it_is_said_to_be() {
    let document = document();
    for base in BASES {
        assert_eq!(findings(&document, base).await, Vec::<String>::new(), "{base}");
    }
}

#[actix_web::test]
async fn an_operation_that_says_where_something_is_and_is_not_tried_is_caught() {
    let mut document = document();
    let responses = json!({"201": {"headers": {"Location": {}}}});
    document["paths"]["/api/v1/wishes"] = json!({"post": {"operationId": "make_wish", "responses": responses}});
    assert_eq!(findings(&document, BASES[0]).await, ["`make_wish` says where something is and was not tried"]);
}

#[actix_web::test]
async fn a_place_where_nothing_can_be_read_is_caught() {
    let world = World::new();
    let ada = world.person("ada").await;
    let sessions = world.get("/api/v1/auth/sessions").by(&ada).send().await.expect(200);
    // A session can be ended at its address, but read only in the list.
    let one = format!("/api/v1/auth/sessions/{}", sessions["items"][0]["id"].as_str().unwrap());
    assert!(finding(&world, &ada, "log_in", &one).await.is_some());
}
