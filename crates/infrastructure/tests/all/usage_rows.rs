//! The stored usage is the sum over the log: as it grows, after a rebuild, and after the migration.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use devskyy_application::{
    es::{EventFilter, EventStore},
    paging::{PageRequest, Part},
    runs::{Dimension, Grouping, ModelUse, TokenCount, UsageGroup, UsageRow},
};
use devskyy_domain::{
    kernel::ids::{AgentId, ProjectId, RunId},
    runs::{RunEvent, RunForked, RunRetried},
};
use devskyy_infrastructure::{
    es::{Fault, PerStream, Projection, rebuild, verify},
    runs::RunsProjection,
    sql::Database,
};
use devskyy_testkit::contracts::usage::{Answer, UsageUnderTest, ten};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    databases::{Fresh, on_both_engines},
    usage::over,
};

fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(PerStream(RunsProjection))]
}

async fn faults(db: &Database) -> Vec<Fault> {
    verify(db, &projections(), vec![], |_, _| ()).await.unwrap().faults
}

/// An answer of any model to any of ten runs, and how many hours later.
fn happening() -> impl Strategy<Value = (u64, Answer, u64)> {
    let model = prop_oneof![Just("a/small"), Just("a/large"), Just("b/x/large")];
    let tokens = [(); 5].map(|()| prop_oneof![Just(0), 0_u64..100_000]);
    let tokens = tokens.prop_map(|[input, output, cache_read, cache_write, reasoning]| TokenCount {
        input,
        output,
        cache_read,
        cache_write,
        reasoning,
    });
    let cost_micros = prop_oneof![Just(None), any::<u32>().prop_map(|cost| Some(cost.into()))];
    let answer = (model, tokens, any::<bool>(), cost_micros);
    let answer =
        answer.prop_map(|(model, tokens, estimated, cost_micros)| Answer { model, tokens, estimated, cost_micros });
    (1..=10_u64, answer, 0..9_u64)
}

/// Runs of two projects and three agents with random answers.
async fn filled(fresh: Fresh) -> (UsageUnderTest, Database) {
    let db = fresh.db.clone();
    let usage = over(fresh).await;
    for run in 1..=10 {
        usage.begun(run, 1 + run % 2, 1 + run % 3).await;
    }
    let happenings = vec(happening(), 80).new_tree(&mut TestRunner::deterministic()).unwrap().current();
    for (run, answer, hours) in happenings {
        usage.answered(run, &[answer]).await;
        usage.clock.advance(Duration::from_secs(3_600 * hours));
    }
    (usage, db)
}

/// The usage of the first project by groups, summed up here from the log in the simplest way.
async fn folded(store: &dyn EventStore, project: ProjectId, by: Grouping) -> Vec<UsageGroup> {
    let page = store.read_all(0, 10_000, &EventFilter::default()).await.unwrap();
    let (mut runs, mut groups) = (BTreeMap::<RunId, (ProjectId, AgentId)>::new(), BTreeMap::new());
    for recorded in page.events {
        let run = RunId::from(recorded.stream_id);
        match recorded.decode::<RunEvent>().unwrap() {
            RunEvent::Queued(queued) => drop(runs.insert(run, (queued.order.project, queued.order.agent))),
            RunEvent::ModelAnswered(answer) => {
                let (project, agent) = runs[&run];
                let (day, model) = (recorded.recorded_at.date_naive(), answer.answered_by);
                let row = UsageRow { project, day, model, agent };
                let group = groups.entry((project, UsageGroup::around(&row, by).place()));
                let used = &mut group.or_insert(UsageGroup::around(&row, by)).used;
                used.calls += 1;
                used.unpriced_calls += u64::from(answer.cost_micros.is_none());
                used.estimated_calls += u64::from(answer.estimated);
                used.tokens += answer.usage;
                used.cost_micros += answer.cost_micros.unwrap_or_default();
            }
            _ => {}
        }
    }
    groups.into_iter().filter(|((of, _), _)| *of == project).map(|(_, group)| group).collect()
}

async fn all_is_as_the_log_says(usage: &UsageUnderTest, db: &Database) {
    use Dimension::{Agent, Day, Model};
    let any: [&[Dimension]; 7] =
        [&[Day], &[Model], &[Agent], &[Day, Model], &[Day, Agent], &[Model, Agent], &[Day, Model, Agent]];
    let all = Part::Page(PageRequest { page: 1, page_size: 100_000 });
    for by in any.map(|by| Grouping::by(by).unwrap()) {
        let filter = usage.all(by);
        let told = usage.usage.usage(&filter, &all).await.unwrap();
        let folded = folded(&*usage.store, filter.project, by).await;
        assert!(folded.len() > 1, "too little was used");
        assert_eq!(told.totals, folded.iter().fold(ModelUse::default(), |sum, group| sum.plus(&group.used)));
        assert_eq!(told.groups.items, folded, "{by:?}");
    }
    assert_eq!(faults(db).await, []);
}

async fn usage_is_what_the_log_adds_up_to(fresh: Fresh) {
    let (usage, db) = filled(fresh).await;
    all_is_as_the_log_says(&usage, &db).await;
}

async fn a_rebuild_adds_up_to_the_same(fresh: Fresh) {
    let (usage, db) = filled(fresh).await;
    for _ in 0..2 {
        rebuild(&db, &projections(), |_, _| ()).await.unwrap();
        all_is_as_the_log_says(&usage, &db).await;
    }
}

