//! `verify` finds what must not have happened to a run, even if the log is intact and every view follows from it.
#![expect(clippy::disallowed_methods, reason = "these tests live in real time")]

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use devskyy_application::es::{AppendRequest, EventStore, Precondition, Repository};
use devskyy_domain::{
    kernel::{
        Aggregate, Json,
        ids::{AgentId, ProjectId, RunId},
    },
    runs::{Allowance, Ending, Order, Place, Priority, Run, RunCancelled, RunEvent, ToolCalled},
    workflow::Effect,
};
use devskyy_infrastructure::{
    es::{Fault, PerStream, Projection, SqlEventStore, verify},
    runs::{RunLaw, RunsProjection},
    system::SystemClock,
};
use devskyy_testkit::{contracts::event_store::context, fakes::SequentialIds};
use sea_orm::ConnectionTrait;

use crate::databases::{Fresh, on_both_engines, sqlite};

fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(PerStream(RunsProjection))]
}

async fn faults(fresh: &Fresh) -> Vec<Fault> {
    verify(&fresh.db, &projections(), vec![Box::new(RunLaw::default())], |_, _| ()).await.unwrap().faults
}

fn queued() -> RunEvent {
    let order = Order {
        agent: AgentId::from(SequentialIds::nth(1)),
        agent_version: 1,
        project: ProjectId::from(SequentialIds::nth(2)),
        parent: None,
        depth: 0,
        callers: vec![],
        allowance: Allowance::default(),
        input: Json::Null,
        priority: Priority::Normal,
        deadline: Utc::now() + TimeDelta::hours(1),
    };
    Run::default().queue(&order, Utc::now()).unwrap().remove(0)
}

/// A database whose log has this history of a run.
async fn where_it_happened(fresh: Fresh, history: &[RunEvent]) -> Fresh {
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), projections()).await.unwrap();
    let id = RunId::from(SequentialIds::nth(9));
    let writes = vec![Repository::<Run>::write(id, Precondition::NoStream, history).unwrap()];
    store.append(AppendRequest { writes, claims: vec![], idempotency: None, context: context() }).await.unwrap();
    store.stop().await;
    fresh
}

/// An unsafe call that is repeated although the outcome of the first is unknown.
fn blind_repetition() -> Vec<RunEvent> {
    let mut history = vec![queued()];
    history.extend(Run::default().evolved(&history).claim("w", 1, Utc::now()).unwrap());
    for attempt in 1..=2 {
        let (place, operation) = (Place::step("a"), SequentialIds::nth(7).into());
        let call =
            ToolCalled { place, operation, tool: "t".into(), effect: Effect::Unsafe, attempt, arguments: Json::Null };
        history.push(call.into());
    }
    history
}

async fn a_blind_repetition_is_found(fresh: Fresh) {
    let fresh = where_it_happened(fresh, &blind_repetition()).await;
    let found = faults(&fresh).await;
    assert!(matches!(&found[..], [Fault::History { position: 4, why }] if why.contains("EffectOnce")), "{found:?}");
}

async fn a_run_that_no_worker_will_look_at_is_found(fresh: Fresh) {
    let fresh = where_it_happened(fresh, &[queued()]).await;
    let before = faults(&fresh).await;
    fresh.db.writer.execute_unprepared("UPDATE runs SET ready_at = NULL").await.unwrap();
    let after = faults(&fresh).await;
    let left = after.iter().filter(|fault| matches!(fault, Fault::History { position: 1, .. })).count();
    assert_eq!((before, left), (vec![], 1), "{after:?}");
}

on_both_engines!(a_blind_repetition_is_found, a_run_that_no_worker_will_look_at_is_found);

#[tokio::test]
async fn what_a_sound_run_did_is_no_fault() {
    let mut history = vec![queued()];
    history.extend(Run::default().evolved(&history).claim("w", 1, Utc::now()).unwrap());
    let run = Run::default().evolved(&history);
    history.extend(run.finish(run.fence(), &Ending::Cancelled, Utc::now()).unwrap());
    assert!(matches!(history.last(), Some(RunEvent::Cancelled(RunCancelled { .. }))));
    let fresh = where_it_happened(sqlite().await, &history).await;
    assert_eq!(faults(&fresh).await, []);
}
