//! Earlier states of agents and projects, and their events.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::world::{World, definition};

/// An agent that was changed four times, with its address and its state after each change.
async fn changed_agent(world: &World, token: &str) -> (String, Vec<Value>) {
    let path = format!("/api/v1/agents/{}", world.agent(token, "Greeter").await);
    let mut seen = vec![world.get(&path).by(token).send().await.expect(200)];
    let publish = json!({"definition": definition("good morning")});
    world.post(&format!("{path}/versions")).by(token).json(&publish).send().await.expect(201);
    seen.push(world.get(&path).by(token).send().await.expect(200));
    let rename = json!({"name": "Herald"});
    seen.push(world.call(Method::PATCH, &path).by(token).json(&rename).send().await.expect(200));
    for action in ["pause", "archive"] {
        seen.push(world.post(&format!("{path}/{action}")).by(token).send().await.expect(200));
    }
    (path, seen)
}

/// A project that was changed four times, with its address and its state after each change.
async fn changed_project(world: &World, token: &str) -> (String, Vec<Value>) {
    let path = format!("/api/v1/projects/{}", world.project(token).await);
    let mut seen = vec![world.get(&path).by(token).send().await.expect(200)];
    let rename = json!({"name": "Old harbour"});
    seen.push(world.call(Method::PATCH, &path).by(token).json(&rename).send().await.expect(200));
    for action in ["suspend", "resume", "archive"] {
        seen.push(world.post(&format!("{path}/{action}")).by(token).send().await.expect(200));
    }
    (path, seen)
}

#[actix_web::test]
async fn an_agent_and_a_project_are_shown_as_they_were_at_a_version() {
    let world = World::new();
    let ada = world.person("ada").await;
    for (path, seen) in [changed_agent(&world, &ada).await, changed_project(&world, &ada).await] {
        for then in seen {
            let answer = world.get(&format!("{path}?version={}", then["version"])).by(&ada).send().await;
            assert_eq!(
                (answer.expect(200), answer.header("etag")),
                (then.clone(), &*format!("\"{}\"", then["version"]))
            );
        }
    }
}

#[actix_web::test]
async fn an_agent_and_a_project_are_shown_as_they_were_at_an_instant() {
    let world = World::new();
    let ada = world.person("ada").await;
    for (path, mut seen) in [changed_agent(&world, &ada).await, changed_project(&world, &ada).await] {
        let now = world.get(&format!("{path}?as_of=2100-01-01T00:00:00Z")).by(&ada).send().await.expect(200);
        assert_eq!(Some(now), seen.pop());
    }
}

#[actix_web::test]
async fn a_moment_at_which_nothing_was_there_is_not_found() {
    let world = World::new();
    let ada = world.person("ada").await;
    for (path, _) in [changed_agent(&world, &ada).await, changed_project(&world, &ada).await] {
        for moment in ["version=99", "version=0", "as_of=2000-01-01T00:00:00Z"] {
            world.get(&format!("{path}?{moment}")).by(&ada).send().await.refused(404, "not_found");
        }
    }
}

#[actix_web::test]
async fn a_moment_that_is_none_is_refused_by_name() {
    let world = World::new();
    let ada = world.person("ada").await;
    for (path, _) in [changed_agent(&world, &ada).await, changed_project(&world, &ada).await] {
        for (query, parameter) in [
            ("version=1&as_of=2100-01-01T00:00:00Z", "as_of"),
            ("version=first", "version"),
            ("version=-1", "version"),
            ("as_of=yesterday", "as_of"),
        ] {
            let problem = world.get(&format!("{path}?{query}")).by(&ada).send().await.refused(422, "request.parameter");
            assert_eq!(problem["errors"][0]["parameter"], parameter, "{problem}");
        }
        world.get(&format!("{path}?at=1")).by(&ada).send().await.refused(422, "request.unknown_parameter");
    }
}

#[actix_web::test]
async fn what_one_has_seen_of_a_moment_is_not_sent_again() {
    let world = World::new();
    let ada = world.person("ada").await;
    for (path, _) in [changed_agent(&world, &ada).await, changed_project(&world, &ada).await] {
        let then = format!("{path}?version=1");
        let answer = world.get(&then).by(&ada).header("if-none-match", "\"1\"").send().await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (304, "\"1\""));
    }
}

#[actix_web::test]
async fn other_peoples_past_is_not_there() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    for (path, _) in [changed_agent(&world, &ada).await, changed_project(&world, &ada).await] {
        for past in ["?version=1", "?as_of=2100-01-01T00:00:00Z", "/history"] {
            world.get(&format!("{path}{past}")).by(&eve).send().await.refused(404, "not_found");
        }
    }
}

#[actix_web::test]
async fn version_2_shows_the_past_with_typed_ids() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, _) = changed_agent(&world, &ada).await;
    let id = path.rsplit('/').next().unwrap();
    let shown = world.get(&format!("/api/v2/agents/agt_{id}?version=1")).by(&ada).send().await.expect(200);
    let (named, status) = (shown["id"] == format!("agt_{id}"), &shown["status"]);
    assert_eq!((named, status, shown["current_version"].is_null()), (true, &json!("draft"), true));
}

