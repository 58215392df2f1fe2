//! A data directory from before most of the schema, opened by today's binary: what waited then continues now.

use std::{path::Path, process::Command, sync::Arc};

use devskyy_application::{
    es::{
        AppendRequest, Claim, ClaimChange, EventContext, EventStore as _, NewEvent, Precondition, StreamId, StreamWrite,
    },
    identity::{PasswordHasher as _, email_digest},
    ports::Clock as _,
};
use devskyy_domain::{
    identity::{Email, Password, PasswordPolicy},
    workflow::Workflow,
};
use devskyy_infrastructure::{
    crypto::{Argon2Cost, Argon2PasswordHasher, KeyedTokenMint, MasterKey},
    es::SqlEventStore,
    sql::Database,
};
use devskyy_migrations::{Migrator, MigratorTrait as _};
use devskyy_testkit::fakes::FixedClock;
use reqwest::StatusCode;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    client::{Client, PASSWORD},
    clustered::Fresh,
    program::{devskyy, ended},
    server::Server,
};

/// The migrations when runs were introduced; most of today's tables and columns are missing.
const EARLY: u32 = 5;
/// What a worker of that time recorded of a run, in its form.
const PARKED: &str = include_str!("../../crates/application/tests/fixtures/parked_on_approval.jsonl");
const USER: Uuid = Uuid::from_u128(3);
const RUN: Uuid = Uuid::from_u128(50);
// As in the recorded events.
const PROJECT: Uuid = Uuid::from_u128(7);
const AGENT: Uuid = Uuid::from_u128(1);
const APPROVAL: Uuid = Uuid::from_u128(0x42);

/// Asks for an approval, then returns its input.
fn asks() -> String {
    let definition = json!({
        "steps": [
            {"id": "ask", "approval": {"prompt": "Go on with {{ input }}?"}},
            {"id": "then", "needs": ["ask"], "tool": "jq", "arguments": {"program": ".n", "input": {"n": {"$jq": ".input"}}}}
        ],
        "output": {"$jq": ".steps.then.output"}
    });
    let definition: Workflow = serde_json::from_value(definition).unwrap();
    serde_json::to_string(&definition).unwrap()
}

/// A platform of that time, over a database with nothing newer.
struct Early {
    db: Database,
    store: SqlEventStore,
    clock: Arc<FixedClock>,
    mint: KeyedTokenMint,
}

impl Early {
    async fn begun(url: &str, master: MasterKey) -> Self {
        let db = Database::connect(url, 4).await.unwrap();
        Migrator::up(&db.writer, Some(EARLY)).await.unwrap();
        let clock = Arc::new(FixedClock::default());
        // The log is as it was; the views of that time are written by hand below.
        let store = SqlEventStore::start(db.clone(), clock.clone(), vec![]).await.unwrap();
        Self { db, store, clock, mint: KeyedTokenMint::new(master) }
    }

