//! Values and transitions that the domain refuses: each by its own code, and nothing changes.

use actix_web::http::Method;
use devskyy_application::identity::RegistrationMode;
use devskyy_domain::identity::PasswordPolicy;
use serde_json::{Value, json};

use crate::world::{World, agent, definition};

/// A request and its refusal: the status, the code and the invalid member.
type Case = (String, Value, u16, &'static str, &'static str);

async fn are_refused(world: &World, token: &str, cases: impl IntoIterator<Item = Case>) {
    let head = world.head().await;
    for (path, body, status, code, pointer) in cases {
        let call = world.post(&path).json(&body);
        let answer = if token.is_empty() { call.send().await } else { call.by(token).send().await };
        let problem = answer.refused(status, code);
        let blamed = problem["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert_eq!((blamed, world.head().await), (pointer, head), "{code}: {problem}");
    }
}

fn with(mut body: Value, member: &str, value: Value) -> Value {
    body[member] = value;
    body
}

#[actix_web::test]
async fn an_agent_that_cannot_be() {
    let world = World::new();
    let ada = world.person("ada").await;
    let many: Vec<_> = (0..100).map(|n| format!("slug-{n}")).collect();
    let case = |member: &str, value, code, pointer| {
        ("/api/v1/agents".to_owned(), with(agent("Greeter"), member, value), 422, code, pointer)
    };
    let cases = [
        case("name", json!("ab"), "agent.name_length", "/name"),
        case("name", json!("x".repeat(101)), "agent.name_length", "/name"),
        case("type", json!("robot"), "agent.type_unknown", "/type"),
        case("capabilities", json!(["Not A Slug"]), "agent.capability_format", "/capabilities/0"),
        case("capabilities", json!(many), "agent.too_many_capabilities", "/capabilities"),
        case("description", json!("x".repeat(2_001)), "agent.description_length", "/description"),
    ];
    are_refused(&world, &ada, cases).await;
}

#[actix_web::test]
async fn a_definition_that_cannot_run() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}/versions", world.agent(&ada, "Greeter").await);
    let steps: Vec<_> = (0..201).map(|n| json!({"id": format!("s{n}"), "tool": "jq"})).collect();
    let unneeded =
        json!([{"id": "a", "tool": "jq"}, {"id": "b", "tool": "jq", "arguments": {"$jq": ".steps.a.output"}}]);
    let case =
        |steps: Value, code, pointer| (path.clone(), json!({"definition": {"steps": steps}}), 422, code, pointer);
    let cases = [
        case(json!([]), "workflow.no_steps", "/definition/steps"),
        case(json!(steps), "workflow.too_many_steps", "/definition/steps"),
        case(unneeded, "workflow.step_not_needed", "/definition/steps/1/arguments/$jq"),
    ];
    are_refused(&world, &ada, cases).await;
}

#[actix_web::test]
async fn an_account_that_cannot_be() {
    let world = World::new();
    let account = json!({"email": "ada@example.org", "password": "Analytical1843", "name": "Ada"});
    let case = |member: &str, value: &str, code, pointer| {
        ("/api/v1/auth/register".to_owned(), with(account.clone(), member, json!(value)), 422, code, pointer)
    };
    let cases = [
        case("email", "nowhere", "user.email_format", "/email"),
        case("password", "Short1", "user.password_length", "/password"),
        case("password", "Analytical", "user.password_needs_digit", "/password"),
        case("password", "analytical1843", "user.password_needs_upper_case", "/password"),
        case("password", "Password1", "user.password_common", "/password"),
        case("name", "", "user.name_format", "/name"),
    ];
    are_refused(&world, "", cases).await;
}

#[actix_web::test]
async fn a_password_that_is_too_short_where_length_is_all() {
    let world = World::with(RegistrationMode::Open, PasswordPolicy::Nist);
    let account = json!({"email": "ada@example.org", "password": "Zk3vquw-Q7x", "name": "Ada"});
    let case = ("/api/v1/auth/register".to_owned(), account, 422, "user.password_too_short", "/password");
    are_refused(&world, "", [case]).await;
}

#[actix_web::test]
async fn transitions_of_an_agent_that_are_not_there() {
    let world = World::new();
    let ada = world.person("ada").await;
    let draft = json!({"name": "Draft", "type": "workflow"});
    let draft = world.post("/api/v1/agents").by(&ada).json(&draft).send().await.expect(201);
    let archived = world.agent(&ada, "Gone").await;
    world.post(&format!("/api/v1/agents/{archived}/archive")).by(&ada).send().await.expect(200);
    let of_draft = |verb: &str| format!("/api/v1/agents/{}/{verb}", draft["id"].as_str().unwrap());
    let of_archived = |verb: &str| format!("/api/v1/agents/{archived}/{verb}");
    let cases = [
        (of_draft("activate"), json!({}), 409, "agent.no_version", ""),
        (of_draft("pause"), json!({}), 409, "agent.draft", ""),
        (of_draft("resume"), json!({}), 409, "agent.draft", ""),
        (of_draft("execute"), json!({}), 409, "run.agent_inactive", ""),
        (of_archived("activate"), json!({}), 409, "agent.archived", ""),
        (of_archived("pause"), json!({}), 409, "agent.archived", ""),
        (of_archived("versions"), json!({"definition": definition("more")}), 409, "agent.archived", ""),
        (of_archived("execute"), json!({}), 409, "run.agent_inactive", ""),
    ];
    are_refused(&world, &ada, cases).await;
}

