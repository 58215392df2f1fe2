//! Engines that break a guarantee, each of which the checks of [`super::stage`] must detect.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::{
    es::{AppendError, AppendRequest, Appended, EventStore},
    workflow::{ToolCall, ToolError, ToolExecutor},
};
use devskyy_domain::kernel::Json;
use devskyy_testkit::reads_through;

use super::{
    death::Moment,
    rig::Outside,
    stage::{Kind, Stage},
};
use crate::databases::sqlite;

/// Sends every request twice.
struct Stutters(Arc<dyn ToolExecutor>);

#[async_trait]
impl ToolExecutor for Stutters {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        self.0.call(call.clone()).await?;
        self.0.call(call).await
    }
}

/// A log whose appends are modified before they are recorded.
struct Rewriting {
    inner: Arc<dyn EventStore>,
    change: fn(&mut AppendRequest),
}

impl devskyy_application::es::Rewindable for Rewriting {}

#[async_trait]
impl EventStore for Rewriting {
    async fn append(&self, mut request: AppendRequest) -> Result<Appended, AppendError> {
        (self.change)(&mut request);
        if request.writes.iter().all(|write| write.events.is_empty()) {
            return Ok(Appended { first: 0, last: 0, streams: vec![], replayed: false });
        }
        self.inner.append(request).await
    }

    reads_through!(inner);
}

/// Reports that intents are recorded, but records none.
fn forget_intents(request: &mut AppendRequest) {
    for write in &mut request.writes {
        write.events.retain(|event| event.event_type != "run.tool_called");
    }
}

/// Records unsafe calls as repeatable.
fn call_everything_repeatable(request: &mut AppendRequest) {
    for event in request.writes.iter_mut().flat_map(|write| &mut write.events) {
        event.data = event.data.replace(r#""effect":"unsafe""#, r#""effect":"read_only""#);
    }
}

async fn found(moment: Moment, change: impl FnOnce(Outside) -> Outside) -> String {
    found_of(Kind::Http, moment, change).await
}

async fn found_of(kind: Kind, moment: Moment, change: impl FnOnce(Outside) -> Outside) -> String {
    let stage = Stage::set(sqlite().await, kind, "unsafe").await;
    let outside = change(stage.rig.outside.clone());
    stage.play_through(moment, outside, Duration::from_secs(6)).await.join("; ")
}

fn rewriting(change: fn(&mut AppendRequest)) -> impl FnOnce(Outside) -> Outside {
    move |outside| {
        let inner = outside.store.clone();
        Outside { store: Arc::new(Rewriting { inner, change }), ..outside }
    }
}

fn stutters(outside: Outside) -> Outside {
    Outside { tools: Arc::new(Stutters(outside.tools.clone())), ..outside }
}

#[tokio::test]
async fn an_executor_that_sends_twice_is_found_out() {
    let found = found(Moment::Never, stutters).await;
    assert!(found.contains("effects"), "{found}");
}

#[tokio::test]
async fn an_executor_that_calls_a_server_of_tools_twice_is_found_out() {
    let found = found_of(Kind::Mcp, Moment::Never, stutters).await;
    assert!(found.contains("effects"), "{found}");
}

#[tokio::test]
async fn a_log_that_forgets_intents_is_found_out() {
    let found = found(Moment::Never, rewriting(forget_intents)).await;
    assert!(found.contains("effects"), "{found}");
}

#[tokio::test]
async fn an_engine_that_repeats_blindly_is_found_out() {
    let found = found(Moment::ToolDone, rewriting(call_everything_repeatable)).await;
    assert!(found.contains("effects"), "{found}");
}
