//! The kept lengths of lists are the lists' lengths: as they grow, after a rebuild, and after the migration.

use std::sync::Arc;

use devskyy_application::{
    access::ListScope,
    agents::{AgentFilter, AgentSort, AgentViews as _},
    es::{EventStore, Repository},
    paging::{PageRequest, Part, Sort},
    projects::{ProjectFilter, ProjectSort, ProjectViews as _},
};
use devskyy_domain::{
    agents::{Agent, AgentName, AgentType, Capabilities, Description, NewAgent},
    kernel::ids::{AgentId, ProjectId, UserId},
    projects::{Project, ProjectName, ProjectRole},
};
use devskyy_infrastructure::{
    agents::{AgentsProjection, SqlAgents},
    es::{PerStream, Projection, SqlEventStore, rebuild, verify},
    identity::{ApiKeysProjection, UsersProjection},
    projects::{ProjectsProjection, SqlProjects},
    runs::RunsProjection,
    sql::Database,
    system::SystemClock,
    totals::TotalsProjection,
};
use devskyy_testkit::{contracts::event_store::context, fakes::SequentialIds};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::databases::{Fresh, postgres, sqlite};

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

/// Three projects with one, two and three agents. Ada owns all, Kim came into the first two and left the second.
async fn filled(fresh: Fresh) -> Fresh {
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), projections()).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let (projects, agents) = (Repository::<Project>::new(store.clone()), Repository::<Agent>::new(store));
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
    assert_eq!([members(db, 1).await, members(db, 2).await, members(db, 3).await], [2, 1, 1]);
    assert_eq!(verify(db, &projections(), vec![], |_, _| ()).await.unwrap().faults, []);
}

async fn totals_are_right(fresh: Fresh) {
    let fresh = filled(fresh).await;
    all_are_right(&fresh.db).await;
    rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
    all_are_right(&fresh.db).await;
}

/// As a database from before the migration would be brought up to date.
async fn the_migration_fills_them_in(fresh: Fresh) {
    let fresh = filled(fresh).await;
    fresh.db.writer.execute_unprepared("DROP TABLE list_totals").await.unwrap();
    let forget = "DELETE FROM seaql_migrations WHERE version LIKE '%000008%'";
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

#[tokio::test]
async fn totals_are_right_on_sqlite() {
    totals_are_right(sqlite().await).await;
}

#[tokio::test]
async fn a_migration_fills_totals_in_on_sqlite() {
    the_migration_fills_them_in(sqlite().await).await;
}

#[tokio::test]
async fn a_wrong_total_is_found_on_sqlite() {
    a_wrong_total_is_found(sqlite().await).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn totals_are_right_on_postgres() {
    totals_are_right(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_migration_fills_totals_in_on_postgres() {
    the_migration_fills_them_in(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_wrong_total_is_found_on_postgres() {
    a_wrong_total_is_found(postgres().await).await;
}
