//! Changes of the log's tables are detected: every column of each, by changes derived from the schema.

use std::{collections::BTreeSet, sync::Arc};

use devskyy_application::{
    agents::held_name,
    es::{
        AppendRequest, Claim, ClaimChange, EventContext, EventFilter, EventStore, NewEvent, Precondition, StreamId,
        StreamWrite,
    },
    identity::{INVITATION_SCOPE, email_claim, first_administrator},
};
use devskyy_domain::{
    agents::{Agent, AgentEvent, AgentName, AgentType, Capabilities, Description, NewAgent},
    identity::{PlatformRole, User},
    kernel::{Aggregate, ids::ProjectId},
};
use devskyy_infrastructure::{
    es::{ClaimLaw, Fault, HeldByEach, Law, Replay, SqlEventStore, verify},
    identity::HeldByPeople,
    sql::Database,
    system::SystemClock,
};
use devskyy_testkit::{
    chance::Chance,
    contracts::event_store::{Request, context, lamp},
    fakes::SequentialIds,
};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use uuid::Uuid;

use crate::databases::{Fresh, on_both_engines, sqlite};

/// Rows of each table that are changed.
const ROWS: usize = 3;

/// A table and how a row of it is identified, as SQL that yields a condition.
struct Table {
    name: &'static str,
    row: &'static str,
}

const EVENTS: Table = Table { name: "es_events", row: "'position = ' || position" };
const STREAMS: Table = Table { name: "es_streams", row: "'stream_no = ' || stream_no" };
const CLAIMS: Table = Table { name: "es_claims", row: "'scope = ''' || scope || ''' AND value = ''' || value || ''''" };

/// A change that the database itself accepts, and what verification reports.
#[derive(Debug)]
struct Tampered {
    row: String,
    column: String,
    change: String,
    faults: Vec<Fault>,
}

async fn texts(db: &Database, sql: &str) -> Vec<Vec<String>> {
    let rows = db.writer.query_all_raw(Statement::from_string(db.backend(), sql)).await.unwrap();
    let width = |row: &sea_orm::QueryResult| row.column_names().len();
    rows.iter().map(|row| (0..width(row)).map(|n| row.try_get_by_index(n).unwrap()).collect()).collect()
}

