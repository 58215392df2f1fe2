//! Many concurrent runs whose model calls count towards one budget, through the workers that execute them.
#![expect(clippy::disallowed_methods, reason = "these tests live in real time")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::Utc;
use devskyy_application::{
    budgets,
    error::PortError,
    es::Repository,
    models::{Deltas, ModelAnswer, ModelError, ModelRequest, Models},
    runs::WorkerSettings,
};
use devskyy_domain::{
    budgets::{Amount, Budget, BudgetOwner, Period, Terms},
    conversation::{Finish, TokenCount},
};
use devskyy_infrastructure::system::SystemClock;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;
use tokio::sync::Semaphore;

use super::rig::{Rig, project};
use crate::databases::{Fresh, on_both_engines};

const RUNS: usize = 1_000;
const ROOM: usize = 10;
const PROCESSES: usize = 4;
/// The maximum tokens of an answer; the input is small beside that.
const ANSWER: u64 = 100_000;
/// Far longer than this takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A model that does not answer until it is allowed to.
struct Holding {
    asked: AtomicUsize,
    allowed: Semaphore,
}

#[async_trait]
impl Models for Holding {
    async fn ask(&self, request: &ModelRequest, _: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let allowed = self.allowed.acquire().await;
        allowed.map_err(|closed| ModelError::Port(PortError::bug("models", "waiting", closed)))?.forget();
        Ok(ModelAnswer {
            text: "Done.".to_owned(),
            calls: vec![],
            finish: Finish::Stop,
            usage: TokenCount { input: 30, output: 10, ..TokenCount::default() },
            model: "holding".to_owned(),
            answered_by: request.model.clone(),
            price: None,
            carry: None,
        })
    }
}

/// The number of runs with that status.
async fn runs_in(rig: &Rig, status: &str) -> usize {
    let sql = format!("SELECT COUNT(*) FROM runs WHERE status = '{status}'");
    let counted = rig.fresh.db.reader.query_one_raw(Statement::from_string(rig.fresh.db.backend(), sql)).await;
    let counted: i64 = counted.unwrap().unwrap().try_get_by_index(0).unwrap();
    usize::try_from(counted).unwrap()
}

async fn until(rig: &Rig, status: &str, runs: usize) {
    let all_are = async {
        while runs_in(rig, status).await < runs {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, all_are).await;
    assert!(came.is_ok(), "{} runs are {status}", runs_in(rig, status).await);
}

/// Of a thousand runs whose project has a budget for ten calls: how many called the model, completed and failed, and
/// what is used and still reserved.
async fn rushed(fresh: Fresh) -> (usize, usize, usize, u64, Amount) {
    let models = Arc::new(Holding { asked: AtomicUsize::new(0), allowed: Semaphore::new(0) });
    let rig = Rig::over(fresh, models.clone()).await;
    let owner = BudgetOwner::Project { project: project() };
    let terms = Terms::parse(Some(ANSWER * ROOM as u64 + ANSWER / 2), None, Period::Total).unwrap();
    let budgets = Repository::<Budget>::new(rig.outside.store.clone());
    let set = |fresh: &Budget| fresh.set(owner, terms, Utc::now());
    budgets.update(Rig::context(), owner.budget(), None, set).await.unwrap();
    let agent = rig.agent(1, &json!({"model": "house/any", "instructions": "Do it.", "max_output_tokens": ANSWER}));
    join_all((0..RUNS).map(|_| rig.start(agent))).await;

    let many = |usual: WorkerSettings| WorkerSettings { slots: RUNS / PROCESSES, ..usual };
    let processes: Vec<_> = (1..=PROCESSES as u128).map(|n| rig.process_with(&rig.outside, n, many)).collect();
    // No call is answered before all others were refused, so that none makes room.
    until(&rig, "failed", RUNS - ROOM).await;
    models.allowed.add_permits(RUNS);
    until(&rig, "completed", ROOM).await;
    drop(processes);

    let asked = models.asked.load(Ordering::SeqCst);
    let (completed, failed) = (runs_in(&rig, "completed").await, runs_in(&rig, "failed").await);
    let ledger = budgets::Ledger::new(rig.outside.store.clone(), Arc::new(SystemClock));
    let standing = ledger.look(owner.budget()).await.unwrap().standing(Utc::now()).unwrap();
    assert_eq!(rig.faults().await, Vec::<String>::new());
    (asked, completed, failed, standing.usage.total(), standing.reserved)
}

async fn of_a_thousand_runs_at_once_as_many_ask_their_model_as_there_is_room_for(fresh: Fresh) {
    let exactly_ten = (ROOM, ROOM, RUNS - ROOM, 40 * ROOM as u64, Amount::default());
    assert_eq!(rushed(fresh).await, exactly_ten);
}

on_both_engines!(of_a_thousand_runs_at_once_as_many_ask_their_model_as_there_is_room_for);
