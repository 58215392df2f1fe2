use actix_web::http::Method;
use serde_json::json;

use crate::world::{World, agent, definition};

#[actix_web::test]
async fn an_agent_with_a_definition_is_ready_to_run() {
    let world = World::new();
    let ada = world.person("ada").await;
    let answer = world.post("/api/v1/agents").by(&ada).json(&agent("Greeter")).send().await;
    let made = answer.expect(201);
    assert_eq!((made["status"].as_str(), made["current_version"].as_u64()), (Some("active"), Some(1)));
    assert_eq!((made["type"].as_str(), made["capabilities"][0].as_str()), (Some("workflow"), Some("greeting")));
    let me = world.get("/api/v1/auth/me").by(&ada).send().await.expect(200);
    assert_eq!(made["project_id"], me["personal_project_id"]);
    assert_eq!(world.get(answer.header("location")).by(&ada).send().await.expect(200), made);
}

#[actix_web::test]
async fn an_agent_without_a_definition_is_a_draft_until_one_is_published() {
    let world = World::new();
    let ada = world.person("ada").await;
    let body = json!({"name": "Greeter", "type": "workflow"});
    let made = world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
    assert_eq!((made["status"].as_str(), made["current_version"].is_null()), (Some("draft"), true));
    let path = format!("/api/v1/agents/{}", made["id"].as_str().unwrap());
    world.post(&format!("{path}/activate")).by(&ada).send().await.refused(409, "agent.no_version");
    let body = json!({"definition": definition("hello")});
    let answer = world.post(&format!("{path}/versions")).by(&ada).json(&body).send().await;
    let version = answer.expect(201);
    assert_eq!((version["number"].as_u64(), &version["agent_id"]), (Some(1), &made["id"]));
    assert_eq!(world.get(answer.header("location")).by(&ada).send().await.expect(200), version);
    let active = world.post(&format!("{path}/activate")).by(&ada).send().await.expect(200);
    assert_eq!(active["status"], "active");
}

#[actix_web::test]
async fn versions_count_up_and_the_same_content_is_the_same_version() {
    let world = World::new();
    let ada = world.person("ada").await;
    let versions = format!("/api/v1/agents/{}/versions", world.agent(&ada, "Greeter").await);
    for (text, number) in [("hello", 1), ("good morning", 2), ("good morning", 2)] {
        let body = json!({"definition": definition(text)});
        let version = world.post(&versions).by(&ada).json(&body).send().await.expect(201);
        assert_eq!(version["number"], number);
    }
    let listed = world.get(&versions).by(&ada).send().await.expect(200);
    assert_eq!((listed["total"].as_u64(), listed["items"][0]["number"].as_u64()), (Some(2), Some(2)));
    world.get(&format!("{versions}/3")).by(&ada).send().await.refused(404, "not_found");
    world.get(&format!("{versions}/x")).by(&ada).send().await.refused(400, "request.malformed_id");
}

#[actix_web::test]
async fn an_agent_is_paused_resumed_and_archived() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    for (action, status) in [("pause", "paused"), ("resume", "active"), ("archive", "archived")] {
        let changed = world.post(&format!("{path}/{action}")).by(&ada).send().await.expect(200);
        assert_eq!(changed["status"], status);
    }
    let head = world.head().await;
    world.post(&format!("{path}/activate")).by(&ada).send().await.refused(409, "agent.archived");
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn an_agent_is_renamed_and_keeps_what_is_left_out() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    let body = json!({"name": "Herald", "description": "Says hello"});
    let changed = world.call(Method::PATCH, &path).by(&ada).json(&body).send().await.expect(200);
    assert_eq!((changed["name"].as_str(), changed["capabilities"][0].as_str()), (Some("Herald"), Some("greeting")));
}

#[actix_web::test]
async fn a_name_is_taken_once_per_project() {
    let world = World::new();
    let ada = world.person("ada").await;
    world.agent(&ada, "Greeter").await;
    let answer = world.post("/api/v1/agents").by(&ada).json(&agent("greeter")).send().await;
    answer.refused_at(409, "agent.name_taken", "/name");
}

#[actix_web::test]
async fn an_assistant_is_refused_with_what_it_would_need() {
    let world = World::new();
    let ada = world.person("ada").await;
    let definition = json!({"model": "elsewhere/x", "instructions": "Be brief."});
    let body = json!({"name": "Clever", "type": "assistant", "definition": definition});
    let answer = world.post("/api/v1/agents").by(&ada).json(&body).send().await;
    answer.refused(409, "agent.model_unavailable");
}

#[actix_web::test]
async fn everything_wrong_with_an_agent_is_said_at_once() {
    let world = World::new();
    let ada = world.person("ada").await;
    let body = json!({"name": "x", "type": "robot", "capabilities": ["fine", "NOT FINE"]});
    let problem = world.post("/api/v1/agents").by(&ada).json(&body).send().await.refused(422, "request.invalid");
    let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(pointers, ["/capabilities/1", "/name", "/type"]);
}

