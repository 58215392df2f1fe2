//! Marked secrets go through the whole platform and are searched for wherever something stays.

use std::{
    fs,
    path::{Path, PathBuf},
};

use devskyy_application::es::chain::digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    client::{Client, PASSWORD},
    echo::Echo,
    server::Server,
};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The middle of a text's base64 (RFC 4648), whatever stands before and after it.
fn base64(text: &[u8], shift: usize) -> String {
    let bits: Vec<u8> = text.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    // With other bytes before it, the first whole sextet begins after these bits.
    let skipped = [0, 4, 2][shift];
    let sextets =
        bits[skipped..].chunks_exact(6).map(|six| six.iter().fold(0, |sum, bit| sum << 1 | usize::from(*bit)));
    sextets.map(|index| char::from(ALPHABET[index])).collect()
}

/// The forms in which a secret might stay.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex];
    for standard in (0..3).map(|shift| base64(secret.as_bytes(), shift)) {
        forms.push(standard.replace('+', "-").replace('/', "_"));
        forms.push(standard);
    }
    forms.into_iter().map(String::into_bytes).collect()
}

fn files(below: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The files below a directory that hold a secret in any form.
fn holders(below: &Path, secret: &str) -> Vec<PathBuf> {
    holding(below, &forms(secret))
}

/// The files below a directory that hold one of these.
fn holding(below: &Path, forms: &[Vec<u8>]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let content = fs::read(path).unwrap();
        forms.iter().any(|form| content.windows(form.len()).any(|part| part == form))
    };
    files(below).into_iter().filter(holds).collect()
}

fn copied(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap().to_owned()
}

/// Uses every kind of secret there is, and gives them all.
#[expect(clippy::disallowed_methods, reason = "a journey lives in real time")]
async fn used(server: &Server) -> Vec<(&'static str, String)> {
    let bootstrap = fs::read_to_string(server.directory.join("devskyy-data/bootstrap-token")).unwrap();
    let ada = Client::administrator(server).await;
    let wrong = "Canary-Wrong-Password-1";
    let body = json!({"email": "ada@example.com", "password": wrong});
    ada.post("/api/v1/auth/login", &body).await.expect(StatusCode::UNAUTHORIZED);
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let first = ada.post("/api/v1/auth/login", &body).await.expect(StatusCode::OK);
    let body = json!({"refresh_token": first["refresh_token"]});
    let second = ada.post("/api/v1/auth/refresh", &body).await.expect(StatusCode::OK);
    let invitation = ada.post("/api/v1/users/invitations", &json!({})).await.expect(StatusCode::OK);
    let project = ada.post("/api/v1/projects", &json!({"name": "Compiler"})).await.expect(StatusCode::CREATED);
    let wish = json!({"email": "canary-invited@example.com", "role": "viewer"});
    let invitations = format!("/api/v1/projects/{}/invitations", text(&project, "id"));
    let guest = ada.post(&invitations, &wish).await.expect(StatusCode::CREATED);
    let keys = format!("/api/v1/projects/{}/api-keys", text(&project, "id"));
    let expires_at = chrono::Utc::now() + chrono::TimeDelta::days(1);
    let body = json!({"name": "deploy", "role": "viewer", "expires_at": expires_at});
    let key = ada.post(&keys, &body).await.expect(StatusCode::CREATED);
    let rotate = format!("{keys}/{}/rotate", text(&key, "id"));
    let rotated = ada.post(&rotate, &json!({})).await.expect(StatusCode::OK);
    let with_key = ada.request(Method::GET, "/api/v1/agents").header("x-api-key", text(&rotated, "key"));
    with_key.send().await.unwrap();
    let tool = tool_secrets(&ada, &text(&project, "id")).await;
    let provider = "Canary-Provider-Key-5";
    let providers = format!("/api/v1/projects/{}/providers", text(&project, "id"));
    let body = json!({"name": "own", "kind": "openai", "base_url": "https://models.example.org/v1", "key": provider});
    keyed(&ada, &providers, &body).await;
    let new = "Canary-New-Password-2";
    let body = json!({"current_password": PASSWORD, "password": new});
    ada.post("/api/v1/auth/password", &body).await.expect(StatusCode::NO_CONTENT);
    vec![
        ("bootstrap token", bootstrap.trim().to_owned()),
        ("password", PASSWORD.to_owned()),
        ("wrong password", wrong.to_owned()),
        ("new password", new.to_owned()),
        ("access token", text(&first, "access_token")),
        ("refresh token", text(&first, "refresh_token")),
        ("next refresh token", text(&second, "refresh_token")),
        ("invitation", text(&invitation, "invitation_token")),
        ("token of an invitation into a project", text(&guest, "token")),
        ("API key", text(&key, "key")),
        ("secret of the API key", text(&key, "key").rsplit('_').nth(1).unwrap().to_owned()),
        ("rotated API key", text(&rotated, "key")),
        ("secret of a tool", tool.0),
        ("replaced secret of a tool", tool.1),
        ("key of a provider", provider.to_owned()),
    ]
}

/// Creates something that holds a secret, under a key by which a repetition would be known.
async fn keyed(by: &Client, path: &str, body: &Value) -> Value {
    let request = by.request(Method::POST, path).header("idempotency-key", text(body, "name")).json(body);
    request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
}