    async fn recorded(
        &self,
        (category, id): (&'static str, Uuid),
        events: impl IntoIterator<Item = (&str, String)>,
        claims: Vec<(String, String)>,
    ) {
        let events = events.into_iter().map(|(kind, data)| NewEvent {
            event_type: kind.to_owned().into(),
            schema_version: 1,
            data,
        });
        let write = StreamWrite {
            stream: StreamId { category, id },
            precondition: Precondition::NoStream,
            events: events.collect(),
        };
        let taken = |(scope, value)| ClaimChange::Take { claim: Claim { scope, value }, owner: id };
        let context = EventContext {
            actor: format!("user:{USER}"),
            project: Some(PROJECT.into()),
            correlation_id: Uuid::from_u128(1),
            causation_id: Uuid::from_u128(1),
            source: None,
            traceparent: None,
        };
        let claims = claims.into_iter().map(taken).collect();
        let request = AppendRequest { writes: vec![write], claims, idempotency: None, context };
        self.store.append(request).await.unwrap();
    }

    /// A user registered, and has a project.
    async fn person(&self) {
        let email = Email::parse("ada@example.com").unwrap();
        let password = Password::parse(PASSWORD, Some(&email), PasswordPolicy::default()).unwrap();
        let hasher = Argon2PasswordHasher::start(Argon2Cost::default(), 1, 1).unwrap();
        let email_digest = email_digest(&self.mint, &email);
        let password = hasher.hash(&password).await.unwrap();
        // The adapter of today expects columns that did not exist then.
        let at = self.clock.now().timestamp_micros();
        let profile = "INSERT INTO user_profiles (user_id, email, email_digest, name, created_at) \
                       VALUES ($1, $2, $3, 'Ada', $4)";
        let profile_of = [USER.into(), email.as_str().into(), email_digest.to_vec().into(), at.into()];
        let secret = "INSERT INTO credentials (user_id, password_hash, changed_at) VALUES ($1, $2, $3)";
        let secret_of = [USER.into(), password.0.clone().into(), at.into()];
        let backend = self.db.backend();
        self.db.writer.execute_raw(Statement::from_sql_and_values(backend, profile, profile_of)).await.unwrap();
        self.db.writer.execute_raw(Statement::from_sql_and_values(backend, secret, secret_of)).await.unwrap();
        let digest: String = email_digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let claims =
            vec![("user.email".to_owned(), digest), ("platform.bootstrap".to_owned(), "first-admin".to_owned())];
        let registered = json!({"role": "admin", "personal_project": PROJECT}).to_string();
        self.recorded(("user", USER), [("user.registered", registered)], claims).await;
        let created = json!({"name": "Personal", "slug": "personal", "owner": USER, "personal": true}).to_string();
        self.recorded(("project", PROJECT), [("project.created", created)], vec![]).await;
    }

    async fn agent(&self) {
        let created = json!({"project": PROJECT, "name": "Asker", "type": "workflow", "capabilities": ["test"], "description": ""});
        let events = [
            ("agent.created", created.to_string()),
            ("agent.version_published", format!(r#"{{"number":1,"definition":{}}}"#, asks())),
            ("agent.activated", "{}".to_owned()),
        ];
        let name = (format!("agent.name:{PROJECT}"), "asker".to_owned());
        self.recorded(("agent", AGENT), events, vec![name]).await;
    }

    async fn parked_run(&self) {
        let lines: Vec<Value> = PARKED.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let events = lines.iter().map(|event| (event["type"].as_str().unwrap(), event["data"].to_string()));
        self.recorded(("run", RUN), events, vec![]).await;
    }

    /// The rows of the views for that.
    async fn seen(&self) {
        let id = |id: Uuid| match self.db.backend() {
            DatabaseBackend::Postgres => format!("'{id}'::uuid"),
            _ => format!("x'{}'", id.simple()),
        };
        let at = self.clock.now().timestamp_micros();
        let (user, project, agent, run, approval) = (id(USER), id(PROJECT), id(AGENT), id(RUN), id(APPROVAL));
        let second = |n: i64| at + n * 1_000_000;
        let deadline = 4_102_444_800_000_000_i64;
        let definition = asks().replace('\'', "''");
        for row in [
            format!("users VALUES ({user}, 'admin', 'active', {project}, {at}, 1, 1)"),
            format!("projects VALUES ({project}, 'Personal', 'personal', 'active', {user}, {at}, 1, 2)"),
            format!("project_members VALUES ({project}, {user}, 'owner', {at}, 2)"),
            format!(
                "agents VALUES ({agent}, {project}, 'Asker', 'asker', 'workflow', '[\"test\"]', '', 'active', 1, {at}, {at}, 3, 5)"
            ),
            format!("agent_versions VALUES ({agent}, 1, '{definition}', {at}, 'user:{USER}', 4)"),
            format!(
                "runs VALUES ({run}, {project}, {agent}, 1, 'waiting', '[\"approval\"]', 0, NULL, NULL, 'user:{USER}', {deadline}, \
                 {at}, {}, NULL, 2, {deadline}, 4, 9)",
                second(1)
            ),
            format!(
                "run_approvals VALUES ({approval}, {run}, {project}, 'ask', NULL, 'Go on with 5?', '5', 'open', {}, NULL, NULL, \
                 NULL, 8)",
                second(2)
            ),
        ] {
            self.db.writer.execute_unprepared(&format!("INSERT INTO {row}")).await.unwrap();
        }
    }

    async fn left(url: &str, master: MasterKey) {
        let early = Self::begun(url, master).await;
        early.person().await;
        early.agent().await;
        early.parked_run().await;
        early.seen().await;
        early.store.stop().await;
        early.db.close().await;
    }
}

/// What happens to the run that waited: its approval, how it ends and with what output once it is decided, and what
/// `verify` reports afterwards.
async fn taken_over(place: &Path, choose: impl Fn(&mut Command)) -> (Value, Value, Value, i32, String) {
    let server = Server::start_with(place, |command| choose(command));
    let ada = Client::stranger(&server.url).signed_in("ada@example.com").await;
    let open = ada.get("/api/v1/approvals?status=open").await.expect(StatusCode::OK);
    let path = format!("/api/v1/runs/{RUN}/approvals/{APPROVAL}");
    ada.post(&path, &json!({"decision": "approve"})).await.expect(StatusCode::OK);
    let run = ada.run_ended(&RUN.to_string()).await;
    server.signal("-TERM");
    tokio::task::block_in_place(|| server.ended());
    let mut verify = devskyy(place);
    choose(verify.arg("verify"));
    let (code, out, error) = ended(&mut verify);
    let faults = if code == 0 { String::new() } else { out + &error };
    (open["items"][0]["prompt"].clone(), run["status"].clone(), run["output"].clone(), code, faults)
}

fn finished() -> (Value, Value, Value, i32, String) {
    (json!("Go on with 5?"), json!("completed"), json!(5), 0, String::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_parked_on_approval_in_an_early_data_directory_is_approved_and_finished_by_todays_binary() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("devskyy-data");
    std::fs::create_dir(&data).unwrap();
    let master = MasterKey::load_or_create(&data.join("master-key")).unwrap();
    Early::left(&format!("sqlite://{}", data.join("devskyy.db").display()), master).await;
    assert_eq!(taken_over(place.path(), |_| ()).await, finished());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_run_parked_on_approval_in_an_early_postgresql_is_approved_and_finished_by_todays_binary() {
    let (place, database) = (tempfile::tempdir().unwrap(), Fresh::make());
    Early::left(database.url(), MasterKey::parse(&"c0".repeat(32)).unwrap()).await;
    assert_eq!(taken_over(place.path(), |command| database.choose(command)).await, finished());
}
