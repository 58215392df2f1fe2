//! Secrets are sent in headers and bodies, to their hosts only, and are redacted from responses.

use std::collections::BTreeMap;

use devskyy_application::workflow::{ToolError, ToolSecret};
use devskyy_domain::{
    kernel::Json,
    secrets::{SecretHosts, SecretValue},
    workflow::{Approval, Effect, HttpMethod, HttpRequest, Tool},
};
use devskyy_testkit::fakes::FixedSecrets;

use super::{call, class, service::Service, tools_with};

const VALUE: &str = "tr-0123456789";
const ECHO: &str = "HTTP/1.1 200 OK\nContent-Type: application/json\nETag: \"tr-0123456789\"\nContent-Length: 43\nConnection: close\n\n{\"you\":\"Bearer tr-0123456789\",\"tr-012345678";
const REFUSAL: &str =
    "HTTP/1.1 401 Unauthorized\nContent-Length: 28\nConnection: close\n\nBearer tr-0123456789 is bad.";

fn secrets(host: &str) -> FixedSecrets {
    let hosts = SecretHosts::parse(&[host]).unwrap();
    let secret = ToolSecret { value: SecretValue::parse(VALUE).unwrap(), hosts };
    FixedSecrets(BTreeMap::from([("tracker".to_owned(), secret)]))
}

/// Calls a service with `Bearer {{ secrets.<name> }}`, if a secret called `tracker` may be sent to a host.
async fn authorized(service: &Service, name: &str, host: &str) -> Result<Json, ToolError> {
    let tools = tools_with(secrets(host), true, std::slice::from_ref(&service.address));
    let headers = BTreeMap::from([("Authorization".to_owned(), format!("Bearer {{{{ secrets.{name} }}}}"))]);
    let (method, url) = (HttpMethod::Get, format!("http://{}/", service.address));
    let request = HttpRequest { method, url, headers, send_arguments: false, body: None, form: false, timeout_s: 5 };
    let tool = Tool::Http { effect: Effect::ReadOnly, input_schema: None, approval: Approval::Never, request };
    call(&tools, tool, "{}").await
}

#[tokio::test]
async fn a_secret_is_sent_in_a_header() {
    let service = Service::answering("HTTP/1.1 204 No Content\nConnection: close\n\n").await;
    authorized(&service, "tracker", &service.address).await.expect("an answer");
    assert!(service.asked()[0].contains("authorization: Bearer tr-0123456789\r\n"));
}

/// Sends `{"key": "{{ secrets.tracker }}"}` as the body, if the secret may be sent to a host.
async fn sent_in_a_body(service: &Service, form: bool, host: &str) -> Result<Json, ToolError> {
    let tools = tools_with(secrets(host), true, std::slice::from_ref(&service.address));
    let (method, url, headers) = (HttpMethod::Post, format!("http://{}/", service.address), BTreeMap::new());
    let body = Some(serde_json::from_str(r#"{"key":{"$template":"{{ secrets.tracker }}"}}"#).unwrap());
    let request = HttpRequest { method, url, headers, send_arguments: false, body, form, timeout_s: 5 };
    let tool = Tool::Http { effect: Effect::Unsafe, input_schema: None, approval: Approval::Never, request };
    call(&tools, tool, "{}").await
}

#[tokio::test]
async fn a_secret_is_sent_in_a_body_and_does_not_come_back() {
    for (form, written) in [(false, r#"{"key":"tr-0123456789"}"#), (true, "key=tr-0123456789")] {
        let service = Service::answering(ECHO).await;
        let told = serde_json::to_string(&sent_in_a_body(&service, form, &service.address).await.unwrap()).unwrap();
        assert!(service.asked()[0].ends_with(written) && !told.contains(VALUE), "{told}");
    }
}

#[tokio::test]
async fn a_secret_in_a_body_is_not_sent_to_another_host() {
    let service = Service::answering(REFUSAL).await;
    let (_, code, _) = class(sent_in_a_body(&service, true, "127.0.0.1").await);
    assert_eq!((code.as_str(), service.asked().len()), ("tool.secret_host", 0));
}

#[tokio::test]
async fn a_secret_is_not_sent_to_another_host() {
    let service = Service::answering(REFUSAL).await;
    let (_, code, _) = class(authorized(&service, "tracker", "127.0.0.1").await);
    assert_eq!((code.as_str(), service.asked().len()), ("tool.secret_host", 0));
}

#[tokio::test]
async fn a_secret_that_is_gone_stops_the_call() {
    let service = Service::answering(REFUSAL).await;
    let (_, code, _) = class(authorized(&service, "other", &service.address).await);
    assert_eq!((code.as_str(), service.asked().len()), ("tool.secret_unknown", 0));
}

#[tokio::test]
async fn a_service_that_repeats_a_secret_does_not_get_it_into_the_result() {
    let service = Service::answering(ECHO).await;
    let result = authorized(&service, "tracker", &service.address).await.expect("an answer");
    let told = serde_json::to_string(&result).unwrap();
    assert!(told.contains("Bearer [secret tracker]") && !told.contains(VALUE), "{told}");
}

#[tokio::test]
async fn a_service_that_repeats_a_secret_does_not_get_it_into_the_failure() {
    let service = Service::answering(REFUSAL).await;
    let Err(ToolError::Permanent { message, .. }) = authorized(&service, "tracker", &service.address).await else {
        panic!("a refusal")
    };
    assert!(message.ends_with("Bearer [secret tracker] is bad."), "{message}");
}