#[actix_web::test]
async fn what_happened_is_told_page_by_page() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, _) = changed_agent(&world, &ada).await;
    let me = world.get("/api/v1/auth/me").by(&ada).send().await.expect(200);
    let answer = world.get(&format!("{path}/history?page=2&page_size=3")).by(&ada).send().await;
    let page = answer.expect(200);
    let kinds: Vec<_> = page["items"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["agent.version_published", "agent.renamed", "agent.paused"]);
    assert_eq!((page["total"].as_u64(), page["total_pages"].as_u64()), (Some(7), Some(3)));
    assert!(answer.header("link").contains("rel=\"last\""), "{}", answer.header("link"));
    let renamed = &page["items"][1];
    assert_eq!((&renamed["sequence"], &renamed["data"]), (&json!(5), &json!({"name": "Herald"})));
    assert_eq!(renamed["actor"], format!("user:{}", me["id"].as_str().unwrap()));
    assert!(renamed["position"].is_u64() && renamed["at"].is_string() && renamed["id"].is_string(), "{renamed}");
}

#[actix_web::test]
async fn the_sequence_of_what_happened_is_the_version_since() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, _) = changed_agent(&world, &ada).await;
    let told = world.get(&format!("{path}/history")).by(&ada).send().await.expect(200);
    let renamed = told["items"].as_array().unwrap().iter().find(|it| it["type"] == "agent.renamed").unwrap();
    let shown = async |version: u64| {
        let answer = world.get(&format!("{path}?version={version}")).by(&ada).send().await;
        answer.expect(200)["name"].as_str().unwrap().to_owned()
    };
    let sequence = renamed["sequence"].as_u64().unwrap();
    assert_eq!((&*shown(sequence - 1).await, &*shown(sequence).await), ("Greeter", "Herald"));
}

#[actix_web::test]
async fn version_2_goes_on_where_the_cursor_says() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, _) = changed_project(&world, &ada).await;
    let path = format!("/api/v2/projects/prj_{}/history", path.rsplit('/').next().unwrap());
    let (mut kinds, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let stretch = world.get(&format!("{path}?{query}")).by(&ada).send().await.expect(200);
        kinds.extend(stretch["items"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap().to_owned()));
        let Some(cursor) = stretch["next_cursor"].as_str() else { break };
        query = format!("limit=2&cursor={cursor}");
    }
    let expected = ["project.created", "project.renamed", "project.suspended", "project.resumed", "project.archived"];
    assert_eq!(kinds, expected);
}

#[actix_web::test]
async fn the_history_of_another_agent_takes_no_cursor_of_this_one() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (one, other) = (world.agent(&ada, "One").await, world.agent(&ada, "Other").await);
    let history = |id: &str| format!("/api/v2/agents/agt_{id}/history?limit=1");
    let first = world.get(&history(&one)).by(&ada).send().await.expect(200);
    let foreign = format!("{}&cursor={}", history(&other), first["next_cursor"].as_str().unwrap());
    world.get(&foreign).by(&ada).send().await.refused(422, "list.cursor");
}

#[actix_web::test]
async fn pages_of_a_history_are_bounded() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, _) = changed_agent(&world, &ada).await;
    world.get(&format!("{path}/history?page_size=101")).by(&ada).send().await.refused(422, "list.page_size_range");
    world.get(&format!("{path}/history?sort=at")).by(&ada).send().await.refused(422, "request.unknown_parameter");
}

#[actix_web::test]
async fn a_history_does_not_remember_who_an_erased_person_was() {
    let world = World::new();
    let offer = world.state.identity.bootstrap.handle().await.unwrap().unwrap();
    let root = json!({"email": "root@example.org", "password": "Analytical1843", "name": "Root", "bootstrap_token": offer.token});
    world.post("/api/v1/auth/register").json(&root).send().await.expect(201);
    let entry = json!({"email": "root@example.org", "password": "Analytical1843"});
    let root = world.post("/api/v1/auth/login").json(&entry).send().await.expect(200);
    let root = root["access_token"].as_str().unwrap();
    let (ada, eve) = (world.person("ada").await, world.person("evelyn").await);
    let project = world.project(&ada).await;
    world.acquaint(&ada, &eve).await;
    let member = json!({"email": "evelyn@example.org", "role": "maintainer"});
    world.post(&format!("/api/v1/projects/{project}/members")).by(&ada).json(&member).send().await.expect(201);
    let eve = world.get("/api/v1/auth/me").by(&eve).send().await.expect(200)["id"].as_str().unwrap().to_owned();
    assert_eq!(world.call(Method::DELETE, &format!("/api/v1/users/{eve}")).by(root).send().await.status, 204);
    let text = world.get(&format!("/api/v1/projects/{project}/history")).by(&ada).send().await.text();
    assert_eq!((text.contains(&eve), text.contains("evelyn")), (true, false), "{text}");
}
