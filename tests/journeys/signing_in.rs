use reqwest::StatusCode;
use serde_json::json;

use crate::{
    client::{Client, PASSWORD},
    program::{devskyy, ended, fails},
    server::Server,
};

#[tokio::test]
async fn a_token_is_good_after_a_power_failure() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let ada = Client::administrator(&server).await;
    server.kill();
    let server = Server::start(place.path());
    ada.at(&server.url).get("/api/v1/auth/me").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    assert!(server.banner.contains("bootstrap-token"), "{}", server.banner);
    Client::administrator(&server).await;
    server.kill();
    let server = Server::start(place.path());
    assert!(!server.banner.contains("bootstrap-token"), "{}", server.banner);
}

#[tokio::test]
async fn an_administrator_is_made_on_the_command_line() {
    let place = tempfile::tempdir().unwrap();
    let (code, out, error) =
        ended(devskyy(place.path()).args(["user", "create-admin", "--email", "grace@example.com", "--name", "Grace"]));
    assert_eq!(code, 0, "{error}");
    let password = out.lines().find_map(|line| line.strip_prefix("password: ")).unwrap().to_owned();

    let server = Server::start(place.path());
    assert!(!server.banner.contains("bootstrap-token"), "{}", server.banner);
    let body = json!({"email": "grace@example.com", "password": password});
    Client::stranger(&server.url).post("/api/v1/auth/login", &body).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn an_account_is_made_on_the_command_line_where_registration_is_closed() {
    let place = tempfile::tempdir().unwrap();
    let arguments = ["user", "create", "--email", "grace@example.com", "--name", "Grace"];
    let (code, out, error) = ended(devskyy(place.path()).args(arguments).args(["--set", "registration.mode=closed"]));
    assert_eq!(code, 0, "{error}");
    let password = out.lines().find_map(|line| line.strip_prefix("password: ")).unwrap().to_owned();

    let server = Server::start_with(place.path(), |command| {
        command.args(["--set", "registration.mode=closed"]);
    });
    let body = json!({"email": "grace@example.com", "password": password});
    let stranger = Client::stranger(&server.url);
    let tokens = stranger.post("/api/v1/auth/login", &body).await.expect(StatusCode::OK);
    let me =
        stranger.request(reqwest::Method::GET, "/api/v1/auth/me").bearer_auth(tokens["access_token"].as_str().unwrap());
    let me: serde_json::Value = me.send().await.unwrap().json().await.unwrap();
    assert_eq!(me["role"], "member", "{me}");
}

#[test]
fn an_administrators_password_is_read_from_standard_input() {
    use std::{io::Write as _, process::Stdio};
    let place = tempfile::tempdir().unwrap();
    let mut command = devskyy(place.path());
    command.args(["user", "create-admin", "--email", "grace@example.com", "--name", "Grace", "--password-stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && !String::from_utf8_lossy(&output.stdout).contains(PASSWORD));
}

#[test]
fn an_administrator_with_a_bad_email_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    fails(devskyy(place.path()).args(["user", "create-admin", "--email", "grace", "--name", "Grace"]), 1, &["mail"]);
}

#[test]
fn a_master_key_that_does_not_fit_the_database_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    drop(Server::start(place.path()));
    let mut command = devskyy(place.path());
    command.args(["serve", "--port", "0"]).env("DEVSKYY_SECURITY__MASTER_KEY", "ab".repeat(32));
    fails(&mut command, 1, &["master key", "security.master_key"]);
}

#[test]
fn the_banners_command_makes_the_first_administrator() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let lines = server.banner.lines().skip_while(|line| !line.trim().starts_with("curl"));
    let command: Vec<&str> = lines.take_while(|line| !line.starts_with("Stop")).collect();
    let (code, out, error) = ended(std::process::Command::new("bash").args(["-c", &command.join("\n")]));
    assert!(code == 0 && out.contains("\"role\":\"admin\""), "{out}{error}");
}

#[tokio::test]
async fn keys_are_rotated_while_a_server_runs_and_nobody_is_signed_out() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let ada = Client::administrator(&server).await;
    let (code, out, error) = ended(devskyy(place.path()).args(["keys", "rotate"]));
    assert!(code == 0 && out.contains("is published and signs from"), "{out}{error}");
    server.kill();
    let server = Server::start(place.path());
    ada.at(&server.url).get("/api/v1/auth/me").await.expect(StatusCode::OK);
    let published = ada.at(&server.url).get("/.well-known/jwks.json").await.expect(StatusCode::OK);
    assert_eq!(published["keys"].as_array().unwrap().len(), 2, "{published}");
}

#[test]
fn keys_of_no_database_are_not_rotated() {
    let place = tempfile::tempdir().unwrap();
    fails(devskyy(place.path()).args(["keys", "rotate"]), 1, &["there is no database"]);
}

#[tokio::test]
async fn a_forged_token_is_a_line_with_the_ids_of_its_request() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let forged = Client::stranger(&server.url).request(reqwest::Method::GET, "/api/v1/agents").bearer_auth("forged");
    let answer = forged.header("x-request-id", "knock-17").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let log = server.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let noted: Vec<_> = lines.filter(|line| line["target"] == "devskyy::security").collect();
    assert_eq!(
        (noted.len(), &noted[0]["event"], &noted[0]["object"]),
        (1, &json!("authn_login_fail"), &json!("bearer"))
    );
    assert!(noted[0]["correlation_id"].is_string(), "{:#}", noted[0]);
    assert_eq!(noted[0]["spans"][0]["request_id"], "knock-17");
}

#[tokio::test]
async fn of_two_who_change_a_password_at_once_one_gets_through() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let ada = Client::administrator(&server).await;
    let change = async |new: &str| {
        let body = json!({"current_password": PASSWORD, "password": new});
        let answer = ada.post("/api/v1/auth/password", &body).await;
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };
    let (one, other) = tokio::join!(change("Difference-1822"), change("Analytical-1837"));
    let mut answers = [one, other];
    answers.sort();
    let refused = (StatusCode::UNPROCESSABLE_ENTITY, "user.current_password_wrong".to_owned());
    assert_eq!(answers, [(StatusCode::NO_CONTENT, String::new()), refused]);
}
