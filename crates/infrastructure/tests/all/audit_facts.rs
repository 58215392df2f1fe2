//! The facts of the trail are those of the log: as they are recorded, after a rebuild, and after the migration.

use std::sync::Arc;

use devskyy_application::{
    audit::{AuditFilter, AuditTrail as _},
    es::{EventStore, Repository},
};
use devskyy_domain::{
    kernel::ids::{ProjectId, UserId},
    projects::{Project, ProjectName, ProjectRole},
};
use devskyy_infrastructure::{
    audit::{AuditProjection, SqlAudit},
    es::{Projection, SqlEventStore, rebuild, verify},
    sql::Database,
    system::SystemClock,
};
use devskyy_testkit::{contracts::event_store::context, fakes::SequentialIds};
use sea_orm::ConnectionTrait;

use crate::databases::{Fresh, on_both_engines};

fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(AuditProjection)]
}

/// A project that a user joined.
async fn filled(fresh: Fresh) -> Fresh {
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), projections()).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let projects = Repository::<Project>::new(store.clone());
    let (project, owner) = (ProjectId::from(SequentialIds::nth(10)), UserId::from(SequentialIds::nth(1)));
    let name = ProjectName::parse("Lighthouse").unwrap();
    projects.update(context(), project, None, |it| it.create(&name, owner, false)).await.unwrap();
    let guest = UserId::from(SequentialIds::nth(2));
    projects.update(context(), project, None, |it| it.add_member(guest, ProjectRole::Viewer)).await.unwrap();
    fresh
}

async fn kinds(db: &Database) -> Vec<String> {
    let told = SqlAudit::new(db.clone()).list(&AuditFilter::default(), 10).await.unwrap();
    let mut kinds: Vec<_> = told.into_iter().map(|entry| entry.kind).collect();
    kinds.sort_unstable();
    kinds
}

async fn all_are_told(db: &Database) {
    assert_eq!(kinds(db).await, ["project.created", "project.member_added"]);
    assert_eq!(verify(db, &projections(), vec![], |_, _| ()).await.unwrap().faults, []);
}

async fn facts_are_the_logs(fresh: Fresh) {
    let fresh = filled(fresh).await;
    all_are_told(&fresh.db).await;
    rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
    all_are_told(&fresh.db).await;
}

/// Migrates a database from before the migration.
async fn a_migration_fills_facts_in(fresh: Fresh) {
    let fresh = filled(fresh).await;
    for statement in [
        "DROP TABLE audit_facts",
        "DROP TABLE security_records",
        "DROP TABLE request_origins",
        "DELETE FROM seaql_migrations WHERE version LIKE '%000010%'",
    ] {
        fresh.db.writer.execute_unprepared(statement).await.unwrap();
    }
    fresh.db.migrate().await.unwrap();
    all_are_told(&fresh.db).await;
}

async fn a_forged_fact_is_found(fresh: Fresh) {
    let fresh = filled(fresh).await;
    let forged = "UPDATE audit_facts SET actor = 'user:nobody' WHERE kind = 'project.member_added'";
    fresh.db.writer.execute_unprepared(forged).await.unwrap();
    let faults = verify(&fresh.db, &projections(), vec![], |_, _| ()).await.unwrap().faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
}

on_both_engines!(facts_are_the_logs, a_migration_fills_facts_in, a_forged_fact_is_found);
