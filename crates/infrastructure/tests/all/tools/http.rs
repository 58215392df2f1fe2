use std::{collections::BTreeMap, time::Duration};

use devskyy_application::workflow::{ToolCall, ToolExecutor as _};
use devskyy_domain::workflow::{Approval, Effect, HttpMethod, HttpRequest, Tool};
use tokio::net::TcpListener;

use super::{call, class, json, service::Service, tools};

fn request(method: HttpMethod, url: impl Into<String>) -> HttpRequest {
    HttpRequest {
        method,
        url: url.into(),
        headers: BTreeMap::new(),
        send_arguments: false,
        body: None,
        form: false,
        timeout_s: 5,
    }
}

fn tool(effect: Effect, request: HttpRequest) -> Tool {
    Tool::Http { effect, input_schema: None, approval: Approval::Never, request }
}

fn get(service: &Service) -> Tool {
    tool(Effect::ReadOnly, request(HttpMethod::Get, format!("http://{}/", service.address)))
}

fn post(service: &Service, effect: Effect) -> Tool {
    let mut request = request(HttpMethod::Post, format!("http://{}/tickets", service.address));
    request.send_arguments = true;
    tool(effect, request)
}

const CREATED: &str = "HTTP/1.1 201 Created\nContent-Type: application/json\nContent-Length: 8\nX-Secret: s\nETag: \"1\"\nConnection: close\n\n{\"id\":7}";

#[tokio::test]
async fn a_document_is_answered_with_its_status_and_a_few_headers() {
    let service = Service::answering(CREATED).await;
    let result = call(
        &tools(true, std::slice::from_ref(&service.address)),
        post(&service, Effect::Idempotent),
        r#"{"title":"x"}"#,
    )
    .await;
    let expected = r#"{"status":201,"headers":{"content-type":"application/json","etag":"\"1\""},"body":{"id":7}}"#;
    assert_eq!(result, Ok(json(expected)));
}

