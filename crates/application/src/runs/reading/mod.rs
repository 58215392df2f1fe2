//! Reading runs: permissions, the current state, and earlier states.

mod cursor;
mod doubts;
mod wait;

use std::{ops::ControlFlow, sync::Arc};

use devskyy_domain::{
    kernel::{
        Aggregate,
        ids::{ProjectId, RunId},
    },
    runs::{ResultHash, Run, RunEvent},
};

use super::{
    ports::{RunViews, RunnableAgents},
    timeline::Timeline,
    views::{RunSummary, RunView},
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::{Error, PortError},
    es::{EventStore, Loaded, Moment, StreamId, walk},
};

/// Reads whole runs from the log, so that responses are never stale. Permissions are checked against the read model,
/// which is never stale either and costs the same for long and short runs.
#[derive(Clone)]
pub(super) struct RunReading {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) views: Arc<dyn RunViews>,
    pub(super) agents: Arc<dyn RunnableAgents>,
    pub(super) access: Access,
}

fn absent(run: RunId) -> Error {
    Error::NotFound(format!("run {run}"))
}

impl RunReading {
    async fn timeline(&self, run: RunId) -> Result<Timeline, Error> {
        let mut timeline = Timeline::default();
        timeline.catch_up(self.store.as_ref(), run).await?;
        Ok(timeline)
    }

    async fn show(&self, run: RunId, timeline: &Timeline, steps: bool) -> Result<RunView, Error> {
        let record = timeline.record.as_ref().ok_or_else(|| absent(run))?;
        let summary = &record.summary;
        let definition = match steps {
            true => self.agents.definition(summary.agent_id, summary.agent_version).await?,
            false => None,
        };
        timeline.view(definition.as_deref()).ok_or_else(|| absent(run))
    }

    /// The run before the first event that matches `stop`, or its current state; without permission checks.
    pub(super) async fn until(
        &self,
        run: RunId,
        stop: impl Fn(&RunEvent) -> bool + Send + Sync,
    ) -> Result<Loaded<Run>, PortError> {
        let mut loaded = Loaded { state: Run::default(), version: 0 };
        walk(self.store.as_ref(), StreamId::of::<Run>(run), 0, |recorded| {
            let event: RunEvent = recorded.decode()?;
            if stop(&event) {
                return Ok(ControlFlow::Break(()));
            }
            loaded.state.apply(&event);
            loaded.version = recorded.version;
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        Ok(loaded)
    }

    /// The run in its current state; without permission checks.
    pub(super) async fn view(&self, run: RunId) -> Result<RunView, Error> {
        let timeline = self.timeline(run).await?;
        self.show(run, &timeline, true).await
    }

    /// The run in its current state, if the actor has the permission.
    pub(super) async fn permitted(
        &self,
        actor: &Actor,
        run: RunId,
        permission: Permission,
        steps: bool,
    ) -> Result<RunView, Error> {
        self.require(actor, run, permission).await?;
        let timeline = self.timeline(run).await?;
        self.show(run, &timeline, steps).await
    }

    /// The run at an earlier moment, if the actor may see it now.
    pub(super) async fn back_then(
        &self,
        actor: &Actor,
        run: RunId,
        moment: Moment,
        steps: bool,
    ) -> Result<RunView, Error> {
        self.require(actor, run, Permission::RunsRead).await?;
        let mut timeline = Timeline::default();
        timeline.until(self.store.as_ref(), run, moment).await?;
        if timeline.record.is_none() || !moment.is_reached_at(timeline.version) {
            return Err(moment.absent(&format!("run {run}")));
        }
        self.show(run, &timeline, steps).await
    }

    /// The run's summary, if the run exists and the actor has the permission. Nothing is read from the log.
    pub(super) async fn require(&self, actor: &Actor, run: RunId, permission: Permission) -> Result<RunSummary, Error> {
        let summary = self.views.find(run).await?.ok_or_else(|| absent(run))?;
        self.access.require_on(actor, summary.project_id, permission, || format!("run {run}")).await?;
        Ok(summary)
    }

    /// The run's project, and whether the run refers to a result, if the actor has the permission.
    pub(super) async fn refers(
        &self,
        actor: &Actor,
        run: RunId,
        result: ResultHash,
        permission: Permission,
    ) -> Result<(ProjectId, bool), Error> {
        let project = self.require(actor, run, permission).await?.project_id;
        Ok((project, self.timeline(run).await?.results.contains(&result)))
    }
}
