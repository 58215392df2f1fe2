//! A run that kills every process that executes it, among others that are harmless.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::{
    runs::WorkerSettings,
    workflow::{ToolCall, ToolError, ToolExecutor},
};
use devskyy_domain::{
    kernel::Json,
    runs::{Phase, Run},
    workflow::Tool,
};
use devskyy_testkit::fakes::ScriptedModels;
use serde_json::json;
use tokio::sync::Notify;

use super::rig::{Outside, Rig, tool, tools};
use crate::databases::{Fresh, on_both_engines};

/// Harmless runs.
const OTHERS: usize = 20;
/// Short, because each death is noticed only when a lease lapses.
const LEASE: Duration = Duration::from_millis(600);
/// Far longer than this takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Ends the process that makes a certain call.
struct Deadly {
    inner: Arc<dyn ToolExecutor>,
    died: Arc<Notify>,
}

#[async_trait]
impl ToolExecutor for Deadly {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        if matches!(&call.tool, Tool::Http { request, .. } if request.url.as_str().ends_with("/poison")) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        self.inner.call(call).await
    }
}

/// Starts a process whenever the previous one has died.
async fn process_after_process(rig: &Rig, owner: u128) {
    loop {
        let died = Arc::new(Notify::new());
        let deadly = Deadly { inner: rig.outside.tools.clone(), died: died.clone() };
        let outside = Outside { tools: Arc::new(deadly), ..rig.outside.clone() };
        let _process = rig.process_with(&outside, owner, |usual| WorkerSettings { lease: LEASE, ..usual });
        died.notified().await;
    }
}

fn failure(run: &Run) -> Option<&str> {
    match run.phase() {
        Phase::Failed(failure) => Some(&failure.code),
        _ => None,
    }
}

/// How the deadly run ended, how many of the others completed, and what `verify` reports.
async fn poisoned(fresh: Fresh) -> (Option<String>, usize, Vec<String>) {
    let rig = Rig::over(fresh, Arc::new(ScriptedModels::taking([]))).await;
    let calling = |path: &str| {
        let act = tools([("act", tool(&rig.ledger, "idempotent", path))]);
        json!({"tools": act, "steps": [{"id": "a", "tool": "act", "arguments": {}}], "output": 1})
    };
    let (deadly, harmless) = (rig.agent(1, &calling("poison")), rig.agent(2, &calling("idempotent")));
    let poison = rig.start(deadly).await;
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        others.push(rig.start(harmless).await);
    }
    let all_ended = async {
        let failed = failure(&rig.wait(poison, PATIENCE).await).map(str::to_owned);
        let mut completed = 0;
        for other in others {
            completed += usize::from(*rig.wait(other, PATIENCE).await.phase() == Phase::Completed);
        }
        (failed, completed)
    };
    let (failed, completed) = tokio::select! {
        ended = all_ended => ended,
        () = process_after_process(&rig, 1) => unreachable!("processes come without end"),
        () = process_after_process(&rig, 2) => unreachable!("processes come without end"),
    };
    (failed, completed, rig.faults().await)
}

async fn a_run_of_which_processes_die_fails_and_no_other_does(fresh: Fresh) {
    assert_eq!(poisoned(fresh).await, (Some("run.not_carried_out".to_owned()), OTHERS, vec![]));
}

on_both_engines!(a_run_of_which_processes_die_fails_and_no_other_does);