#[actix_web::test]
async fn a_definition_that_cannot_work_is_refused_with_the_place() {
    let world = World::new();
    let ada = world.person("ada").await;
    let head = world.head().await;
    let cyclic = json!({"steps": [
        {"id": "a", "needs": ["b"], "tool": "jq", "arguments": {}},
        {"id": "b", "needs": ["a"], "tool": "jq", "arguments": {}},
    ]});
    let dangling = json!({"steps": [{"id": "a", "needs": ["nobody"], "tool": "jq", "arguments": {}}]});
    let unparsable = json!({"steps": [{"id": "a", "when": "broken", "tool": "jq", "arguments": {}}]});
    let shapeless = json!({"steps": [{"id": "a", "tool": "jq", "colour": "red"}]});
    for (definition, below) in [
        (cyclic, "/definition/steps/"),
        (dangling, "/definition/steps/0/needs/0"),
        (unparsable, "/definition/steps/0/when"),
        (shapeless, "/definition/steps/0"),
    ] {
        let body = json!({"name": "Greeter", "type": "workflow", "definition": definition});
        let answer = world.post("/api/v1/agents").by(&ada).json(&body).send().await;
        let problem = answer.expect(422);
        answer.refused(422, problem["code"].as_str().unwrap());
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with(below), "{problem}");
    }
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn other_peoples_agents_are_not_there() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let path = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    let head = world.head().await;
    world.get(&path).by(&eve).send().await.refused(404, "not_found");
    for action in ["activate", "pause", "resume", "archive"] {
        world.post(&format!("{path}/{action}")).by(&eve).send().await.refused(404, "not_found");
    }
    let body = json!({"name": "Mine now"});
    world.call(Method::PATCH, &path).by(&eve).json(&body).send().await.refused(404, "not_found");
    let body = json!({"definition": definition("hello")});
    world.post(&format!("{path}/versions")).by(&eve).json(&body).send().await.refused(404, "not_found");
    world.get(&format!("{path}/versions")).by(&eve).send().await.refused(404, "not_found");
    world.get(&format!("{path}/versions/1")).by(&eve).send().await.refused(404, "not_found");
    assert_eq!(world.get("/api/v1/agents").by(&eve).send().await.expect(200)["total"], 0);
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn a_list_is_filtered_and_sorted() {
    let world = World::new();
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    for name in ["Beta", "Alpha", "Gamma"] {
        world.agent(&ada, name).await;
    }
    let mut body = agent("Elsewhere");
    body["project_id"] = json!(project);
    world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
    let names = async |query: &str| -> Vec<String> {
        let listed = world.get(&format!("/api/v1/agents?{query}")).by(&ada).send().await.expect(200);
        let items = listed["items"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("sort=name").await, ["Alpha", "Beta", "Elsewhere", "Gamma"]);
    assert_eq!(names(&format!("project_id={project}")).await, ["Elsewhere"]);
    assert_eq!(names("status=paused").await, Vec::<String>::new());
    assert_eq!(names("type=workflow&sort=created_at&page_size=1").await, ["Beta"]);
    let answer = world.get("/api/v1/agents?status=happy").by(&ada).send().await;
    assert_eq!(answer.refused(422, "request.parameter")["errors"][0]["parameter"], "status");
}

#[actix_web::test]
async fn an_id_that_is_none_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    for id in ["17", "01938f2e00007000800000000000000", "agt_x", "%00"] {
        let answer = world.get(&format!("/api/v1/agents/{id}")).by(&ada).send().await;
        answer.refused(400, "request.malformed_id");
    }
    let unknown = "/api/v1/agents/01938f2e-0000-7000-8000-00000000ffff";
    world.get(unknown).by(&ada).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn a_tool_may_not_be_pointed_inwards_when_created_or_changed() {
    let world = World::new();
    let ada = world.person("ada").await;
    let request = json!({"method": "GET", "url": "https://169.254.169.254/latest/{{ arguments.path }}"});
    let tools = json!({"peek": {"kind": "http", "effect": "read_only", "request": request}});
    let inward = json!({"tools": tools, "steps": [{"id": "a", "tool": "peek", "arguments": {}}]});
    let path = format!("/api/v1/agents/{}/versions", world.agent(&ada, "Greeter").await);
    let head = world.head().await;
    let mut body = agent("Peeping");
    body["definition"] = inward.clone();
    let place = "/definition/tools/peek/request/url";
    world.post("/api/v1/agents").by(&ada).json(&body).send().await.refused_at(422, "workflow.destination", place);
    let version = json!({"definition": inward});
    world.post(&path).by(&ada).json(&version).send().await.refused_at(422, "workflow.destination", place);
    assert_eq!(world.head().await, head);
}