/// Name and type of every column in the schema.
async fn columns(db: &Database, table: &str) -> Vec<(String, String)> {
    let described = match db.backend() {
        DatabaseBackend::Postgres => format!(
            "SELECT column_name::text, data_type::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ),
        _ => format!("SELECT name, lower(type) FROM pragma_table_info('{table}')"),
    };
    let columns = texts(db, &described).await;
    columns.into_iter().map(|mut column| (column.remove(0), column.remove(0))).collect()
}

/// Possible changes of a value of that type.
fn changes(chance: &mut Chance, backend: DatabaseBackend, column: &str, kind: &str) -> Vec<String> {
    let mut bytes = |length: u64| (0..length).map(|_| format!("{:02x}", chance.below(256))).collect::<String>();
    match (kind, backend) {
        ("integer" | "bigint" | "smallint", _) => {
            vec![format!("{column} + 1"), format!("{column} - 1"), format!("{column} + 999"), format!("-{column}")]
        }
        ("text", _) => vec![format!("{column} || 'x'"), format!("upper({column})"), "''".to_owned()],
        ("uuid", _) => vec![format!("'{}'::uuid", bytes(16))],
        (_, DatabaseBackend::Postgres) => vec![format!("'\\x{}'::bytea", bytes(32)), "''::bytea".to_owned()],
        _ => vec![format!("x'{}'", bytes(16)), format!("x'{}'", bytes(32)), "x''".to_owned()],
    }
}

/// Removes the protection of the database itself.
async fn unlock(db: &Database) {
    let unlock = match db.backend() {
        DatabaseBackend::Postgres => "ALTER TABLE es_events DISABLE TRIGGER USER",
        _ => "DROP TRIGGER es_events_are_not_changed; DROP TRIGGER es_events_are_not_deleted",
    };
    db.writer.execute_unprepared(unlock).await.unwrap();
}

async fn faults(db: &Database, laws: Vec<Box<dyn Law>>) -> Vec<Fault> {
    verify(db, &[], laws, |_, _| ()).await.unwrap().faults
}

fn laws() -> Vec<Box<dyn Law>> {
    let agents = HeldByEach::<Agent>::following(held_name);
    vec![Box::new(ClaimLaw::over(vec![Box::new(HeldByPeople::default()), Box::new(agents)]))]
}

/// Tries each change of each column of some rows, and the removal of each row, in turn.
async fn tampered(db: &Database, table: &Table) -> Vec<Tampered> {
    unlock(db).await;
    let (mut chance, mut tried) = (Chance::drawn(), Vec::new());
    let Table { name, row } = table;
    let all = texts(db, &format!("SELECT {row} FROM {name} ORDER BY 1")).await.concat();
    let mut rows = BTreeSet::new();
    while rows.len() < ROWS.min(all.len()) {
        rows.extend(chance.one_of(&all).cloned());
    }
    db.writer.execute_unprepared(&format!("CREATE TABLE kept AS SELECT * FROM {name}")).await.unwrap();
    for row in rows {
        let mut ways = vec![("the row".to_owned(), String::new(), format!("DELETE FROM {name} WHERE {row}"))];
        for (column, kind) in columns(db, name).await {
            for change in changes(&mut chance, db.backend(), &column, &kind) {
                let set = format!("UPDATE {name} SET {column} = {change} WHERE {row} AND {column} <> {change}");
                ways.push((column.clone(), change, set));
            }
        }
        for (column, change, sql) in ways {
            // A change that violates a key is refused; one without effect is no change.
            if db.writer.execute_unprepared(&sql).await.is_ok_and(|done| done.rows_affected() == 1) {
                let faults = faults(db, laws()).await;
                tried.push(Tampered { row: row.clone(), column, change, faults });
                let restore = format!("DELETE FROM {name}; INSERT INTO {name} SELECT * FROM kept");
                db.writer.execute_unprepared(&restore).await.unwrap();
            }
        }
    }
    tried
}

fn write(category: &'static str, id: Uuid, events: Vec<NewEvent>) -> StreamWrite {
    StreamWrite { stream: StreamId { category, id }, precondition: Precondition::NoStream, events }
}

/// An action, and the unique values it claims.
struct Deed {
    actor: &'static str,
    writes: Vec<StreamWrite>,
    claims: Vec<(Claim, Uuid)>,
}

async fn done(store: &SqlEventStore, deeds: Vec<Deed>) {
    for Deed { actor, writes, claims } in deeds {
        let claims = claims.into_iter().map(|(claim, owner)| ClaimChange::Take { claim, owner }).collect();
        let context = EventContext { actor: actor.to_owned(), ..context() };
        store.append(AppendRequest { writes, claims, idempotency: None, context }).await.unwrap();
    }
}

fn encoded<E: devskyy_domain::kernel::EventSet>(events: &[E]) -> Vec<NewEvent> {
    events.iter().map(|event| NewEvent::encode(event).unwrap()).collect()
}

fn registered(n: u64, role: PlatformRole, actor: &'static str, came_by: Option<Claim>) -> Deed {
    let (id, project) = (SequentialIds::nth(n), SequentialIds::nth(900 + n).into());
    let events = encoded(&User::default().register(role, project).unwrap());
    let claims = std::iter::once(email_claim(&digest(n))).chain(came_by).map(|claim| (claim, id)).collect();
    Deed { actor, writes: vec![write(User::CATEGORY, id, events)], claims }
}

fn digest(n: u64) -> [u8; 32] {
    [u8::try_from(n).unwrap(); 32]
}

fn agent(name: &str) -> NewAgent {
    NewAgent {
        project: ProjectId::from(SequentialIds::nth(5)),
        name: AgentName::parse(name).unwrap(),
        kind: AgentType::Workflow,
        capabilities: Capabilities::parse(&["test"]).unwrap(),
        description: Description::parse("").unwrap(),
    }
}

fn created(n: u64, name: &str) -> Deed {
    let (id, events) = (SequentialIds::nth(n), Agent::default().create(&agent(name), None).unwrap());
    let claims = events.iter().fold(None, held_name).map(|claim| (claim, id)).into_iter().collect();
    Deed { actor: "user:ada", writes: vec![write(Agent::CATEGORY, id, encoded(&events))], claims }
}

/// An administrator by bootstrap, by invitation and by command line; agents, one of which has several events.
async fn worked_in(fresh: Fresh) -> Fresh {
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    let invitation = Claim { scope: INVITATION_SCOPE.to_owned(), value: "ab12".to_owned() };
    let mut deeds = vec![
        registered(1, PlatformRole::Admin, "anonymous", Some(first_administrator())),
        registered(2, PlatformRole::Member, "anonymous", Some(invitation)),
        registered(3, PlatformRole::Admin, "system:command line", None),
        created(11, "Night Watch"),
        created(12, "Day Watch"),
    ];
    let (renamed, owner) = (AgentName::parse("Dawn Watch").unwrap(), SequentialIds::nth(13));
    let drafted = Agent::default().create(&agent("Dusk Watch"), None).unwrap();
    let changed = Agent::default().evolved(&drafted).change(Some(&renamed), None, None).unwrap();
    let history: Vec<AgentEvent> = [drafted, changed].concat();
    let claims = history.iter().fold(None, held_name).map(|claim| (claim, owner)).into_iter().collect();
    deeds.push(Deed { actor: "user:ada", writes: vec![write(Agent::CATEGORY, owner, encoded(&history))], claims });
    done(&store, deeds).await;
    store.stop().await;
    for n in 1..=3 {
        let values = vec![SequentialIds::nth(n).into(), digest(n).to_vec().into()];
        let insert = match fresh.db.backend() {
            DatabaseBackend::Postgres => "($1, $2, 'a@example.org', 'Ada', 0)",
            _ => "(?, ?, 'a@example.org', 'Ada', 0)",
        };
        let insert =
            format!("INSERT INTO user_profiles (user_id, email_digest, email, name, created_at) VALUES {insert}");
        let insert = Statement::from_sql_and_values(fresh.db.backend(), insert, values);
        fresh.db.writer.execute_raw(insert).await.unwrap();
    }
    assert_eq!(faults(&fresh.db, laws()).await, [], "nobody has changed anything yet");
    fresh
}

/// Fails unless every column was changed, and each change was detected: where it was made, or at the start of a stream
/// that has lost its newest event.
fn found_where_it_was(tried: &[Tampered], columns: &[(String, String)], key: &str) {
    for Tampered { row, column, change, faults } in tried {
        let position = row.strip_prefix(key).unwrap().parse::<u64>().unwrap();
        let at = |fault: &Fault| matches!(fault, Fault::Chain { position: at, .. } if *at <= position);
        assert!(matches!(faults.as_slice(), [fault] if at(fault)), "{row}, {column} = {change}: {faults:?}");
    }
    let changed: BTreeSet<_> = tried.iter().map(|tried| &tried.column).collect();
    assert!(columns.iter().all(|(column, _)| changed.contains(column)), "of {columns:?} only {changed:?}");
}

async fn every_column_of_an_event_is_kept(fresh: Fresh) {
    let fresh = worked_in(fresh).await;
    let tried = tampered(&fresh.db, &EVENTS).await;
    found_where_it_was(&tried, &columns(&fresh.db, "es_events").await, "position = ");
}

async fn every_column_of_a_stream_is_kept(fresh: Fresh) {
    let fresh = worked_in(fresh).await;
    let tried = tampered(&fresh.db, &STREAMS).await;
    found_where_it_was(&tried, &columns(&fresh.db, "es_streams").await, "stream_no = ");
}

/// The invitation by which a user registered is recorded only in the claim itself.
async fn every_column_of_a_claim_is_kept(fresh: Fresh) {
    let fresh = worked_in(fresh).await;
    let tried = tampered(&fresh.db, &CLAIMS).await;
    let unseen: Vec<_> = tried.iter().filter(|tried| tried.faults.is_empty()).collect();
    let untold = |it: &&Tampered| it.row.contains(INVITATION_SCOPE) && (it.column == "value" || it.column == "the row");
    assert!(unseen.iter().all(untold), "{unseen:?}");
    let claims = tried.iter().flat_map(|tried| &tried.faults).all(|fault| matches!(fault, Fault::Claim { .. }));
    let changed: BTreeSet<_> = tried.iter().map(|tried| tried.column.as_str()).collect();
    assert_eq!((claims, changed), (true, BTreeSet::from(["owner", "scope", "the row", "value"])));
}

/// What can be added to each table.
async fn what_is_added_is_found(fresh: Fresh) {
    let fresh = worked_in(fresh).await;
    let columns = "version, recorded_at, event_id, correlation_id, causation_id, schema_version, event_type, data, meta, \
         hash FROM es_events";
    let stray = |numbers: &str| {
        format!("INSERT INTO es_streams SELECT {numbers} FROM es_streams WHERE category = 'user' AND stream_no = 1")
    };
    let added = [
        stray("99, 'lamp', stream_id, 0"),
        stray("0, 'lamp', stream_id, 1"),
        stray("-1, 'lamp', stream_id, -1"),
        format!("INSERT INTO es_events SELECT 0, stream_no, 9 + {columns} WHERE position = 1"),
        format!("INSERT INTO es_events SELECT -5, -5, {columns} WHERE position = 1"),
        format!("INSERT INTO es_events SELECT 99, 99, {columns} WHERE position = 1"),
        "INSERT INTO es_claims SELECT 'lamp.name', 'desk', stream_id FROM es_streams WHERE stream_no = 1".to_owned(),
        "INSERT INTO es_claims SELECT 'user.email', 'ff', stream_id FROM es_streams WHERE stream_no = 1".to_owned(),
        "INSERT INTO es_claims SELECT 'user.invitation', 'ff', stream_id FROM es_streams WHERE stream_no = 2"
            .to_owned(),
    ];
    unlock(&fresh.db).await;
    for table in ["es_events", "es_streams", "es_claims"] {
        let keep = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}");
        fresh.db.writer.execute_unprepared(&keep).await.unwrap();
    }
    for addition in added {
        assert_eq!(fresh.db.writer.execute_unprepared(&addition).await.unwrap().rows_affected(), 1, "{addition}");
        assert_eq!(faults(&fresh.db, laws()).await.len(), 1, "{addition}");
        for table in ["es_events", "es_streams", "es_claims"] {
            let restore = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
            fresh.db.writer.execute_unprepared(&restore).await.unwrap();
        }
    }
}

