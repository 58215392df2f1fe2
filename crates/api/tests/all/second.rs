//! What differs in version 2 from version 1, and that nothing else does.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::world::{World, agent};

/// The agents with these names, the last one newest.
async fn agents(world: &World, token: &str, names: &[&str]) {
    for name in names {
        world.agent(token, name).await;
    }
}

fn names(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_list_goes_on_where_the_cursor_says() {
    let world = World::new();
    let ada = world.person("ada").await;
    agents(&world, &ada, &["One", "Two", "Three"]).await;
    let first = world.get("/api/v2/agents?sort=created_at&limit=2").by(&ada).send().await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = format!("/api/v2/agents?sort=created_at&limit=2&cursor={cursor}");
    let rest = world.get(&rest).by(&ada).send().await.expect(200);
    assert_eq!((names(&first), names(&rest)), (vec!["One".into(), "Two".into()], vec!["Three".into()]));
}

#[actix_web::test]
async fn a_list_that_has_ended_has_no_cursor_and_no_link() {
    let world = World::new();
    let ada = world.person("ada").await;
    agents(&world, &ada, &["One"]).await;
    let answer = world.get("/api/v2/agents?limit=1").by(&ada).send().await;
    let list = answer.expect(200);
    let members: BTreeSet<_> = list.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, BTreeSet::from(["items".to_owned(), "next_cursor".to_owned()]));
    assert!(list["next_cursor"].is_null() && answer.header("link").is_empty(), "{list}");
}

#[actix_web::test]
async fn the_link_of_a_stretch_leads_to_the_next_one() {
    let world = World::new();
    let ada = world.person("ada").await;
    agents(&world, &ada, &["One", "Two"]).await;
    let answer = world.get("/api/v2/agents?limit=1&sort=name").by(&ada).send().await;
    let next = answer.header("link").strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert_eq!(names(&world.get(next).by(&ada).send().await.expect(200)), ["Two"]);
}

#[actix_web::test]
async fn a_row_inserted_before_the_place_neither_repeats_nor_hides_another() {
    let world = World::new();
    let ada = world.person("ada").await;
    agents(&world, &ada, &["Bob", "Dan", "Fay"]).await;
    let first = world.get("/api/v2/agents?sort=name&limit=2").by(&ada).send().await.expect(200);
    agents(&world, &ada, &["Abe", "Eve"]).await;
    let rest = format!("/api/v2/agents?sort=name&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(names(&world.get(&rest).by(&ada).send().await.expect(200)), ["Eve", "Fay"]);
}

/// A cursor after the first of two agents, of a list with that query.
async fn cursor(world: &World, token: &str, query: &str) -> String {
    agents(world, token, &["One", "Two"]).await;
    let list = world.get(&format!("/api/v2/agents?limit=1&{query}")).by(token).send().await.expect(200);
    list["next_cursor"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_cursor_of_another_sort_filter_or_list_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let cursor = cursor(&world, &ada, "sort=name").await;
    for foreign in ["agents?sort=-name", "agents?sort=name&status=active", "agents?", "projects?"] {
        let answer = world.get(&format!("/api/v2/{foreign}&cursor={cursor}")).by(&ada).send().await;
        let problem = answer.refused(422, "list.cursor");
        assert_eq!(problem["errors"][0]["parameter"], "cursor", "{foreign}: {problem}");
    }
}

#[actix_web::test]
async fn a_cursor_with_any_character_changed_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let cursor = cursor(&world, &ada, "sort=name").await;
    for at in 0..cursor.len() {
        let mut forged = cursor.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let answer = world.get(&format!("/api/v2/agents?sort=name&cursor={forged}")).by(&ada).send().await;
        assert_eq!(answer.status, 422, "character {at}");
    }
}

#[actix_web::test]
async fn cut_off_and_made_up_cursors_are_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let cursor = cursor(&world, &ada, "sort=name").await;
    for made_up in ["", "AQ", "~~~", &cursor[..20], &"A".repeat(2_000)] {
        let answer = world.get(&format!("/api/v2/agents?sort=name&cursor={made_up}")).by(&ada).send().await;
        answer.refused(422, "list.cursor");
    }
}

#[actix_web::test]
async fn somebody_elses_cursor_shows_only_what_one_may_see() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let cursor = cursor(&world, &ada, "sort=name").await;
    let list = world.get(&format!("/api/v2/agents?sort=name&cursor={cursor}")).by(&eve).send().await.expect(200);
    assert_eq!(list["items"], json!([]));
}

#[actix_web::test]
async fn each_version_refuses_the_others_way_of_paging() {
    let world = World::new();
    let ada = world.person("ada").await;
    for path in ["/api/v1/agents?limit=1", "/api/v2/agents?page=1", "/api/v2/agents?page_size=1"] {
        world.get(path).by(&ada).send().await.refused(422, "request.unknown_parameter");
    }
    world.get("/api/v2/agents?limit=101").by(&ada).send().await.refused(422, "list.limit_range");
}

#[actix_web::test]
async fn an_id_says_what_it_is_of() {
    let world = World::new();
    let ada = world.person("ada").await;
    let bare = world.agent(&ada, "Ada").await;
    let shown = world.get(&format!("/api/v2/agents/agt_{bare}")).by(&ada).send().await.expect(200);
    assert_eq!(shown["id"], format!("agt_{bare}"));
    assert!(shown["project_id"].as_str().unwrap().starts_with("prj_"), "{shown}");
}

