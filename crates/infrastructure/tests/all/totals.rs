//! The stored lengths of lists match the lists: as they grow, after a rebuild, and after the migration.
#![expect(clippy::disallowed_methods, reason = "runs live in real time")]

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use devskyy_application::{
    access::ListScope,
    agents::{AgentFilter, AgentSort, AgentViews as _},
    es::{EventContext, EventStore, Repository},
    paging::{PageRequest, Part, Sort},
    projects::{ProjectFilter, ProjectSort, ProjectViews as _},
    runs::{ApprovalFilter, RunViews as _},
};
use devskyy_domain::{
    agents::{Agent, AgentName, AgentType, Capabilities, Description, NewAgent},
    kernel::{
        Json,
        ids::{AgentId, ApprovalId, ProjectId, RunId, UserId},
    },
    projects::{Project, ProjectName, ProjectRole},
    runs::{Allowance, Order, Place, Priority, Progress, Run},
    workflow::Denial,
};
use devskyy_infrastructure::{
    agents::{AgentsProjection, SqlAgents},
    es::{PerStream, Projection, SqlEventStore, rebuild, verify},
    identity::{ApiKeysProjection, UsersProjection},
    projects::{ProjectsProjection, SqlProjects},
    runs::{RunsProjection, SqlRuns},
    sql::Database,
    system::SystemClock,
    totals::TotalsProjection,
};
use devskyy_testkit::{contracts::event_store::context, fakes::SequentialIds};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::databases::{Fresh, on_both_engines};

fn projections() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(PerStream(UsersProjection)),
        Arc::new(PerStream(ProjectsProjection)),
        Arc::new(PerStream(ApiKeysProjection)),
        Arc::new(PerStream(AgentsProjection)),
        Arc::new(PerStream(RunsProjection)),
        Arc::new(TotalsProjection),
    ]
}

const fn id(n: u64) -> Uuid {
    SequentialIds::nth(n)
}

fn project(n: u64) -> ProjectId {
    id(100 + n).into()
}

fn user(n: u64) -> UserId {
    id(n).into()
}

/// A run in a project that asks for so many approvals.
async fn asks(runs: &Repository<Run>, n: u64, questions: u64) {
    let (run, at) = (RunId::from(id(2_000 + n)), Utc::now());
    let order = Order {
        agent: id(1_000).into(),
        agent_version: 1,
        project: project(n),
        parent: None,
        depth: 0,
        callers: vec![],
        allowance: Allowance::default(),
        input: Json::Null,
        priority: Priority::Normal,
        deadline: at + TimeDelta::hours(1),
    };
    let context = || EventContext { project: Some(project(n)), ..context() };
    runs.update(context(), run, None, |it| it.queue(&order, at)).await.unwrap();
    runs.update(context(), run, None, |it| it.claim("ada", 1, at)).await.unwrap();
    for m in 0..questions {
        let ask = Progress::Ask {
            place: Place::step(&format!("ask_{m}")),
            approval: ApprovalId::from(id(3_000 + 10 * n + m)),
            prompt: "go?".to_owned(),
            data: Json::Null,
            on_deny: Denial::Fail,
            call: None,
            expires_at: None,
            at,
        };
        runs.update(context(), run, None, |it| it.record(it.fence(), std::slice::from_ref(&ask))).await.unwrap();
    }
}

/// Three projects with one, two and three agents, and a run each with as many approvals. Ada owns all, Kim joined two.
async fn filled(fresh: Fresh) -> Fresh {
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), projections()).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let (projects, agents) = (Repository::<Project>::new(store.clone()), Repository::<Agent>::new(store.clone()));
    let runs = Repository::<Run>::new(store);
    for n in 1..=3 {
        let name = ProjectName::parse(&format!("Project {n}")).unwrap();
        projects.update(context(), project(n), None, |it| it.create(&name, user(1), false)).await.unwrap();
        for m in 1..=n {
            let new = NewAgent {
                project: project(n),
                name: AgentName::parse(&format!("Agent {n} {m}")).unwrap(),
                kind: AgentType::Workflow,
                capabilities: Capabilities::parse::<String>(&[]).unwrap(),
                description: Description::parse("").unwrap(),
            };
            let agent = AgentId::from(id(1_000 + 10 * n + m));
            agents.update(context(), agent, None, |it| it.create(&new, None)).await.unwrap();
        }
        asks(&runs, n, n).await;
    }
    for n in 1..=2 {
        projects.update(context(), project(n), None, |it| it.add_member(user(2), ProjectRole::Viewer)).await.unwrap();
    }
    projects.update(context(), project(2), None, |it| it.remove_member(user(2))).await.unwrap();
    fresh
}

