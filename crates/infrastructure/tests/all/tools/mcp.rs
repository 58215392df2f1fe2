//! Tools of servers with the Model Context Protocol.

use std::{collections::BTreeMap, time::Duration};

use devskyy_application::workflow::{ToolError, ToolSecret};
use devskyy_domain::{
    kernel::Json,
    secrets::{SecretHosts, SecretValue},
    workflow::{Approval, Effect, McpServer as Server, Tool},
};
use devskyy_testkit::fakes::{FixedSecrets, McpAct as Act, McpHabits as Habits, McpServer};

use super::{call, class, json, tools, tools_with};

fn tool(server: &McpServer, effect: Effect) -> Tool {
    let server = Server { url: server.url(), tool: "find".to_owned(), headers: BTreeMap::new(), timeout_s: 2 };
    Tool::Mcp { effect, input_schema: None, approval: Approval::Never, server }
}

async fn asked(server: &McpServer, effect: Effect) -> Result<Json, ToolError> {
    call(&tools(true, std::slice::from_ref(&server.address)), tool(server, effect), r#"{"name":"it"}"#).await
}

fn found() -> Json {
    json(r#"{"content":[{"type":"text","text":"One."}],"structured_content":{"found":1}}"#)
}

#[tokio::test]
async fn a_tool_gives_what_it_found() {
    let server = McpServer::start(Act::Answer).await.expect("a port");
    assert_eq!(asked(&server, Effect::ReadOnly).await, Ok(found()));
}

#[tokio::test]
async fn the_current_revision_needs_no_handshake() {
    let server = McpServer::start(Act::Answer).await.expect("a port");
    asked(&server, Effect::ReadOnly).await.expect("a result");
    assert_eq!(server.asked(), ["server/discover", "tools/call"]);
}

#[tokio::test]
async fn a_stream_of_events_is_an_answer() {
    let server = McpServer::start(Habits { streams: true, ..Act::Answer.into() }).await.expect("a port");
    assert_eq!(asked(&server, Effect::ReadOnly).await, Ok(found()));
}

#[tokio::test]
async fn the_revision_before_is_spoken() {
    let server = McpServer::start(Habits { old: true, ..Act::Answer.into() }).await.expect("a port");
    assert_eq!(asked(&server, Effect::ReadOnly).await, Ok(found()));
    let head = server.head("tools/call");
    assert!(head.contains("mcp-protocol-version: 2025-11-25") && head.contains("mcp-session-id: session-1"), "{head}");
}

#[tokio::test]
async fn a_session_is_ended() {
    let server = McpServer::start(Habits { old: true, ..Act::Answer.into() }).await.expect("a port");
    asked(&server, Effect::ReadOnly).await.expect("a result");
    assert_eq!(server.ended(), 1);
}

#[tokio::test]
async fn a_session_that_is_gone_is_begun_anew() {
    let server = McpServer::start(Habits { old: true, forgets: true, ..Act::Answer.into() }).await.expect("a port");
    let result = asked(&server, Effect::Unsafe).await;
    let handshakes = server.asked().iter().filter(|method| *method == "initialize").count();
    assert_eq!((result, handshakes), (Ok(found()), 2));
}

#[tokio::test]
async fn a_call_names_its_operation() {
    let server = McpServer::start(Act::Answer).await.expect("a port");
    asked(&server, Effect::Idempotent).await.expect("a result");
    assert_eq!(server.calls()[0]["_meta"]["devskyy/operationId"], "00000000-0000-0000-0000-000000000002");
}

#[tokio::test]
async fn a_tool_that_failed_says_why() {
    let server = McpServer::start(Act::Fail).await.expect("a port");
    let Err(ToolError::Permanent { code, message }) = asked(&server, Effect::ReadOnly).await else {
        panic!("a failure")
    };
    assert_eq!((code.as_str(), message.as_str()), ("tool.mcp_error", "the tool failed: Nothing found."));
}

#[tokio::test]
async fn a_server_that_breaks_down_leaves_the_outcome_of_an_unsafe_call_unknown() {
    let server = McpServer::start(Act::Break).await.expect("a port");
    let classes = [class(asked(&server, Effect::Unsafe).await).0, class(asked(&server, Effect::ReadOnly).await).0];
    assert_eq!(classes, ["unknown", "transient"]);
}

#[tokio::test]
async fn a_server_that_is_away_and_does_not_say_for_how_long_leaves_the_outcome_of_an_unsafe_call_unknown() {
    let server = McpServer::start(Act::Away).await.expect("a port");
    let classes = [class(asked(&server, Effect::Unsafe).await).0, class(asked(&server, Effect::ReadOnly).await).0];
    assert_eq!(classes, ["unknown", "transient"]);
}

#[tokio::test]
async fn a_server_that_says_when_to_come_again_has_not_begun() {
    let server = McpServer::start(Act::Overload).await.expect("a port");
    assert_eq!(class(asked(&server, Effect::Unsafe).await).0, "transient");
}

/// The call has two seconds.
#[tokio::test]
async fn an_answer_in_the_last_second_counts_however_long_the_goodbye_takes() {
    let (thinks, lingers) = (Duration::from_millis(1_300), Duration::from_secs(5));
    let habits = Habits { old: true, thinks, lingers, ..Act::Answer.into() };
    let server = McpServer::start(habits).await.expect("a port");
    assert_eq!(asked(&server, Effect::Unsafe).await, Ok(found()));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = McpServer::start(Act::Redirect).await.expect("a port");
    let (kind, ..) = class(asked(&server, Effect::ReadOnly).await);
    assert_eq!(kind, "permanent");
}

#[tokio::test]
async fn an_answer_beyond_the_bound_is_refused() {
    let server = McpServer::start(Act::Flood).await.expect("a port");
    let (_, code, _) = class(asked(&server, Effect::ReadOnly).await);
    assert_eq!(code, "tool.mcp_too_large");
}

/// The outcome of a call in each effect class: `read_only`, `idempotent` and `unsafe`.
async fn classes(act: Act) -> [&'static str; 3] {
    let server = McpServer::start(act).await.expect("a port");
    let of = |effect| asked(&server, effect);
    [class(of(Effect::ReadOnly).await).0, class(of(Effect::Idempotent).await).0, class(of(Effect::Unsafe).await).0]
}

#[tokio::test]
async fn an_answer_that_nobody_understands_leaves_the_outcome_of_an_unsafe_call_unknown() {
    for act in [Act::Flood, Act::Page, Act::Garble] {
        assert_eq!(classes(act).await, ["permanent", "permanent", "unknown"], "{act:?}");
    }
}

#[tokio::test]
async fn an_error_of_the_servers_own_leaves_the_outcome_of_an_unsafe_call_unknown() {
    for code in [-32_000, -32_050, -32_099, 0, 17] {
        assert_eq!(classes(Act::Err(code)).await, ["permanent", "permanent", "unknown"], "{code}");
    }
}

#[tokio::test]
async fn an_error_that_says_that_a_call_was_not_begun_fails_it() {
    for code in [-32_600, -32_601, -32_602, -32_700] {
        assert_eq!(classes(Act::Err(code)).await, ["permanent"; 3], "{code}");
    }
}

#[tokio::test]
async fn an_abandoned_call_closes_its_connection() {
    let server = McpServer::start(Act::Silence).await.expect("a port");
    class(asked(&server, Effect::ReadOnly).await);
    let mut waited = 0;
    while server.closed() == 0 && waited < 100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        waited += 1;
    }
    assert_eq!(server.closed(), 1);
}

/// Calls a tool with `Bearer {{ secrets.finder }}`.
async fn authorized(server: &McpServer) -> Result<Json, ToolError> {
    let hosts = SecretHosts::parse(&[server.address.as_str()]).unwrap();
    let secret = ToolSecret { value: SecretValue::parse("tr-0123456789").unwrap(), hosts };
    let secrets = FixedSecrets(BTreeMap::from([("finder".to_owned(), secret)]));
    let Tool::Mcp { server: at, .. } = tool(server, Effect::ReadOnly) else { panic!("an mcp tool") };
    let headers = BTreeMap::from([("Authorization".to_owned(), "Bearer {{ secrets.finder }}".to_owned())]);
    let (effect, approval) = (Effect::ReadOnly, Approval::Never);
    let tool = Tool::Mcp { effect, input_schema: None, approval, server: Server { headers, ..at } };
    call(&tools_with(secrets, true, std::slice::from_ref(&server.address)), tool, "{}").await
}

#[tokio::test]
async fn a_secret_proves_the_caller_and_does_not_come_back() {
    let server = McpServer::start(Act::Echo).await.expect("a port");
    let told = json(r#"{"content":[{"type":"text","text":"authorization: bearer [secret finder]"}]}"#);
    assert_eq!(authorized(&server).await, Ok(told));
}

/// 200 letters of an error are shown, and 22 precede the secret beside those of the server.
#[tokio::test]
async fn a_secret_across_the_end_of_what_is_shown_of_an_error_does_not_come_back() {
    for letters in 165..=178 {
        let server = McpServer::start(Act::EchoBehind(letters)).await.expect("a port");
        let Err(ToolError::Permanent { message, .. }) = authorized(&server).await else { panic!("a refusal") };
        assert!(!message.contains("tr-"), "{message}");
    }
}

#[tokio::test]
async fn what_breaks_the_pinned_schema_is_not_sent() {
    let server = McpServer::start(Act::Answer).await.expect("a port");
    let Tool::Mcp { effect, approval, server: at, .. } = tool(&server, Effect::ReadOnly) else { panic!("mcp") };
    let input_schema = Some(json(r#"{"type":"object","required":["name"]}"#));
    let tool = Tool::Mcp { effect, input_schema, approval, server: at };
    class(call(&tools(true, std::slice::from_ref(&server.address)), tool, "{}").await);
    assert_eq!(server.asked(), Vec::<String>::new());
}