/// An agent that takes a name without claiming it shares it with another: the claim is of one, the events of both.
async fn a_name_that_two_hold_is_found(fresh: Fresh) {
    let fresh = worked_in(fresh).await;
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    done(&store, vec![Deed { claims: vec![], ..created(14, "Night watch") }]).await;
    store.stop().await;
    let found = faults(&fresh.db, laws()).await;
    assert!(matches!(&found[..], [Fault::Claim { position: Some(8), .. }]), "{found:?}");
}

on_both_engines!(
    every_column_of_an_event_is_kept,
    every_column_of_a_stream_is_kept,
    every_column_of_a_claim_is_kept,
    what_is_added_is_found,
    a_name_that_two_hold_is_found,
);

/// A row that no release ever wrote is reported as damaged, and not read as 0 or 1970.
async fn is_read_as_damaged(fresh: &Fresh, change: &str) {
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    Request::to(lamp(1), &["a"]).ask(&store).await.unwrap();
    unlock(&fresh.db).await;
    fresh.db.writer.execute_unprepared(&format!("UPDATE es_events SET {change}")).await.unwrap();
    let read = store.read_all(0, 10, &EventFilter::default()).await;
    assert!(matches!(&read, Err(error) if !error.retryable), "{change}: {read:?}");
    let replayed = Replay::start(&fresh.db, vec![], 1).next().await;
    assert!(matches!(&replayed, Err(error) if !error.retryable), "{change}: {replayed:?}");
}

#[tokio::test]
async fn an_event_of_no_version_is_read_as_damaged_on_sqlite() {
    is_read_as_damaged(&sqlite().await, "version = -1").await;
}

async fn an_event_of_no_time_is_read_as_damaged(fresh: Fresh) {
    is_read_as_damaged(&fresh, "recorded_at = 9223372036854775807").await;
}

on_both_engines!(an_event_of_no_time_is_read_as_damaged);
