//! Marked secrets go through the whole platform and are searched for in everything that stays.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use devskyy_application::es::chain::digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    client::{Client, PASSWORD},
    clustered::Fresh,
    echo::Echo,
    server::Server,
};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The middle of a text's base64 (RFC 4648), whatever comes before and after it.
fn base64(text: &[u8], shift: usize) -> String {
    let bits: Vec<u8> = text.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    // With other bytes before it, the first whole sextet begins after these bits.
    let skipped = [0, 4, 2][shift];
    let sextets =
        bits[skipped..].chunks_exact(6).map(|six| six.iter().fold(0, |sum, bit| sum << 1 | usize::from(*bit)));
    sextets.map(|index| char::from(ALPHABET[index])).collect()
}

/// The forms in which a secret might stay. Hexadecimal digits are used as bytes, and might stay as such.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = written(secret.as_bytes());
    forms.extend(of_hex(secret).map(|bytes| written(&bytes)).unwrap_or_default());
    forms
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = |pair| std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2);
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(digits(pair)?, 16).ok()).collect()
}

/// The encodings of bytes.
fn written(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    for standard in (0..3).map(|shift| base64(bytes, shift)) {
        forms.push(standard.replace('+', "-").replace('/', "_").into_bytes());
        forms.push(standard.into_bytes());
    }
    forms
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

/// The platform's master key.
const MASTER: &str = "63616e6172792ea4d1f0937be25c886f1b3d5a7c9e0f2143658799aabbccddee";
/// The key of the provider that the operator has configured.
const HOUSE: &str = "Canary-House-Key-6";
/// The key of a project's own provider.
const OWN: &str = "Canary-Provider-Key-5";

/// A server with secrets of its own and a verbose log.
fn serving(directory: &Path, models: &Echo, change: impl FnOnce(&mut Command)) -> Server {
    let house = format!("models.house.base_url=http://{}/v1", models.address);
    Server::start_with(directory, |command| {
        let reaching = ["--set", "egress.allow_http=true", "--set", "egress.allow_private=127.0.0.0/8"];
        command.args(["--set", "log.level=debug", "--set", &house]).args(reaching);
        change(command);
        command.env("DEVSKYY_MODELS__HOUSE__API_KEY", HOUSE).env("DEVSKYY_SECURITY__MASTER_KEY", MASTER);
    })
}

/// Starts runs whose model providers refuse and return the key they received.
async fn asked(ada: &Client, project: &str, models: &Echo) {
    let body =
        json!({"name": "own", "kind": "openai", "base_url": format!("http://{}/v1", models.address), "key": OWN});
    keyed(ada, &format!("/api/v1/projects/{project}/providers"), &body).await;
    for provider in ["house", "own"] {
        let definition = json!({"model": format!("{provider}/echo-1"), "instructions": "Say something."});
        let body = json!({"name": provider, "type": "assistant", "project_id": project, "definition": definition});
        let agent = text(&ada.post("/api/v1/agents", &body).await.expect(StatusCode::CREATED), "id");
        let run = ada.run_ended(&ada.execute(&agent, &json!("Well?")).await).await;
        assert_eq!(run["status"], "failed", "{run:#}");
    }
    assert_eq!(models.heard(), [HOUSE, OWN].map(|key| format!("Bearer {key}")));
}

/// Uses every kind of secret, and returns them all.
#[expect(clippy::disallowed_methods, reason = "a journey lives in real time")]
async fn used(server: &Server, models: &Echo) -> Vec<(&'static str, String)> {
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
    asked(&ada, &text(&project, "id"), models).await;
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
        ("key of a project's provider", OWN.to_owned()),
        ("key of the configured provider", HOUSE.to_owned()),
        ("master key", MASTER.to_owned()),
    ]
}

/// Creates something that contains a secret, under an idempotency key.
async fn keyed(by: &Client, path: &str, body: &Value) -> Value {
    let request = by.request(Method::POST, path).header("idempotency-key", text(body, "name")).json(body);
    request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
}

/// Starts runs that send a secret to a service that returns it, before and after it is replaced.
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

/// Lets a service repeat a secret so often that the result is stored beside the log.
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
    let (place, models) = (tempfile::tempdir().unwrap(), Echo::start().await);
    let server = serving(place.path(), &models, |_| {});
    let secrets = used(&server, &models).await;
    // The trail is written within a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let copy = place.path().join("copy");
    copied(&place.path().join("devskyy-data"), &copy);
    server.signal("-TERM");
    server.ended();
    assert_eq!(holders(&copy, "authn_login_fail").len(), 1, "the search reaches what was written before the copy");
    assert_eq!(found(place.path(), &secrets), []);
}

/// The secrets found below a directory, with the files that contain them.
fn found(below: &Path, secrets: &[(&'static str, String)]) -> Vec<(&'static str, Vec<PathBuf>)> {
    let found = secrets.iter().map(|(name, secret)| (*name, holders(below, secret)));
    found.filter(|(_, files)| !files.is_empty()).collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn no_secret_stays_in_the_tables_or_the_log_of_a_server_on_postgresql() {
    let (place, models, database) = (tempfile::tempdir().unwrap(), Echo::start().await, Fresh::make());
    let server = serving(place.path(), &models, |command| database.choose(command));
    let secrets = used(&server, &models).await;
    // The trail is written within a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    server.signal("-TERM");
    server.ended();
    let tables = place.path().join("tables");
    database.written_out(&tables);
    assert!(!holders(&tables, "authn_login_fail").is_empty(), "the search reaches what was written");
    assert_eq!(found(place.path(), &secrets), []);
}

/// The stored digest of a repeatable request must not let a reader test guesses of the secret in its body.
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
fn a_key_of_hexadecimal_digits_is_found_as_the_bytes_it_means() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("bytes"), [b"before ".as_slice(), b"\xc0\xff\xee\x11", b" after"].concat()).unwrap();
    assert_eq!(holders(place.path(), "c0ffee11").len(), 1);
}

#[test]
fn base64_is_found_wherever_the_secret_stands_in_what_was_encoded() {
    // "xCanary", "xxCanary" and "Canary" in base64.
    for (shift, encoded) in [(1, "eENhbmFyeQ=="), (2, "eHhDYW5hcnk="), (0, "Q2FuYXJ5")] {
        assert!(encoded.contains(&base64(b"Canary", shift)), "{shift}");
    }
}
