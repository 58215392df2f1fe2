//! A process that dies at a chosen point: a call that reaches the point never returns, and the test ends the process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventStore},
    models::{Deltas, ModelAnswer, ModelError, ModelRequest, Models},
    runs::ResultStore,
    workflow::{ToolCall, ToolError, ToolExecutor},
};
use devskyy_domain::{
    kernel::{Json, ids::ProjectId},
    runs::ResultHash,
    workflow::Tool,
};
use devskyy_testkit::reads_through;
use tokio::sync::Notify;

/// Where a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// An append with such an event is about to be made.
    Before(&'static str),
    /// An append with such an event is recorded, but not acknowledged.
    After(&'static str),
    /// A tool on a server has done its work, and the response was not received.
    ToolDone,
    /// A model has answered, and the answer was not received.
    ModelDone,
    /// A result is stored beside the log, but no event refers to it.
    ResultKept,
    /// Never.
    Never,
}

/// One death.
#[derive(Debug)]
pub(crate) struct Death {
    moment: Moment,
    over: AtomicBool,
    came: Notify,
}

impl Death {
    pub(crate) fn at(moment: Moment) -> Arc<Self> {
        Arc::new(Self { moment, over: AtomicBool::new(false), came: Notify::new() })
    }

    /// Returns when the process is to be ended.
    pub(crate) async fn came(&self) {
        self.came.notified().await;
    }

    /// Returns unless this is the moment.
    async fn pass(&self, moment: Moment) {
        if moment == self.moment && !self.over.swap(true, Ordering::SeqCst) {
            self.came.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn pass_append(&self, request: &[String], moment: fn(&'static str) -> Moment) {
        let (Moment::Before(kind) | Moment::After(kind)) = self.moment else { return };
        if request.iter().any(|event| event == kind) {
            self.pass(moment(kind)).await;
        }
    }
}

/// A port of a process that dies at some point.
pub(crate) struct Mortal<P: ?Sized> {
    pub(crate) inner: Arc<P>,
    pub(crate) death: Arc<Death>,
}

impl devskyy_application::es::Rewindable for Mortal<dyn EventStore> {}

#[async_trait]
impl EventStore for Mortal<dyn EventStore> {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let events = request.writes.iter().flat_map(|write| &write.events);
        let kinds: Vec<_> = events.map(|event| event.event_type.to_string()).collect();
        self.death.pass_append(&kinds, Moment::Before).await;
        let appended = self.inner.append(request).await;
        self.death.pass_append(&kinds, Moment::After).await;
        appended
    }

    reads_through!(inner);
}

#[async_trait]
impl ToolExecutor for Mortal<dyn ToolExecutor> {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        let leaves = matches!(call.tool, Tool::Http { .. } | Tool::Mcp { .. });
        let result = self.inner.call(call).await;
        if leaves {
            self.death.pass(Moment::ToolDone).await;
        }
        result
    }
}

#[async_trait]
impl Models for Mortal<dyn Models> {
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        let answer = self.inner.ask(request, deltas).await;
        self.death.pass(Moment::ModelDone).await;
        answer
    }
}

#[async_trait]
impl ResultStore for Mortal<dyn ResultStore> {
    async fn keep(
        &self,
        project: ProjectId,
        hash: ResultHash,
        text: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        self.inner.keep(project, hash, text, now).await?;
        self.death.pass(Moment::ResultKept).await;
        Ok(())
    }

    async fn find(&self, project: ProjectId, hash: ResultHash) -> Result<Option<Vec<u8>>, PortError> {
        self.inner.find(project, hash).await
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.inner.sweep(before).await
    }
}