#[actix_web::test]
async fn an_id_of_another_kind_or_version_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let id = world.agent(&ada, "Ada").await;
    for path in [format!("v2/agents/{id}"), format!("v2/agents/run_{id}"), format!("v1/agents/agt_{id}")] {
        let problem = world.get(&format!("/api/{path}")).by(&ada).send().await.refused(400, "request.malformed_id");
        assert_eq!(problem["errors"][0]["parameter"], "id", "{path}");
    }
    let problem = world.get(&format!("/api/v2/agents?project_id={id}")).by(&ada).send().await;
    assert!(problem.refused(422, "request.parameter")["detail"].as_str().unwrap().contains("`prj_`"));
}

#[actix_web::test]
async fn a_body_takes_ids_in_the_form_of_its_version_only() {
    let world = World::new();
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    let mut body = agent("Typed");
    body["project_id"] = json!(project);
    world.post("/api/v2/agents").by(&ada).json(&body).send().await.refused_at(422, "request.wrong_type", "/project_id");
    body["project_id"] = json!(format!("prj_{project}"));
    let answer = world.post("/api/v2/agents").by(&ada).json(&body).send().await;
    assert_eq!(answer.expect(201)["project_id"], format!("prj_{project}"));
    assert!(answer.header("location").starts_with("/api/v2/agents/agt_"), "{}", answer.header("location"));
}

#[actix_web::test]
async fn a_change_must_say_which_state_it_means() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v2/agents/agt_{}", world.agent(&ada, "Ada").await);
    let before = world.head().await;
    let change = || world.call(Method::PATCH, &path).by(&ada).json(&json!({"description": "new"}));
    change().send().await.refused(428, "request.precondition_required");
    assert_eq!(world.head().await, before);
    change().header("if-match", "\"1\"").send().await.refused(412, "stale_version");
    let etag = world.get(&path).by(&ada).send().await.header("etag").to_owned();
    change().header("if-match", &etag).send().await.expect(200);
    change().header("if-match", "*").send().await.expect(200);
}

#[actix_web::test]
async fn version_1_needs_no_precondition_and_names_its_successor() {
    let world = World::new();
    let ada = world.person("ada").await;
    let id = world.agent(&ada, "Ada").await;
    let change = world.call(Method::PATCH, &format!("/api/v1/agents/{id}")).by(&ada);
    let answer = change.json(&json!({"description": "new"})).send().await;
    answer.expect(200);
    assert_eq!(answer.header("link"), format!("</api/v2/agents/agt_{id}>; rel=\"successor-version\""));
}

#[actix_web::test]
async fn a_list_of_version_1_names_its_neighbours_and_its_successor() {
    let world = World::new();
    let ada = world.person("ada").await;
    let answer = world.get("/api/v1/agents").by(&ada).send().await;
    let links: Vec<_> = answer.headers.get_all("link").map(|link| link.to_str().unwrap().to_owned()).collect();
    assert_eq!(links.len(), 2, "{links:?}");
    assert_eq!(links[1], "</api/v2/agents>; rel=\"successor-version\"");
}

#[actix_web::test]
async fn events_tell_typed_ids_in_pages_and_in_streams() {
    let world = World::new();
    let ada = world.person("ada").await;
    let id = world.agent(&ada, "Ada").await;
    let execute = world.post(&format!("/api/v2/agents/agt_{id}/execute")).by(&ada).json(&json!({}));
    let run = execute.send().await.expect(202)["id"].as_str().unwrap().to_owned();
    world.work();
    let path = format!("/api/v2/runs/{run}");
    world.until(&path, &ada, |run| run["status"] == "completed").await;
    let page = world.get(&format!("{path}/events")).by(&ada).send().await.expect(200);
    assert_eq!(page["items"][0]["run_id"], run);
    let stream =
        world.get(&format!("{path}/events")).by(&ada).header("accept", "text/event-stream").send().await.text();
    let told = stream.matches(&format!("\"run_id\":\"{run}\"")).count();
    assert_eq!(told, stream.matches("\ndata: ").count(), "{stream}");
}

#[actix_web::test]
async fn what_goes_wrong_before_an_endpoint_is_a_problem_in_both_versions() {
    let world = World::new();
    let ada = world.person("ada").await;
    for base in ["/api/v1", "/api/v2"] {
        let agents = format!("{base}/agents");
        world.get(&format!("{base}/nothing")).by(&ada).send().await.refused(404, "request.route_not_found");
        let answer = world.call(Method::DELETE, &agents).by(&ada).send().await;
        answer.refused(405, "request.method_not_allowed");
        assert_eq!(answer.header("allow"), "GET, HEAD, POST", "{base}");
        let send = |text: &str| world.post(&agents).by(&ada).text(text);
        send(&format!("\"{}\"", "x".repeat(300_000))).send().await.refused(413, "request.body_too_large");
        send("{\"name\":").send().await.refused(400, "request.malformed_json");
        send("{\"name\": \"Ada\", \"name\": \"Bob\"}").send().await.refused_at(
            400,
            "request.duplicate_member",
            "/name",
        );
        send(&"[".repeat(33)).send().await.refused(400, "request.too_deep");
        let untyped = world.post(&agents).by(&ada).header("content-type", "text/plain").raw(b"{}").send().await;
        untyped.refused(415, "request.unsupported_media_type");
    }
}