/// A rebuild takes runs in batches, of which a later one may have earlier events.
async fn a_rebuild_of_more_runs_than_fit_a_portion_leaves_the_same(fresh: Fresh) {
    let db = fresh.db.clone();
    let usage = over(fresh).await;
    futures_util::future::join_all((1..=600).map(|run| usage.begun(run, 1, 1))).await;
    for run in [600, 599, 2, 1] {
        usage.answered(run, &[ten("a/a")]).await;
    }
    rebuild(&db, &projections(), |_, _| ()).await.unwrap();
    let grown = usage.told(&usage.all(Grouping::ALL)).await;
    assert_eq!((grown.totals.calls, grown.position, faults(&db).await), (4, usage.store.head().await.unwrap(), vec![]));
}

/// Migrates a database from before usage was stored.
async fn migrated_anew(db: &Database) {
    let forget = "DELETE FROM seaql_migrations WHERE version LIKE '%000019%' OR version LIKE '%000024%'";
    for statement in ["DROP TABLE model_usage", forget] {
        db.writer.execute_unprepared(statement).await.unwrap();
    }
    db.migrate().await.unwrap();
}

async fn the_migration_adds_up_what_there_is(fresh: Fresh) {
    let (usage, db) = filled(fresh).await;
    migrated_anew(&db).await;
    all_is_as_the_log_says(&usage, &db).await;
}

/// Migrates a database that stored usage without distinguishing estimated answers.
async fn a_migration_tells_estimated_answers_apart(fresh: Fresh) {
    let (usage, db) = filled(fresh).await;
    let forget = "DELETE FROM seaql_migrations WHERE version LIKE '%000024%'";
    for statement in ["ALTER TABLE model_usage DROP COLUMN estimated_calls", forget] {
        db.writer.execute_unprepared(statement).await.unwrap();
    }
    db.migrate().await.unwrap();
    all_is_as_the_log_says(&usage, &db).await;
}

async fn a_migration_holds_absurd_numbers_too(fresh: Fresh) {
    let db = fresh.db.clone();
    let usage = over(fresh).await;
    usage.begun(1, 1, 1).await;
    let tokens = TokenCount { input: u64::MAX, output: u64::MAX, cache_read: u64::MAX, ..TokenCount::default() };
    let absurd = Answer { model: "a/a", tokens, estimated: true, cost_micros: Some(u64::MAX) };
    usage.answered(1, &[absurd.clone(), absurd]).await;
    migrated_anew(&db).await;
    assert_eq!(faults(&db).await, []);
}

const SINCE_27: [&str; 15] = [
    "DROP INDEX runs_overdue",
    "DROP INDEX runs_stopping",
    "DROP INDEX runs_of_parent",
    "DROP INDEX runs_retrying",
    "DROP INDEX runs_forked",
    "ALTER TABLE runs DROP COLUMN tokens_input",
    "ALTER TABLE runs DROP COLUMN tokens_output",
    "ALTER TABLE runs DROP COLUMN tokens_cache_read",
    "ALTER TABLE runs DROP COLUMN tokens_cache_write",
    "ALTER TABLE runs DROP COLUMN tokens_reasoning",
    "ALTER TABLE runs DROP COLUMN cost_micros",
    "ALTER TABLE runs DROP COLUMN retry_of",
    "ALTER TABLE runs DROP COLUMN forked_from",
    "ALTER TABLE runs DROP COLUMN fork_step",
    "CREATE INDEX runs_by_deadline ON runs (project_id, deadline) WHERE ready_at IS NOT NULL",
];

/// Migrates a database that stored runs without their usage and origin.
async fn a_migration_tells_what_runs_used_and_come_from(fresh: Fresh) {
    let (usage, db) = filled(fresh).await;
    let origins: [(u64, RunEvent); 2] = [
        (1, RunRetried { of: RunId::from(Uuid::from_u128(77)) }.into()),
        (2, RunForked { from: RunId::from(Uuid::from_u128(78)), from_version: 3, step: "file".into() }.into()),
    ];
    for (run, event) in origins {
        usage.happened(run, &[event]).await;
    }
    let tokens = TokenCount { input: u64::MAX, output: u64::MAX, ..TokenCount::default() };
    let absurd = Answer { model: "a/a", tokens, estimated: false, cost_micros: Some(u64::MAX) };
    usage.answered(3, &[absurd.clone(), absurd]).await;
    let forget = "DELETE FROM seaql_migrations WHERE version LIKE '%000027%' OR version LIKE '%000029%' \
         OR version LIKE '%000030%'";
    for statement in SINCE_27.into_iter().chain([forget]) {
        db.writer.execute_unprepared(statement).await.unwrap();
    }
    db.migrate().await.unwrap();
    assert_eq!(faults(&db).await, []);
}

async fn forged_costs_of_a_run_are_found(fresh: Fresh) {
    let (_usage, db) = filled(fresh).await;
    db.writer.execute_unprepared("UPDATE runs SET cost_micros = 0 WHERE cost_micros > 0").await.unwrap();
    let found = faults(&db).await;
    assert!(matches!(found[..], [Fault::Projection { table: "runs", position: Some(_), .. }]), "{found:?}");
}

async fn forged_usage_is_found(fresh: Fresh) {
    let (_usage, db) = filled(fresh).await;
    let forged = "UPDATE model_usage SET cost_micros = 0 WHERE cost_micros > 0";
    db.writer.execute_unprepared(forged).await.unwrap();
    let found = faults(&db).await;
    assert!(matches!(found[..], [Fault::Projection { table: "model_usage", position: Some(_), .. }]), "{found:?}");
}

on_both_engines!(
    usage_is_what_the_log_adds_up_to,
    a_rebuild_adds_up_to_the_same,
    a_rebuild_of_more_runs_than_fit_a_portion_leaves_the_same,
    the_migration_adds_up_what_there_is,
    a_migration_tells_estimated_answers_apart,
    a_migration_holds_absurd_numbers_too,
    forged_usage_is_found,
    a_migration_tells_what_runs_used_and_come_from,
    forged_costs_of_a_run_are_found,
);
