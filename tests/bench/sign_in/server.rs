//! The real binary on SQLite, and its clients.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "Correct-horse-7";

/// A server that is killed at the end.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    directory: TempDir,
    pub(crate) http: reqwest::Client,
}

impl Server {
    /// Starts the binary with its defaults, but without throttling.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_devskyy"));
        command.args(["serve", "--port", &port, "--log-level", "error"]);
        for allowance in ["source_failures", "account_sign_ins", "registrations"] {
            command.args(["--set", &format!("throttle.{allowance}=1000000")]);
        }
        command.args(["--set", "throttle.account_failures=1000"]);
        let child = command.current_dir(directory.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(1_024).build().unwrap();
        Self { child, url: format!("http://127.0.0.1:{port}"), directory, http }
    }

    /// The first administrator's access token.
    pub(crate) async fn administrator(&self) -> String {
        let started = Instant::now();
        while self.http.get(format!("{}/health/ready", self.url)).send().await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "the server does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let token = std::fs::read_to_string(self.directory.path().join("devskyy-data/bootstrap-token")).unwrap();
        self.register("admin", Some(token.trim())).await;
        let answer = self.log_in("admin@example.org", PASSWORD).await;
        answer.1["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn register(&self, name: &str, bootstrap_token: Option<&str>) -> String {
        let email = format!("{name}@example.org");
        let mut body = json!({"email": email, "password": PASSWORD, "name": name});
        if let Some(token) = bootstrap_token {
            body["bootstrap_token"] = json!(token);
        }
        let answer = self.http.post(format!("{}/api/v1/auth/register", self.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Status and body.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> (u16, Value) {
        let body = json!({"email": email, "password": password});
        let answer = self.http.post(format!("{}/api/v1/auth/login", self.url)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number from the command line.
pub(crate) fn option(name: &str, otherwise: f64) -> f64 {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name);
    at.and_then(|at| arguments.get(at + 1)).map_or(otherwise, |value| value.parse().unwrap())
}

/// A quantile of some measurements, rounded to thousandths.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = ((values.len() - 1) as f64 * share).round() as usize;
    (values[at] * 1_000.0).round() / 1_000.0
}

/// Median, two upper quantiles and the maximum.
pub(crate) fn spread(mut values: Vec<f64>) -> Value {
    json!({
        "n": values.len(), "p50": quantile(&mut values, 0.5), "p90": quantile(&mut values, 0.9),
        "p99": quantile(&mut values, 0.99), "max": quantile(&mut values, 1.0),
    })
}

pub(crate) fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
