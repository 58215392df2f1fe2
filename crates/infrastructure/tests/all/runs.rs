//! The SQL adapters keep the contract of runs.

use std::sync::Arc;

use chrono::TimeDelta;
use devskyy_application::es::{AppendRequest, EventContext, EventStore, Precondition, Repository};
use devskyy_domain::{
    kernel::{
        Aggregate, Json,
        ids::{AgentId, ApprovalId, ProjectId, RunId},
    },
    runs::{Allowance, Order, Place, Priority, Progress, Run, RunError, RunEvent},
    workflow::Denial,
};
use devskyy_infrastructure::{
    agents::{AgentsProjection, SqlAgents},
    es::{PerStream, Projection, SqlEventStore},
    projects::ProjectsProjection,
    runs::{AgentsForRuns, RunsProjection, SqlRunQueue, SqlRuns},
    system::SystemClock,
    totals::TotalsProjection,
};
use devskyy_testkit::contracts::runs::RunsUnderTest;
use uuid::Uuid;

use crate::{
    databases::{self, Fresh},
    machine::Waits,
};

async fn log(fresh: &Fresh) -> Arc<dyn EventStore> {
    let projections: Vec<Arc<dyn Projection>> = vec![
        Arc::new(PerStream(ProjectsProjection)),
        Arc::new(PerStream(AgentsProjection)),
        Arc::new(PerStream(RunsProjection)),
        Arc::new(TotalsProjection),
    ];
    Arc::new(SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), projections).await.unwrap())
}

async fn over(fresh: Fresh) -> RunsUnderTest {
    let (db, store) = (fresh.db.clone(), log(&fresh).await);
    RunsUnderTest {
        store: store.clone(),
        views: Arc::new(SqlRuns::new(db.clone())),
        queue: Arc::new(SqlRunQueue::new(db.clone())),
        agents: Arc::new(AgentsForRuns::new(Arc::new(SqlAgents::new(db)), store)),
        clock: Arc::new(SystemClock),
        time: Arc::new(Waits),
        keep: Box::new(fresh),
    }
}

/// The next events of a run.
type Decides<'a> = &'a dyn Fn(&Run) -> Result<Vec<RunEvent>, RunError>;

/// A log of SQLite may be copied: these views are derived from it on PostgreSQL.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_question_that_holds_a_nul_is_seen_with_a_sign_in_its_place() {
    let runs = over(databases::postgres().await).await;
    let (id, approval) = (RunId::from(Uuid::from_u128(1)), ApprovalId::from(Uuid::from_u128(2)));
    let now = runs.clock.now();
    let order = Order {
        agent: AgentId::from(Uuid::from_u128(3)),
        agent_version: 1,
        project: ProjectId::from(Uuid::from_u128(4)),
        parent: None,
        depth: 0,
        callers: vec![],
        allowance: Allowance::default(),
        input: Json::Null,
        priority: Priority::Normal,
        deadline: now + TimeDelta::hours(1),
    };
    let ask = Progress::Ask {
        place: Place::step("ask"),
        approval,
        prompt: "a\0b".to_owned(),
        data: Json::Null,
        on_deny: Denial::Fail,
        call: None,
        expires_at: None,
        at: now,
    };
    let (mut run, mut events) = (Run::default(), Vec::new());
    let decisions: [Decides<'_>; 3] = [&|run| run.queue(&order, now), &|run| run.claim("ada", 1, now), &|run| {
        run.record(run.fence(), std::slice::from_ref(&ask))
    }];
    for decide in decisions {
        let decided = decide(&run).unwrap();
        decided.iter().for_each(|event| run.apply(event));
        events.extend(decided);
    }
    let context = EventContext {
        actor: "user:ada".to_owned(),
        project: Some(order.project),
        correlation_id: Uuid::from_u128(5),
        causation_id: Uuid::from_u128(5),
        source: None,
        traceparent: None,
    };
    let write = Repository::<Run>::write(id, Precondition::NoStream, &events).unwrap();
    let request = AppendRequest { writes: vec![write], claims: vec![], idempotency: None, context };
    runs.store.append(request).await.unwrap();
    let seen = runs.views.approval(approval).await.unwrap().unwrap();
    assert_eq!(seen.prompt, "a\u{FFFD}b");
}

mod on_sqlite {
    use super::{RunsUnderTest, databases, over};

    async fn runs() -> RunsUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::runs_contract!(runs);
}

/// A log with an event an hour ahead of time, so that all later ones have that time too.
mod on_a_log_that_ran_ahead {
    use std::sync::Arc;

    use chrono::TimeDelta;
    use devskyy_application::ports::Clock as _;
    use devskyy_infrastructure::{es::SqlEventStore, system::SystemClock};
    use devskyy_testkit::{
        contracts::event_store::{Request, lamp},
        fakes::FixedClock,
    };

    use super::{RunsUnderTest, databases, over};

    async fn runs() -> RunsUnderTest {
        let fresh = databases::sqlite().await;
        let ahead = Arc::new(FixedClock::at(SystemClock.now() + TimeDelta::hours(1)));
        let store = SqlEventStore::start(fresh.db.clone(), ahead, Vec::new()).await.unwrap();
        Request::to(lamp(1), &["a"]).ask(&store).await.unwrap();
        store.stop().await;
        over(fresh).await
    }

    devskyy_testkit::promises! { [runs] [(&) runs::queue] =>
        a_ready_run_is_handed_out_once,
        a_lease_older_than_the_fence_is_no_obstacle,
        an_answer_makes_a_waiting_run_claimable,
        a_run_that_is_handed_over_is_claimable,
    }
}

mod on_postgres {
    use super::{RunsUnderTest, databases, over};

    async fn runs() -> RunsUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::runs_contract!(
        #[ignore = "needs PostgreSQL"]
        runs
    );
}