async fn agents(db: &Database, scope: ListScope) -> u64 {
    let sort = Sort { by: AgentSort::CreatedAt, descending: true };
    let filter = AgentFilter { scope, status: None, kind: None, name: None, capability: None, sort };
    let page = Part::Page(PageRequest::default());
    SqlAgents::new(db.clone()).list(filter, &page).await.unwrap().total().unwrap()
}

async fn projects(db: &Database, scope: ListScope) -> u64 {
    let sort = Sort { by: ProjectSort::CreatedAt, descending: false };
    let filter = ProjectFilter { scope, status: None, name: None, sort };
    let page = Part::Page(PageRequest::default());
    SqlProjects::new(db.clone()).list(&filter, &page).await.unwrap().total().unwrap()
}

async fn members(db: &Database, n: u64) -> u64 {
    let page = Part::Page(PageRequest::default());
    SqlProjects::new(db.clone()).members(project(n), &page).await.unwrap().total().unwrap()
}

async fn questions(db: &Database, scope: ListScope) -> u64 {
    let filter = ApprovalFilter { scope, run: None, status: None };
    let page = Part::Page(PageRequest::default());
    SqlRuns::new(db.clone()).approvals(&filter, &page).await.unwrap().total().unwrap()
}

async fn all_are_right(db: &Database) {
    let of = ListScope::Project;
    let of_agents =
        [agents(db, of(project(1))).await, agents(db, of(project(3))).await, agents(db, of(project(9))).await];
    assert_eq!(of_agents, [1, 3, 0]);
    let (ada, kim) = (ListScope::MemberOf(user(1)), ListScope::MemberOf(user(2)));
    assert_eq!([agents(db, ListScope::Everything).await, agents(db, ada).await, agents(db, kim).await], [6, 6, 1]);
    assert_eq!(
        [projects(db, ListScope::Everything).await, projects(db, ada).await, projects(db, kim).await],
        [3, 3, 1]
    );
    assert_eq!(
        [questions(db, ListScope::Everything).await, questions(db, of(project(3))).await, questions(db, kim).await],
        [6, 3, 1]
    );
    assert_eq!([members(db, 1).await, members(db, 2).await, members(db, 3).await], [2, 1, 1]);
    assert_eq!(verify(db, &projections(), vec![], |_, _| ()).await.unwrap().faults, []);
}

async fn totals_are_right(fresh: Fresh) {
    let fresh = filled(fresh).await;
    all_are_right(&fresh.db).await;
    rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
    all_are_right(&fresh.db).await;
}

/// Migrates a database from before the migration.
async fn a_migration_fills_totals_in(fresh: Fresh) {
    let fresh = filled(fresh).await;
    fresh.db.writer.execute_unprepared("DROP TABLE list_totals").await.unwrap();
    let forget = "DELETE FROM seaql_migrations WHERE version LIKE '%000008%' OR version LIKE '%000023%'";
    fresh.db.writer.execute_unprepared(forget).await.unwrap();
    fresh.db.migrate().await.unwrap();
    all_are_right(&fresh.db).await;
}

async fn a_wrong_total_is_found(fresh: Fresh) {
    let fresh = filled(fresh).await;
    let wrong = "UPDATE list_totals SET total = total + 1 WHERE list = 'members'";
    fresh.db.writer.execute_unprepared(wrong).await.unwrap();
    let faults = verify(&fresh.db, &projections(), vec![], |_, _| ()).await.unwrap().faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
}

on_both_engines!(totals_are_right, a_migration_fills_totals_in, a_wrong_total_is_found);