#[tokio::test]
async fn arguments_are_sent_as_a_document() {
    let service = Service::answering(CREATED).await;
    call(&tools(true, std::slice::from_ref(&service.address)), post(&service, Effect::Unsafe), r#"{"title":"x"}"#)
        .await
        .expect("an answer");
    let asked = service.asked().remove(0);
    assert!(asked.starts_with("POST /tickets HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.contains("content-type: application/json\r\n") && asked.ends_with("\r\n\r\n{\"title\":\"x\"}"),
        "{asked}"
    );
}

/// Sends a body of its own, and returns what the service received.
async fn sent(body: &str, form: bool, arguments: &str) -> String {
    let service = Service::answering(CREATED).await;
    let mut request = request(HttpMethod::Post, format!("http://{}/", service.address));
    (request.body, request.form) = (Some(json(body)), form);
    let tools = tools(true, std::slice::from_ref(&service.address));
    call(&tools, tool(Effect::Unsafe, request), arguments).await.expect("an answer");
    service.asked().remove(0)
}

#[tokio::test]
async fn a_body_is_computed_from_the_arguments() {
    let body = r#"{"query":"query ($id: ID!) { it(id: $id) { name } }","variables":{"id":{"$jq":".arguments.id"}},
        "trace":{"$template":"run {{ run.id }}"}}"#;
    let asked = sent(body, false, r#"{"id":[7,"x"]}"#).await;
    let expected = r#"{"query":"query ($id: ID!) { it(id: $id) { name } }","trace":"run 00000000-0000-0000-0000-000000000001","variables":{"id":[7,"x"]}}"#;
    assert!(asked.contains("content-type: application/json\r\n") && asked.ends_with(expected), "{asked}");
}

#[tokio::test]
async fn a_body_is_sent_as_a_form() {
    let body = r#"{"grant_type":"x&y=z","scope":{"$jq":".arguments.scopes"},"n":{"$jq":".arguments.n"},"none":null,"ok":true}"#;
    let asked = sent(body, true, r#"{"scopes":["a b","ü"],"n":1.5}"#).await;
    let expected = "\r\n\r\ngrant_type=x%26y%3Dz&n=1.5&ok=true&scope=a+b&scope=%C3%BC";
    let kind = "content-type: application/x-www-form-urlencoded\r\n";
    assert!(asked.contains(kind) && asked.ends_with(expected), "{asked}");
}

#[tokio::test]
async fn a_form_whose_fields_turn_out_to_be_none_is_never_sent() {
    let service = Service::answering(CREATED).await;
    let mut request = request(HttpMethod::Post, format!("http://{}/", service.address));
    (request.body, request.form) = (Some(json(r#"{"a":{"$jq":".arguments.a"}}"#)), true);
    let tools = tools(true, std::slice::from_ref(&service.address));
    let outcome = class(call(&tools, tool(Effect::Unsafe, request), r#"{"a":{"b":1}}"#).await);
    assert_eq!((outcome.1.as_str(), service.asked().len()), ("tool.http_body", 0));
}

#[tokio::test]
async fn calls_with_an_effect_name_their_operation_and_others_do_not() {
    let service = Service::answering(CREATED).await;
    let tools = tools(true, std::slice::from_ref(&service.address));
    for effect in [Effect::Idempotent, Effect::Unsafe, Effect::ReadOnly] {
        call(&tools, post(&service, effect), "{}").await.expect("an answer");
    }
    let named = service
        .asked()
        .into_iter()
        .map(|asked| asked.contains("idempotency-key: 00000000-0000-0000-0000-000000000002\r\n"));
    assert_eq!(named.collect::<Vec<_>>(), [true, true, false]);
}

#[tokio::test]
async fn inserted_values_stay_within_their_part_of_the_url() {
    let service = Service::answering(CREATED).await;
    let url = format!(
        "http://{}/items/{{{{ arguments.id }}}}?q={{{{ arguments.q }}}}&n={{{{ arguments.n }}}}",
        service.address
    );
    let arguments = r#"{"id":"a/../b?c#d","q":"ü &=%","n":18446744073709551615}"#;
    call(
        &tools(true, std::slice::from_ref(&service.address)),
        tool(Effect::ReadOnly, request(HttpMethod::Get, url)),
        arguments,
    )
    .await
    .expect("an answer");
    let asked = service.asked().remove(0);
    assert!(
        asked.starts_with("GET /items/a%2F..%2Fb%3Fc%23d?q=%C3%BC%20%26%3D%25&n=18446744073709551615 HTTP/1.1\r\n"),
        "{asked}"
    );
}

#[tokio::test]
async fn urls_that_climb_are_refused() {
    let service = Service::answering(CREATED).await;
    let tools = tools(true, std::slice::from_ref(&service.address));
    let url = format!("http://{}/items/{{{{ arguments.id }}}}/x", service.address);
    for id in ["..", ".", "%2e%2e"] {
        let arguments = format!("{{\"id\":\"{id}\"}}");
        let outcome = call(&tools, tool(Effect::ReadOnly, request(HttpMethod::Get, url.clone())), &arguments).await;
        if id.starts_with('%') {
            assert!(outcome.is_ok(), "a percent sign is a character of the value");
        } else {
            assert_eq!(class(outcome).1, "tool.http_url", "{id}");
        }
    }
}

#[tokio::test]
async fn headers_are_templates_that_cannot_break_out_of_their_line() {
    let service = Service::answering(CREATED).await;
    let tools = tools(true, std::slice::from_ref(&service.address));
    let with = |name: &str, value: &str| {
        let mut request = request(HttpMethod::Get, format!("http://{}/", service.address));
        request.headers.insert(name.to_owned(), value.to_owned());
        tool(Effect::ReadOnly, request)
    };
    call(&tools, with("X-Run", "{{ run.id }} {{ operation_id }}"), "{}").await.expect("an answer");
    let asked = service.asked().remove(0);
    assert!(
        asked.contains("x-run: 00000000-0000-0000-0000-000000000001 00000000-0000-0000-0000-000000000002\r\n"),
        "{asked}"
    );
    for (name, value) in [
        ("X-A", "{{ arguments.v }}"),
        ("Host", "x"),
        ("Transfer-Encoding", "x"),
        ("Idempotency-Key", "x"),
        ("Connection", "x"),
        ("bad name", "x"),
        ("Proxy-Authorization", "x"),
    ] {
        let outcome = call(&tools, with(name, value), r#"{"v":"a\r\nX-B: c"}"#).await;
        assert_eq!(class(outcome).1, "tool.http_header", "{name}");
    }
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn arguments_that_break_the_schema_are_never_sent() {
    let service = Service::answering(CREATED).await;
    let Tool::Http { effect, request, .. } = post(&service, Effect::Unsafe) else { panic!("an http tool") };
    let tool = Tool::Http {
        effect,
        request,
        approval: Approval::Never,
        input_schema: Some(json(r#"{"type":"object","required":["title"]}"#)),
    };
    let outcome = call(&tools(true, std::slice::from_ref(&service.address)), tool, "{}").await;
    assert_eq!(class(outcome), ("permanent", "tool.arguments".to_owned(), None));
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn text_is_answered_as_text() {
    let service = Service::answering("HTTP/1.1 200 OK\nContent-Type: text/plain\nConnection: close\n\nhello").await;
    let result =
        call(&tools(true, std::slice::from_ref(&service.address)), get(&service), "{}").await.expect("an answer");
    assert_eq!(result.get("body"), Some(&json("\"hello\"")));
}

#[tokio::test]
async fn nothing_is_answered_as_null() {
    let service = Service::answering("HTTP/1.1 204 No Content\nConnection: close\n\n").await;
    let result =
        call(&tools(true, std::slice::from_ref(&service.address)), get(&service), "{}").await.expect("an answer");
    assert_eq!(result.get("body"), Some(&json("null")));
}

#[tokio::test]
async fn failures_have_the_class_that_decides_about_repeating() {
    for (status, effect, expected) in [
        ("429 Too Many Requests\nRetry-After: 7", Effect::Unsafe, ("transient", Some(Duration::from_secs(7)))),
        (
            "503 Service Unavailable\nRetry-After: 999999",
            Effect::Unsafe,
            ("transient", Some(Duration::from_secs(3_600))),
        ),
        ("503 Service Unavailable", Effect::ReadOnly, ("transient", None)),
        ("503 Service Unavailable", Effect::Idempotent, ("transient", None)),
        ("503 Service Unavailable", Effect::Unsafe, ("unknown", None)),
        ("429 Too Many Requests", Effect::Unsafe, ("transient", None)),
        ("500 Internal Server Error", Effect::Idempotent, ("transient", None)),
        ("502 Bad Gateway", Effect::ReadOnly, ("transient", None)),
        ("500 Internal Server Error", Effect::Unsafe, ("unknown", None)),
        ("404 Not Found", Effect::ReadOnly, ("permanent", None)),
        ("409 Conflict", Effect::Idempotent, ("permanent", None)),
        ("425 Too Early", Effect::Idempotent, ("transient", None)),
        ("425 Too Early", Effect::Unsafe, ("transient", None)),
    ] {
        let service = Service::answering(&format!("HTTP/1.1 {status}\nContent-Length: 0\nConnection: close\n\n")).await;
        let (kind, code, wait) =
            class(call(&tools(true, std::slice::from_ref(&service.address)), post(&service, effect), "{}").await);
        assert_eq!((kind, code.as_str(), wait), (expected.0, "tool.http_status", expected.1), "{status}");
    }
}

/// A service that gets the same key again while it processes the first request responds with a conflict.
#[tokio::test]
async fn a_conflict_passes_where_an_idempotent_call_is_made_again() {
    let service = Service::answering("HTTP/1.1 409 Conflict\nContent-Length: 0\nConnection: close\n\n").await;
    let tools = tools(true, std::slice::from_ref(&service.address));
    let mut kinds = Vec::new();
    for effect in [Effect::ReadOnly, Effect::Idempotent, Effect::Unsafe] {
        let again = ToolCall { attempt: 2, ..super::call_of(post(&service, effect), "{}") };
        kinds.push(class(tools.call(again).await).0);
    }
    assert_eq!(kinds, ["permanent", "transient", "permanent"]);
}

/// Otherwise the same effect would be repeated by another call.
#[tokio::test]
async fn a_call_that_was_made_succeeds_however_long_its_answer_is() {
    let body = "x".repeat((1 << 20) + (100 << 10));
    let answer = format!("HTTP/1.1 201 Created\nLocation: /orders/7\nConnection: close\n\n{body}");
    let service = Service::answering(&answer).await;
    let tools = tools(true, std::slice::from_ref(&service.address));
    let expected = r#"{"status":201,"headers":{"location":"/orders/7"},"body":null,
        "note":"the call was made; its answer is longer than 1048576 bytes and was cut"}"#;
    for effect in [Effect::Idempotent, Effect::Unsafe] {
        assert_eq!(call(&tools, post(&service, effect), "{}").await, Ok(json(expected)), "{effect:?}");
    }
    let read = class(call(&tools, post(&service, Effect::ReadOnly), "{}").await);
    assert_eq!(read, ("permanent", "tool.http_too_large".to_owned(), None));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Service::answering(CREATED).await;
    let answer =
        format!("HTTP/1.1 302 Found\nLocation: http://{}/\nContent-Length: 0\nConnection: close\n\n", target.address);
    let service = Service::answering(&answer).await;
    let outcome = call(&tools(true, &[service.address.clone(), target.address.clone()]), get(&service), "{}").await;
    assert_eq!(class(outcome), ("permanent", "tool.http_redirect".to_owned(), None));
    assert!(target.asked().is_empty());
}

#[tokio::test]
async fn a_closed_port_may_be_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let closed = tool(Effect::Unsafe, request(HttpMethod::Post, format!("http://{address}/")));
    assert_eq!(
        class(call(&tools(true, &[address]), closed, "{}").await),
        ("transient", "tool.http_connect".to_owned(), None)
    );
}

#[tokio::test]
async fn silence_after_sending_leaves_the_outcome_unknown() {
    let service = Service::silent().await;
    let mut request = request(HttpMethod::Post, format!("http://{}/", service.address));
    request.timeout_s = 1;
    let outcome = call(&tools(true, std::slice::from_ref(&service.address)), tool(Effect::Unsafe, request), "{}").await;
    assert_eq!(class(outcome), ("unknown", "tool.http_timeout".to_owned(), None));
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_leaves_the_outcome_unknown() {
    let service = Service::answering("").await;
    let outcome =
        call(&tools(true, std::slice::from_ref(&service.address)), post(&service, Effect::Unsafe), "{}").await;
    assert_eq!(class(outcome), ("unknown", "tool.http_cut_off".to_owned(), None));
}

#[tokio::test]
async fn answers_without_an_end_are_cut() {
    let body = "x".repeat(3 << 20);
    let service =
        Service::answering(&format!("HTTP/1.1 200 OK\nContent-Type: text/plain\nConnection: close\n\n{body}")).await;
    let outcome = call(&tools(true, std::slice::from_ref(&service.address)), get(&service), "{}").await;
    assert_eq!(class(outcome), ("permanent", "tool.http_too_large".to_owned(), None));
}

#[tokio::test]
async fn nothing_is_sent_to_addresses_that_are_not_allowed() {
    let service = Service::answering(CREATED).await;
    let port = service.address.rsplit(':').next().expect("a port");
    let tools = tools(true, &[]);
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let outcome =
            call(&tools, tool(Effect::ReadOnly, request(HttpMethod::Get, format!("http://{host}:{port}/"))), "{}")
                .await;
        assert_eq!(class(outcome), ("permanent", "tool.egress_refused".to_owned(), None), "{host}");
    }
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn names_are_judged_by_the_address_they_lead_to() {
    let service = Service::answering(CREATED).await;
    let port = service.address.rsplit(':').next().expect("a port");
    let named = || tool(Effect::ReadOnly, request(HttpMethod::Get, format!("http://localhost:{port}/")));
    let by_network = tools(true, &["127.0.0.0/8".to_owned()]);
    assert!(call(&by_network, named(), "{}").await.is_ok());
    let by_name = tools(true, &[format!("localhost:{port}")]);
    assert!(call(&by_name, named(), "{}").await.is_ok());
    let another_port = tools(true, &["localhost:1".to_owned()]);
    assert_eq!(class(call(&another_port, named(), "{}").await).1, "tool.egress_refused");
}

#[tokio::test]
async fn a_call_whose_deadline_has_passed_is_not_made() {
    let service = Service::answering(CREATED).await;
    let mut late = super::call_of(get(&service), "{}");
    late.deadline -= chrono::TimeDelta::seconds(60);
    let outcome = tools(true, std::slice::from_ref(&service.address)).call(late).await;
    assert_eq!(class(outcome).1, "tool.deadline");
    assert!(service.asked().is_empty());
}
