//! Definitions the platform refuses, each by its own code and at the invalid member.

use serde_json::{Value, json};

use crate::world::World;

/// A definition, the code of its refusal and the invalid member.
type Case = (Value, &'static str, &'static str);

async fn are_refused(kind: &str, cases: Vec<Case>) {
    let world = World::new();
    let ada = world.person("ada").await;
    let draft = json!({"name": "Draft", "type": kind});
    let draft = world.post("/api/v1/agents").by(&ada).json(&draft).send().await.expect(201);
    let path = format!("/api/v1/agents/{}/versions", draft["id"].as_str().unwrap());
    let head = world.head().await;
    for (definition, code, pointer) in cases {
        let answer = world.post(&path).by(&ada).json(&json!({"definition": definition})).send().await;
        let problem = answer.expect(422);
        let blamed = |fault: &&Value| fault["code"] == code && fault["pointer"] == format!("/definition{pointer}");
        let faults = problem["errors"].as_array().unwrap();
        assert_eq!((faults.iter().find(blamed).is_some(), world.head().await), (true, head), "{code}: {problem}");
    }
}

fn form(body: Value) -> Value {
    let mut request = request("https://shop.example/pay");
    request["body"] = body;
    request["form"] = json!(true);
    request
}

fn request(url: &str) -> Value {
    json!({"method": "POST", "url": url})
}

/// A workflow that calls a tool of a server by this name.
fn served(tool: &str) -> Value {
    let server = json!({"url": "https://tools.example.org/mcp", "tool": tool});
    let found = json!({"kind": "mcp", "effect": "read_only", "server": server});
    json!({"tools": {"find": found}, "steps": [{"id": "a", "tool": "find", "arguments": {"name": "x"}}]})
}

#[actix_web::test]
async fn what_a_server_says_of_its_tool_is_kept_with_the_version() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = json!({"name": "Finder", "type": "workflow", "definition": served("find")});
    let agent = world.post("/api/v1/agents").by(&ada).json(&agent).send().await.expect(201);
    let version = format!("/api/v1/agents/{}/versions/1", agent["id"].as_str().unwrap());
    let kept = world.get(&version).by(&ada).send().await.expect(200);
    let schema = &kept["definition"]["tools"]["find"]["input_schema"];
    assert_eq!(*schema, json!({"type": "object", "required": ["name"]}));
}

#[actix_web::test]
async fn a_workflow_that_cannot_be() {
    let step = |id: &str| json!({"id": id, "tool": "jq"});
    let needs = |id: &str, needs: &str| json!({"id": id, "tool": "jq", "needs": [needs]});
    let steps = |steps: Value| json!({"steps": steps});
    let computed = |arguments: Value| json!({"steps": [{"id": "a", "tool": "jq", "arguments": arguments}]});
    let tool = |name: &str, url: &str| json!({"tools": {name: {"kind": "http", "effect": "unsafe", "request": request(url)}}, "steps": [step("a")]});
    let sends = |body: Value| json!({"tools": {"pay": {"kind": "http", "effect": "unsafe", "request": form(body)}}, "steps": [step("a")]});
    let calls = json!({"steps": [{"id": "a", "agent": "01938f2e-0000-7000-8000-000000000000", "input": {}}]});
    let limited = json!({"steps": [step("a")], "limits": {"concurrency": 0}});
    let schema = json!({"steps": [step("a")], "input_schema": {"type": "broken"}});
    let needs_often = steps(json!([step("a"), {"id": "b", "tool": "jq", "needs": vec!["a"; 201]}]));
    let cases = vec![
        (steps(json!([step("A b")])), "workflow.name", "/steps/0/id"),
        (steps(json!([step("a"), step("a")])), "workflow.step_duplicate", "/steps/1/id"),
        (steps(json!([needs("a", "b")])), "workflow.step_unknown", "/steps/0/needs/0"),
        (steps(json!([needs("a", "b"), needs("b", "a")])), "workflow.cycle", "/steps/1/needs/0"),
        (steps(json!([{"id": "a", "tool": "nothing"}])), "workflow.tool_unknown", "/steps/0/tool"),
        (tool("jq", "https://example.org"), "workflow.tool_shadowed", "/tools/jq"),
        (tool("pay", "http://example.org"), "workflow.destination", "/tools/pay/request/url"),
        (needs_often, "workflow.too_many", "/steps/1/needs"),
        (json!({"steps": 1}), "workflow.malformed", "/steps"),
        (calls, "workflow.agent_unknown", "/steps/0/agent"),
        (limited, "workflow.limit", "/limits/concurrency"),
        (computed(json!({"$jq": 1})), "workflow.computed_value", "/steps/0/arguments"),
        (sends(json!({"a": {"b": {}}})), "workflow.body", "/tools/pay/request/body"),
        (sends(json!({"a": {"$jq": 1}})), "workflow.computed_value", "/tools/pay/request/body/a"),
        (computed(json!({"$jq": "broken"})), "workflow.jq", "/steps/0/arguments/$jq"),
        (computed(json!({"$template": "broken"})), "workflow.template", "/steps/0/arguments/$template"),
        (schema, "workflow.schema", "/input_schema"),
        (served("lose"), "workflow.tool_undescribed", "/tools/find/server"),
    ];
    are_refused("workflow", cases).await;
}