#[actix_web::test]
async fn transitions_of_a_project_that_are_not_there() {
    let world = World::new();
    let (ada, kim) = (world.person("ada").await, world.person("kim").await);
    world.acquaint(&ada, &kim).await;
    let kim = world.get("/api/v1/auth/me").by(&kim).send().await.expect(200);
    let project = world.project(&ada).await;
    let of = |verb: &str| format!("/api/v1/projects/{project}/{verb}");
    let member = |role: &str| json!({"user_id": kim["id"], "role": role});
    world.post(&of("members")).by(&ada).json(&member("viewer")).send().await.expect(201);
    let case = (of("members"), member("operator"), 409, "project.already_member", "");
    are_refused(&world, &ada, [case]).await;
    world.post(&of("archive")).by(&ada).send().await.expect(200);
    let new = with(agent("Late"), "project_id", json!(project));
    let cases = [
        (of("suspend"), json!({}), 409, "project.archived", ""),
        (of("resume"), json!({}), 409, "project.archived", ""),
        ("/api/v1/agents".to_owned(), new, 409, "project.archived", ""),
    ];
    are_refused(&world, &ada, cases).await;
}

#[actix_web::test]
async fn transitions_of_a_run_that_are_not_there() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = world.agent(&ada, "Greeter").await;
    let execute = format!("/api/v1/agents/{agent}/execute");
    let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    let of = |rest: &str| format!("/api/v1/runs/{}/{rest}", run["id"].as_str().unwrap());
    let unknown = "01938f2e-0000-7000-8000-000000000000";
    let cases = [
        (of(&format!("approvals/{unknown}")), json!({"decision": "approve"}), 404, "not_found", ""),
        (of(&format!("steps/{unknown}/reconcile")), json!({"verdict": "retry"}), 404, "not_found", ""),
    ];
    are_refused(&world, &ada, cases).await;
    world.work();
    let run = world.until(of("").trim_end_matches('/'), &ada, |run| run["status"] == "completed").await;
    let operation = run["steps"][0]["operation_id"].as_str().unwrap_or(unknown);
    let cases = [
        (of("cancel"), json!({"reason": "late"}), 409, "run.ended", ""),
        (of(&format!("steps/{operation}/reconcile")), json!({"verdict": "retry"}), 409, "run.ended", ""),
    ];
    are_refused(&world, &ada, cases).await;
}

#[actix_web::test]
async fn a_value_no_run_can_take_in() {
    let mut world = World::new();
    world.state.settings.body_bytes = 2 * 1024 * 1024;
    let ada = world.person("ada").await;
    let execute = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let large = json!({"input": "x".repeat(1024 * 1024)});
    are_refused(&world, &ada, [(execute, large, 422, "run.value_too_large", "/input")]).await;
}

#[actix_web::test]
async fn ids_that_are_none() {
    let world = World::new();
    let ada = world.person("ada").await;
    for path in
        ["agents/7", "agents/x/versions", "projects/%00", "runs/not-a-uuid", "runs/x/events", "agents/%E2%82%AC"]
    {
        let answer = world.get(&format!("/api/v1/{path}")).by(&ada).send().await;
        answer.refused(400, "request.malformed_id");
    }
    let answer = world.call(Method::PATCH, "/api/v1/agents/7").by(&ada).json(&json!({"name": "Herald"})).send().await;
    answer.refused(400, "request.malformed_id");
}

#[actix_web::test]
async fn pages_out_of_range() {
    let world = World::new();
    let ada = world.person("ada").await;
    for list in ["agents", "projects", "runs", "approvals"] {
        for (query, code) in [
            ("page=0", "list.page_range"),
            ("page=-1", "request.parameter"),
            ("page=x", "request.parameter"),
            ("page=99999999999999999999", "request.parameter"),
            ("page_size=0", "list.page_size_range"),
            ("page_size=101", "list.page_size_range"),
            ("pages=1", "request.unknown_parameter"),
        ] {
            let answer = world.get(&format!("/api/v1/{list}?{query}")).by(&ada).send().await;
            let problem = answer.expect(422);
            assert_eq!(problem["errors"][0]["code"], code, "{list}?{query}: {problem}");
        }
    }
}
