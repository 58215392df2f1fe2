//! Results on SQL keep the contract, and `verify` finds those that differ from what events refer to.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    es::{AppendRequest, EventStore, Precondition, Repository},
    runs::{ResultStore, result_hash},
};
use devskyy_domain::{
    kernel::{
        Aggregate, Json,
        ids::{AgentId, ProjectId, RunId},
    },
    runs::{Allowance, Order, Place, Priority, Progress, Run, RunEvent, StoredResult},
    workflow::Effect,
};
use devskyy_infrastructure::{
    es::{Fault, PerStream, Projection, SqlEventStore, rebuild, verify},
    runs::{ResultLaw, RunsProjection, SqlResults},
};
use devskyy_testkit::{
    contracts::{event_store::context, results::ResultsUnderTest},
    fakes::{FixedClock, SequentialIds},
};
use sea_orm::{ConnectionTrait, Statement};

use crate::databases::{self, Fresh, on_both_engines};

fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(PerStream(RunsProjection))]
}

async fn log(fresh: &Fresh) -> SqlEventStore {
    SqlEventStore::start(fresh.db.clone(), Arc::new(FixedClock::default()), projections()).await.unwrap()
}

async fn over(fresh: Fresh) -> ResultsUnderTest {
    let store: Arc<dyn EventStore> = Arc::new(log(&fresh).await);
    ResultsUnderTest { store, results: Arc::new(SqlResults::new(fresh.db.clone())), keep: Box::new(fresh) }
}

mod on_sqlite {
    use super::{ResultsUnderTest, databases, over};

    async fn results() -> ResultsUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::results_contract!(results);
}

mod on_postgres {
    use super::{ResultsUnderTest, databases, over};

    async fn results() -> ResultsUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::results_contract!(
        #[ignore = "needs PostgreSQL"]
        results
    );
}

const TEXT: &[u8] = br#""a large text""#;

fn project() -> ProjectId {
    ProjectId::from(SequentialIds::nth(2))
}

/// A run whose two steps had the same result, which is stored beside the log.
fn history() -> Vec<RunEvent> {
    let at = DateTime::UNIX_EPOCH;
    let order = Order {
        agent: AgentId::from(SequentialIds::nth(1)),
        agent_version: 1,
        project: project(),
        parent: None,
        depth: 0,
        callers: vec![],
        allowance: Allowance::default(),
        input: Json::Null,
        priority: Priority::Normal,
        deadline: at + TimeDelta::hours(1),
    };
    let mut history = Run::default().queue(&order, at).unwrap();
    history.extend(Run::default().evolved(&history).claim("w", 1, at).unwrap());
    for step in ["a", "b"] {
        let operation = SequentialIds::nth(if step == "a" { 7 } else { 8 }).into();
        let (place, tool, effect, arguments) = (Place::step(step), "t".to_owned(), Effect::ReadOnly, Json::Null);
        let stored = StoredResult { hash: result_hash(TEXT), bytes: TEXT.len() as u64, preview: String::new() };
        let call = Progress::Call { place, operation, tool, effect, arguments };
        let reports = [call, Progress::Answer { operation, result: stored.into() }];
        history.extend(Run::default().evolved(&history).record(1, &reports).unwrap());
    }
    history
}

/// A database whose log refers to a result, which is stored if `kept`.
async fn referring(fresh: Fresh, kept: bool) -> Fresh {
    if kept {
        let results = SqlResults::new(fresh.db.clone());
        results.keep(project(), result_hash(TEXT), TEXT, DateTime::<Utc>::UNIX_EPOCH).await.unwrap();
    }
    let store = log(&fresh).await;
    let id = RunId::from(SequentialIds::nth(9));
    for (version, events) in [(0, &history()[..4]), (4, &history()[4..])] {
        let writes = vec![Repository::<Run>::write(id, Precondition::Version(version), events).unwrap()];
        store.append(AppendRequest { writes, claims: vec![], idempotency: None, context: context() }).await.unwrap();
    }
    store.stop().await;
    fresh
}

async fn faults(fresh: &Fresh) -> Vec<Fault> {
    verify(&fresh.db, &projections(), vec![Box::new(ResultLaw::default())], |_, _| ()).await.unwrap().faults
}

async fn a_damaged_result_is_found(fresh: Fresh) {
    let fresh = referring(fresh, true).await;
    let before = faults(&fresh).await;
    let blob = if fresh.db.of_one_process() { "x'22'" } else { "'\\x22'" };
    fresh.db.writer.execute_unprepared(&format!("UPDATE results SET content = {blob}")).await.unwrap();
    let after = faults(&fresh).await;
    assert_eq!(before, []);
    assert!(
        matches!(&after[..], [Fault::Result { position: 4, why }] if why.contains("not what was kept")),
        "{after:?}"
    );
}

on_both_engines!(a_damaged_result_is_found);

#[tokio::test]
async fn a_missing_result_is_found() {
    let fresh = referring(databases::sqlite().await, false).await;
    let found = faults(&fresh).await;
    assert!(matches!(&found[..], [Fault::Result { position: 4, why }] if why.contains("missing")), "{found:?}");
}

async fn references(fresh: &Fresh) -> Vec<(String, i64)> {
    let sql = Statement::from_string(fresh.db.backend(), "SELECT hash, position FROM run_results");
    let rows = fresh.db.reader.query_all_raw(sql).await.unwrap();
    rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
}

#[tokio::test]
async fn a_run_refers_to_a_result_once_and_where_it_did_first() {
    let fresh = referring(databases::sqlite().await, true).await;
    assert_eq!(references(&fresh).await, [(result_hash(TEXT).to_string(), 4)]);
}

#[tokio::test]
async fn rebuilding_views_leaves_results_where_they_are() {
    let fresh = referring(databases::sqlite().await, true).await;
    rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
    assert_eq!((references(&fresh).await.len(), faults(&fresh).await), (1, vec![]));
}

#[tokio::test]
async fn a_sweep_goes_on_until_nothing_is_left_to_sweep() {
    let fresh = databases::sqlite().await;
    let results = SqlResults::new(fresh.db.clone());
    for n in 0..250_u8 {
        results.keep(project(), result_hash(&[n]), &[n], DateTime::<Utc>::UNIX_EPOCH).await.unwrap();
    }
    let swept = results.sweep(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(1)).await.unwrap();
    assert_eq!(swept, 250);
}

#[tokio::test]
async fn looking_for_orphans_reads_no_contents() {
    let fresh = databases::sqlite().await;
    let plan = "EXPLAIN QUERY PLAN SELECT project_id, hash FROM results WHERE kept_at < 1 AND NOT EXISTS \
        (SELECT 1 FROM run_results r WHERE r.project_id = results.project_id AND r.hash = results.hash) \
        ORDER BY kept_at, project_id, hash LIMIT 100";
    let rows = fresh.db.reader.query_all_raw(Statement::from_string(fresh.db.backend(), plan)).await.unwrap();
    let steps: Vec<String> = rows.iter().map(|row| row.try_get_by_index(3).unwrap()).collect();
    assert!(steps.iter().any(|step| step.contains("COVERING INDEX results_by_age")), "{steps:?}");
}
