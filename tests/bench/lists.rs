//! The cost of a list of 20 of 10,000 agents with its stored total, beside the same list with a counted total. Prints
//! one JSON object.
//!
//! `cargo bench -p devskyy-tests --bench lists -- [--agents 10000] [--rounds 5]`; includes PostgreSQL if
//! `DEVSKYY_TEST_POSTGRES_URL` names a server.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails says where")]

#[path = "store/rig.rs"]
#[expect(dead_code, reason = "the benchmark of the log needs more of it")]
mod rig;

use std::{sync::Arc, time::Instant};

use devskyy_application::{
    access::ListScope,
    agents::{AgentFilter, AgentSort, AgentViews},
    es::{EventContext, EventStore, Repository},
    paging::{PageRequest, Part, Sort},
};
use devskyy_domain::{
    agents::{Agent, AgentName, AgentType, Capabilities, Description, NewAgent},
    kernel::ids::{AgentId, ProjectId, UserId},
    projects::{Project, ProjectName},
};
use devskyy_infrastructure::{
    agents::{AgentsProjection, SqlAgents},
    es::{PerStream, Projection, SqlEventStore},
    projects::ProjectsProjection,
    sql::Database,
    system::SystemClock,
    totals::TotalsProjection,
};
use futures_util::{StreamExt, stream};
use rig::{Engine, option};
use serde_json::{Value, json};
use uuid::Uuid;

/// Lists per round and kind.
const LISTS: usize = 200;

fn context() -> EventContext {
    let (correlation_id, causation_id) = (Uuid::nil(), Uuid::nil());
    EventContext {
        actor: "system:bench".to_owned(),
        project: None,
        correlation_id,
        causation_id,
        source: None,
        traceparent: None,
    }
}

const OWNER: Uuid = Uuid::from_u128(1);
const PROJECT: Uuid = Uuid::from_u128(2);

async fn fill(db: &Database, agents: u64) {
    let projections: Vec<Arc<dyn Projection>> = vec![
        Arc::new(PerStream(ProjectsProjection)),
        Arc::new(PerStream(AgentsProjection)),
        Arc::new(TotalsProjection),
    ];
    let store = Arc::new(SqlEventStore::start_shared(db.clone(), Arc::new(SystemClock), projections).await.unwrap());
    let log: Arc<dyn EventStore> = store.clone();
    let (name, owner) = (ProjectName::parse("Bench").unwrap(), UserId::from(OWNER));
    let projects = Repository::<Project>::new(log.clone());
    projects.update(context(), ProjectId::from(PROJECT), None, |it| it.create(&name, owner, false)).await.unwrap();
    let repository = Repository::<Agent>::new(log);
    let one = |n: u64| {
        let new = NewAgent {
            project: ProjectId::from(PROJECT),
            name: AgentName::parse(&format!("Agent {n}")).unwrap(),
            kind: AgentType::Workflow,
            capabilities: Capabilities::parse(&["audit"]).unwrap(),
            description: Description::parse("One of many.").unwrap(),
        };
        let repository = repository.clone();
        async move {
            let id = AgentId::from(Uuid::from_u128(1_000 + u128::from(n)));
            repository.update(context(), id, None, |agent| agent.create(&new, None)).await.unwrap();
        }
    };
    stream::iter((0..agents).map(one)).buffer_unordered(64).count().await;
    store.stop().await;
}

fn listed(scope: ListScope, kind: Option<AgentType>) -> AgentFilter {
    let sort = Sort { by: AgentSort::CreatedAt, descending: true };
    AgentFilter { scope, status: None, kind, name: None, capability: None, sort }
}

/// The duration of each list in microseconds.
async fn measure(views: &SqlAgents, filter: &AgentFilter, agents: u64) -> Vec<u64> {
    let mut took = Vec::with_capacity(LISTS);
    for _ in 0..LISTS {
        let started = Instant::now();
        let page = views.list(filter.clone(), &Part::Page(PageRequest::default())).await.unwrap();
        took.push(u64::try_from(started.elapsed().as_micros()).unwrap());
        assert_eq!(page.total(), Some(agents));
    }
    took
}

fn told(mut took: Vec<u64>) -> Value {
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100];
    json!({"p50_us": at(50), "p99_us": at(99)})
}

async fn compare(views: &SqlAgents, scope: ListScope, agents: u64, rounds: usize) -> Value {
    let (mut kept, mut counted) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        kept.extend(measure(views, &listed(scope, None), agents).await);
        // Every agent matches; filtered lists are counted.
        counted.extend(measure(views, &listed(scope, Some(AgentType::Workflow)), agents).await);
    }
    json!({"kept": told(kept), "counted": told(counted)})
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (agents, rounds) = (option("--agents", 10_000.0) as u64, option("--rounds", 5.0) as usize);
        let mut report = serde_json::Map::new();
        for engine in Engine::available() {
            let fresh = engine.fresh().await;
            fill(&fresh.db, agents).await;
            let views = SqlAgents::new(fresh.db.clone());
            let of_project = compare(&views, ListScope::Project(PROJECT.into()), agents, rounds).await;
            let of_person = compare(&views, ListScope::MemberOf(OWNER.into()), agents, rounds).await;
            report.insert(engine.name().to_owned(), json!({"of_project": of_project, "of_person": of_person}));
        }
        println!("{}", serde_json::to_string_pretty(&json!({"agents": agents, "lists": report})).unwrap());
    });
}
