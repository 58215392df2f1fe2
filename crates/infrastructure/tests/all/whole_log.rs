//! Verification and rebuilds, over real projections.

use std::sync::Arc;

use devskyy_application::es::{EventStore, Position, Repository};
use devskyy_domain::{
    kernel::ids::{ProjectId, UserId},
    projects::{Project, ProjectName},
};
use devskyy_infrastructure::{
    es::{Fault, PerStream, Projection, SqlEventStore, rebuild, verify},
    projects::ProjectsProjection,
    sql::Database,
    system::SystemClock,
};
use devskyy_testkit::{contracts::event_store::context, fakes::SequentialIds};
use sea_orm::ConnectionTrait;

use crate::databases::{Fresh, on_both_engines, postgres, sqlite};

fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(PerStream(ProjectsProjection))]
}

/// Ten projects of two events each: positions 1 to 10 create, 11 to 20 rename.
async fn filled(fresh: Fresh) -> Fresh {
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), projections()).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let projects = Repository::<Project>::new(store);
    let (owner, named) = (UserId::from(SequentialIds::nth(99)), |name: String| ProjectName::parse(&name).unwrap());
    for n in 1..=10 {
        let id = ProjectId::from(SequentialIds::nth(n));
        let create = |project: &Project| project.create(&named(format!("Lamp {n}")), owner, false);
        projects.update(context(), id, None, create).await.unwrap();
    }
    for n in 1..=10 {
        let rename = |project: &Project| project.rename(&named(format!("Switch {n}")));
        projects.update(context(), SequentialIds::nth(n).into(), None, rename).await.unwrap();
    }
    fresh
}

async fn faults(db: &Database) -> Vec<Fault> {
    verify(db, &projections(), vec![], |_, _| ()).await.unwrap().faults
}

/// Changes what the database itself protects.
async fn tamper(db: &Database, sql: &str) {
    let unlock = match db.backend() {
        sea_orm::DatabaseBackend::Postgres => "ALTER TABLE es_events DISABLE TRIGGER USER",
        _ => "DROP TRIGGER IF EXISTS es_events_are_not_changed; DROP TRIGGER IF EXISTS es_events_are_not_deleted",
    };
    db.writer.execute_unprepared(unlock).await.unwrap();
    db.writer.execute_unprepared(sql).await.unwrap();
}

fn broken_at(faults: &[Fault]) -> Option<Position> {
    match faults {
        [Fault::Chain { position, .. }] => Some(*position),
        _ => None,
    }
}

async fn each_changed_column_is_found(fresh: impl AsyncFn() -> Fresh) {
    let changes = [
        "UPDATE es_events SET data = replace(data, 'Switch', 'Swatch') WHERE position = 13",
        "UPDATE es_events SET meta = replace(meta, 'user', 'root') WHERE position = 13",
        "UPDATE es_events SET event_type = 'project.deleted' WHERE position = 13",
        "UPDATE es_events SET recorded_at = recorded_at + 1 WHERE position = 13",
        "UPDATE es_events SET schema_version = 2 WHERE position = 13",
        "UPDATE es_events SET event_id = correlation_id WHERE position = 13",
        "UPDATE es_events SET causation_id = event_id WHERE position = 13",
        "UPDATE es_events SET correlation_id = (SELECT event_id FROM es_events WHERE position = 12) WHERE position = 13",
        "UPDATE es_events SET version = version + 100 WHERE position = 13",
        "UPDATE es_events SET version = 1000, stream_no = (SELECT stream_no FROM es_events WHERE position = 1) WHERE position = 13",
        "UPDATE es_events SET position = 1013 WHERE position = 13",
        "UPDATE es_events SET hash = (SELECT hash FROM es_events WHERE position = 12) WHERE position = 13",
        "DELETE FROM es_events WHERE position = 13",
    ];
    for change in changes {
        let fresh = filled(fresh().await).await;
        tamper(&fresh.db, change).await;
        let faults = faults(&fresh.db).await;
        assert_eq!(broken_at(&faults), Some(13), "{change}: {faults:?}");
    }
}

async fn a_changed_view_is_named_and_repaired_by_a_rebuild(fresh: Fresh) {
    let fresh = filled(fresh).await;
    let db = &fresh.db;
    assert_eq!(faults(db).await, []);
    db.writer.execute_unprepared("UPDATE projects SET name = 'Mine' WHERE position IN (14, 17)").await.unwrap();
    db.writer.execute_unprepared("DELETE FROM project_members WHERE position = 3").await.unwrap();
    let found: Vec<_> = faults(db)
        .await
        .into_iter()
        .map(|fault| match fault {
            Fault::Projection { table, position, .. } => (table, position),
            fault => panic!("{fault}"),
        })
        .collect();
    assert_eq!(found, [("project_members", Some(3)), ("projects", Some(14))]);
    let mut heard = Vec::new();
    assert_eq!(rebuild(db, &projections(), |done, of| heard.push((done, of))).await.unwrap(), 20);
    assert_eq!((faults(db).await, heard), (vec![], vec![(20, 20)]));
}

async fn the_database_refuses_to_change_events(fresh: Fresh) {
    let fresh = filled(fresh).await;
    let db = &fresh.db;
    for change in ["UPDATE es_events SET data = '{}'", "DELETE FROM es_events"] {
        assert!(db.writer.execute_unprepared(change).await.is_err(), "{change} was allowed");
    }
}

#[tokio::test]
async fn verifying_names_the_first_changed_position_on_sqlite() {
    each_changed_column_is_found(sqlite).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn verifying_names_the_first_changed_position_on_postgres() {
    each_changed_column_is_found(postgres).await;
}

on_both_engines!(a_changed_view_is_named_and_repaired_by_a_rebuild, the_database_refuses_to_change_events);
