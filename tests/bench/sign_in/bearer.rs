//! The check of a bearer token as a share of the cheapest request that needs one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Instant,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    error::PortError,
    identity::{AccessClaims, AccessTokens as _, Standings},
    ports::{Clock, IdGenerator as _},
};
use devskyy_domain::{
    identity::PlatformRole,
    kernel::ids::{SessionId, UserId},
};
use devskyy_infrastructure::{
    crypto::{EdDsaAccessTokens, MasterKey, SqlSigningKeyStore, TokenSettings},
    identity::CachedStandings,
    sql::Database,
    system::{RandomIds, SystemClock},
};
use serde_json::{Value, json};

use crate::server::{Server, quantile};

/// Requests of each kind.
const REQUESTS: usize = 3_000;
/// Checks that are timed together; one alone is too short for the clock.
const TOGETHER: u32 = 100;
/// Requests that need a token and no arguments.
const PATHS: [&str; 4] = ["/api/v1/auth/me", "/api/v1/auth/sessions", "/api/v1/projects", "/api/v1/approvals"];

pub(crate) async fn measure(server: &Server, token: &str) -> Value {
    let (remembered, signature) = checks().await;
    let mut requests: Vec<(&str, f64)> = PATHS.iter().map(|path| (*path, request(server, path, Some(token)))).collect();
    requests.sort_by(|one, other| one.1.total_cmp(&other.1));
    let (path, cheapest) = requests[0];
    json!({
        "check_us": {"remembered": remembered, "first_time": signature},
        "request_us": requests.iter().map(|(path, us)| ((*path).to_owned(), json!(us))).collect::<serde_json::Map<_, _>>(),
        "cheapest": path,
        "share_of_cheapest": (remembered / cheapest * 10_000.0).round() / 10_000.0,
        "share_of_cheapest_first_time": (signature / cheapest * 10_000.0).round() / 10_000.0,
        "health_live_us": {
            "without_token": request(server, "/health/live", None),
            "with_token": request(server, "/health/live", Some(token)),
        },
        "goal": {"share_of_cheapest": 0.15},
    })
}

/// Accepts every session.
struct Open;

#[async_trait]
impl Standings for Open {
    async fn of(&self, _: UserId, _: SessionId, _: DateTime<Utc>) -> Result<Option<PlatformRole>, PortError> {
        Ok(Some(PlatformRole::Member))
    }

    fn forget(&self, _: SessionId) {}
}

/// The median microseconds of a check, for a cached token and for a new one.
async fn checks() -> (f64, f64) {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(SqlSigningKeyStore::new(Database::scratch().await.unwrap()));
    let tokens =
        EdDsaAccessTokens::load(TokenSettings::default(), store, MasterKey::generate().unwrap(), clock.clone());
    let (tokens, standings) = (tokens.await.unwrap(), CachedStandings::new(Arc::new(Open)));
    let mut fresh = Vec::new();
    for _ in 0..REQUESTS {
        fresh.push(tokens.issue(&claims(clock.now())).await.unwrap());
    }
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for token in &fresh {
        let (now, asked) = (clock.now(), Instant::now());
        let claims = tokens.verify(token, now).await.unwrap().unwrap();
        standings.of(claims.user, claims.session, now).await.unwrap();
        first.push(asked.elapsed().as_secs_f64() * 1e6);
        let asked = Instant::now();
        for _ in 0..TOGETHER {
            let claims = tokens.verify(token, now).await.unwrap().unwrap();
            standings.of(claims.user, claims.session, now).await.unwrap();
        }
        again.push(asked.elapsed().as_secs_f64() * 1e6 / f64::from(TOGETHER));
    }
    (quantile(&mut again, 0.5), quantile(&mut first, 0.5))
}

fn claims(now: DateTime<Utc>) -> AccessClaims {
    AccessClaims {
        id: RandomIds.next(),
        user: UserId::from(RandomIds.next()),
        session: SessionId::from(RandomIds.next()),
        issued_at: now,
        expires_at: now + TimeDelta::minutes(15),
    }
}

/// The median microseconds of a request on a reused connection.
fn request(server: &Server, path: &str, token: Option<&str>) -> f64 {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream.set_nodelay(true).unwrap();
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n");
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut taken = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let asked = Instant::now();
        stream.write_all(head.as_bytes()).unwrap();
        read(&mut answers);
        taken.push(asked.elapsed().as_secs_f64() * 1e6);
    }
    quantile(&mut taken, 0.5)
}

/// Reads one response with a known length, which must be a success.
fn read(answers: &mut BufReader<TcpStream>) {
    let (mut line, mut length, mut first) = (String::new(), 0, true);
    loop {
        line.clear();
        answers.read_line(&mut line).unwrap();
        assert!(!first || line.starts_with("HTTP/1.1 200"), "{line}");
        first = false;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    answers.read_exact(&mut vec![0; length]).unwrap();
}