/// Has runs send a secret to a service that repeats it, before and after it is replaced.
async fn tool_secrets(ada: &Client, project: &str) -> (String, String) {
    let (first, second) = ("Canary-Tool-Secret-3".to_owned(), "Canary-Tool-Secret-4".to_owned());
    let echo = Echo::start().await;
    let secrets = format!("/api/v1/projects/{project}/secrets");
    let body = json!({"name": "tracker", "value": first, "hosts": [echo.address]});
    let secret = keyed(ada, &secrets, &body).await;
    let headers = json!({"Authorization": "Bearer {{ secrets.tracker }}"});
    let request = json!({"method": "GET", "url": format!("http://{}/", echo.address), "headers": headers});
    let definition = json!({
        "tools": {"ask": {"kind": "http", "effect": "read_only", "request": request}},
        "steps": [{"id": "ask", "tool": "ask"}], "output": {"$jq": ".steps.ask.output.body"},
    });
    let body = json!({"name": "Asker", "type": "workflow", "project_id": project, "definition": definition});
    let agent = text(&ada.post("/api/v1/agents", &body).await.expect(StatusCode::CREATED), "id");
    let before = ada.run_ended(&ada.execute(&agent, &json!({})).await).await;
    let path = format!("{secrets}/{}", text(&secret, "id"));
    ada.request(Method::PUT, &path).json(&json!({"value": second})).send().await.unwrap();
    let after = ada.run_ended(&ada.execute(&agent, &json!({})).await).await;
    let repeated = "Bearer [secret tracker]";
    assert_eq!((&before["output"], &after["output"]), (&json!(repeated), &json!(repeated)));
    loud_secret(ada, project, &echo).await;
    assert_eq!(echo.heard(), [&first, &second, &second].map(|secret| format!("Bearer {secret}")));
    (first, second)
}

/// Has a service repeat a secret so often that the result is kept beside the log.
async fn loud_secret(ada: &Client, project: &str, echo: &Echo) {
    let headers = json!({"Authorization": "Bearer {{ secrets.tracker }}"});
    let request = json!({"method": "GET", "url": format!("http://{}/loud", echo.address), "headers": headers});
    let definition = json!({
        "tools": {"ask": {"kind": "http", "effect": "read_only", "request": request}},
        "steps": [{"id": "ask", "tool": "ask"}], "output": {"$jq": ".steps.ask.output.body"},
    });
    let body = json!({"name": "Loud", "type": "workflow", "project_id": project, "definition": definition});
    let agent = text(&ada.post("/api/v1/agents", &body).await.expect(StatusCode::CREATED), "id");
    let run = ada.run_ended(&ada.execute(&agent, &json!({})).await).await;
    let path = format!("/api/v1/runs/{}/results/{}", text(&run, "id"), text(&run["output_stored"], "hash"));
    let kept = ada.get(&path).await.expect(StatusCode::OK);
    assert!(kept.as_str().unwrap().starts_with("Bearer [secret tracker]Bearer [secret tracker]"));
}

#[tokio::test]
async fn no_secret_stays_in_database_log_or_copy() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start_with(place.path(), |command| {
        let reaching = ["--set", "egress.allow_http=true", "--set", "egress.allow_private=127.0.0.0/8"];
        command.args(["--set", "log.level=debug"]).args(reaching);
    });
    let secrets = used(&server).await;
    // The trail is written within a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let copy = place.path().join("copy");
    copied(&place.path().join("devskyy-data"), &copy);
    server.signal("-TERM");
    server.ended();
    assert_eq!(holders(&copy, "authn_login_fail").len(), 1, "the search reaches what was written before the copy");
    let found: Vec<_> = secrets.iter().map(|(name, secret)| (*name, holders(place.path(), secret))).collect();
    assert!(found.iter().all(|(_, files)| files.is_empty()), "{found:?}");
}

/// What is stored to recognise a repeated request must not let a reader try guesses at the secret in its body.
#[tokio::test]
async fn no_bare_digest_of_a_request_with_a_secret_stays() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let ada = Client::administrator(&server).await;
    let project = ada.post("/api/v1/projects", &json!({"name": "Compiler"})).await.expect(StatusCode::CREATED);
    let path = format!("/api/v1/projects/{}/secrets", text(&project, "id"));
    let body = json!({"name": "tracker", "value": "12345678", "hosts": ["tracker.example.org"]});
    keyed(&ada, &path, &body).await;
    server.signal("-TERM");
    server.ended();
    let bare = [format!("POST\n{path}\n{body}"), body.to_string(), "12345678".to_owned()];
    let digests = bare.iter().map(|text| digest(text));
    let hex = |digest: &[u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    let forms: Vec<Vec<u8>> = digests.flat_map(|digest| [digest.to_vec(), hex(&digest)]).collect();
    assert_eq!(holding(&place.path().join("devskyy-data"), &forms), Vec::<PathBuf>::new());
}

#[test]
fn a_planted_secret_is_found_in_every_form() {
    let place = tempfile::tempdir().unwrap();
    let secret = "dsk_0193_Canary+Secret/1";
    for (number, form) in forms(secret).into_iter().enumerate() {
        let around = [b"before ".as_slice(), &form, b" after"].concat();
        fs::write(place.path().join(format!("{number}")), around).unwrap();
    }
    assert_eq!(holders(place.path(), secret).len(), 9);
}

#[test]
fn base64_is_found_wherever_the_secret_stands_in_what_was_encoded() {
    // "xCanary", "xxCanary" and "Canary" in base64.
    for (shift, encoded) in [(1, "eENhbmFyeQ=="), (2, "eHhDYW5hcnk="), (0, "Q2FuYXJ5")] {
        assert!(encoded.contains(&base64(b"Canary", shift)), "{shift}");
    }
}