fn with(member: &str, value: Value) -> Value {
    let mut definition = json!({"model": "scripted/one", "instructions": "Be brief."});
    definition[member] = value;
    definition
}

fn tool(name: &str, member: &str, value: Value) -> Value {
    let mut tool = json!({
        "kind": "http", "effect": "idempotent", "description": "Pays.", "input_schema": {"type": "object"},
        "request": request("https://shop.example/pay"),
    });
    tool[member] = value;
    with("tools", json!({name: tool}))
}

#[actix_web::test]
async fn a_limit_on_cost_without_a_price_anywhere() {
    let mut limited = with("limits", json!({"max_cost_micros": 1}));
    limited["fallbacks"] = json!(["nobody/one"]);
    are_refused("assistant", vec![(limited, "assistant.no_price", "/limits/max_cost_micros")]).await;
}

#[actix_web::test]
async fn an_assistant_that_cannot_be() {
    let many: Vec<_> = (0..9).map(|n| format!("scripted/{n}")).collect();
    let cases = vec![
        (with("steps", json!([])), "assistant.malformed", "/steps"),
        (with("model", json!("one")), "assistant.model", "/model"),
        (with("fallbacks", json!(["scripted/one"])), "assistant.fallback", "/fallbacks/0"),
        (with("fallbacks", json!(many)), "assistant.too_many", "/fallbacks"),
        (with("instructions", json!("x".repeat(65_537))), "assistant.too_many", "/instructions"),
        (with("model", json!(format!("a/{}", "x".repeat(240)))), "assistant.model", "/model"),
        (
            with("prices", json!({"a/b": {"input": 1_000_000_000_001_u64, "output": 0}})),
            "assistant.limit",
            "/prices/a~1b/input",
        ),
        (with("instructions", json!(" ")), "assistant.empty", "/instructions"),
        (with("instructions", json!("broken")), "assistant.template", "/instructions"),
        (with("temperature", json!(2.5)), "assistant.temperature", "/temperature"),
        (with("limits", json!({"max_steps": 0})), "assistant.limit", "/limits/max_steps"),
        (with("input_schema", json!({"type": "broken"})), "assistant.schema", "/input_schema"),
        (tool("A b", "description", json!("Pays.")), "assistant.tool_name", "/tools/A b"),
        (
            tool("pay", "input_schema", json!({"type": "array"})),
            "assistant.arguments_schema",
            "/tools/pay/input_schema",
        ),
        (
            tool("pay", "input_schema", json!({"type": "object", "properties": {"filter[id]": {}}})),
            "assistant.argument_name",
            "/tools/pay/input_schema/properties/filter[id]",
        ),
        (tool("pay", "request", form(json!([]))), "assistant.body", "/tools/pay/request/body"),
        (
            tool("pay", "request", form(json!({"a": {"$jq": 1}}))),
            "assistant.computed_value",
            "/tools/pay/request/body/a",
        ),
        (tool("pay", "approval", json!({"when": "broken"})), "assistant.jq", "/tools/pay/approval/when"),
        (tool("pay", "request", request("http://a.org")), "assistant.destination", "/tools/pay/request/url"),
    ];
    are_refused("assistant", cases).await;
}

#[actix_web::test]
async fn what_is_malformed_is_told_without_what_was_sent() {
    let world = World::new();
    let ada = world.person("ada").await;
    let tool = |tool: Value| json!({"steps": [], "tools": {"pay": tool}});
    for (definition, expected) in [
        (json!({"steps": "hunter2, expected x"}), "a sequence"),
        (json!({"steps": [{"id": "hunter2", "tool": "jq", "approval": {"prompt": "?"}}]}), "exactly one of"),
        (json!({"steps": [{"id": "hunter2", "tool": "jq", "input": 1}]}), "an `agent` beside `input`"),
        (json!({"steps": [{"id": "a", "agent": "hunter2"}]}), "wrong type or form"),
        (tool(json!({"kind": "hunter2"})), "`builtin`"),
        (tool(json!({"kind": "builtin", "builtin": "hunter2"})), "`parse`"),
        (tool(json!({"kind": "builtin", "hunter2": "jq"})), "a member is unknown"),
        (tool(json!({"kind": "builtin"})), "the member `builtin` is missing"),
    ] {
        let body = json!({"name": "Payer", "type": "workflow", "definition": definition});
        let answer = world.post("/api/v1/agents").by(&ada).json(&body).send().await;
        let detail = answer.refused(422, "workflow.malformed")["detail"].to_string();
        assert!(detail.contains(expected) && !answer.text().contains("hunter2"), "{}", answer.text());
    }
}
