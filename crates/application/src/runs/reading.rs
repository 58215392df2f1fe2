use std::{pin::pin, sync::Arc, time::Duration};

use devskyy_domain::{
    kernel::{
        Aggregate,
        ids::{ProjectId, RunId},
    },
    runs::{ResultHash, Run, RunEvent},
};
use futures_util::future::{Either, select};

use super::{ports::RunnableAgents, timeline::Timeline, views::RunView};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::{Error, PortError},
    es::{EventStore, Loaded, Moment, Repository, StreamId},
    ports::Clock,
};

const PAGE: usize = 500;

/// Reads whole runs from the log, so that what people see is never behind it.
#[derive(Clone)]
pub(super) struct RunReading {
    pub(super) store: Arc<dyn EventStore>,
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

    async fn show(&self, run: RunId, timeline: &Timeline) -> Result<RunView, Error> {
        let record = timeline.record.as_ref().ok_or_else(|| absent(run))?;
        let summary = &record.summary;
        let definition = self.agents.definition(summary.agent_id, summary.agent_version).await?;
        timeline.view(definition.as_deref()).ok_or_else(|| absent(run))
    }

    /// The run as it was before the first such event, whoever asks; as it stands, where there is none.
    pub(super) async fn until(&self, run: RunId, stop: impl Fn(&RunEvent) -> bool) -> Result<Loaded<Run>, PortError> {
        let mut loaded = Loaded { state: Run::default(), version: 0 };
        loop {
            let events = self.store.read_stream(StreamId::of::<Run>(run), loaded.version, PAGE).await?;
            for recorded in &events {
                let event: RunEvent = recorded.decode()?;
                if stop(&event) {
                    return Ok(loaded);
                }
                loaded.state.apply(&event);
                loaded.version = recorded.version;
            }
            if events.len() < PAGE {
                return Ok(loaded);
            }
        }
    }

    /// The run as it stands, whoever asks.
    pub(super) async fn view(&self, run: RunId) -> Result<RunView, Error> {
        let timeline = self.timeline(run).await?;
        self.show(run, &timeline).await
    }

    /// The run as it stands, if the actor may do this to it.
    pub(super) async fn permitted(&self, actor: &Actor, run: RunId, permission: Permission) -> Result<RunView, Error> {
        let timeline = self.timeline(run).await?;
        let project = timeline.record.as_ref().ok_or_else(|| absent(run))?.summary.project_id;
        self.access.require_on(actor, project, permission, || format!("run {run}")).await?;
        self.show(run, &timeline).await
    }

    /// The run as it was at a moment, if the actor may see it now.
    pub(super) async fn back_then(&self, actor: &Actor, run: RunId, moment: Moment) -> Result<RunView, Error> {
        self.require(actor, run, Permission::RunsRead).await?;
        let mut timeline = Timeline::default();
        timeline.until(self.store.as_ref(), run, moment).await?;
        if timeline.record.is_none() || !moment.is_reached_at(timeline.version) {
            return Err(moment.absent(&format!("run {run}")));
        }
        self.show(run, &timeline).await
    }

    /// Passes when there is such a run and the actor may do this to it.
    pub(super) async fn require(&self, actor: &Actor, run: RunId, permission: Permission) -> Result<ProjectId, Error> {
        let timeline = self.timeline(run).await?;
        let project = timeline.record.as_ref().ok_or_else(|| absent(run))?.summary.project_id;
        self.access.require_on(actor, project, permission, || format!("run {run}")).await?;
        Ok(project)
    }

    /// Which project the run belongs to, and whether it refers to such a result, if the actor may do this to it.
    pub(super) async fn refers(
        &self,
        actor: &Actor,
        run: RunId,
        result: ResultHash,
        permission: Permission,
    ) -> Result<(ProjectId, bool), Error> {
        let timeline = self.timeline(run).await?;
        let project = timeline.record.as_ref().ok_or_else(|| absent(run))?.summary.project_id;
        self.access.require_on(actor, project, permission, || format!("run {run}")).await?;
        Ok((project, timeline.results.contains(&result)))
    }

    /// The run once it has ended or needs a person, or as it stands when the wait is over.
    pub(super) async fn settled(&self, run: RunId, wait: Duration, clock: &dyn Clock) -> Result<RunView, Error> {
        let mut timeline = Timeline::default();
        let mut over = pin!(clock.sleep(wait));
        loop {
            let head = self.store.head().await?;
            timeline.catch_up(self.store.as_ref(), run).await?;
            if timeline.run.ended() || self.needs_a_person(&timeline.run).await? {
                break;
            }
            let changed = pin!(self.store.beyond(head));
            if let Either::Right(_) = select(changed, over.as_mut()).await {
                timeline.catch_up(self.store.as_ref(), run).await?;
                break;
            }
        }
        self.show(run, &timeline).await
    }

    /// Whether the run, or one whose end it waits for, can only go on with a person's word.
    async fn needs_a_person(&self, run: &Run) -> Result<bool, Error> {
        if run.waits_for_a_person() {
            return Ok(true);
        }
        let runs = Repository::<Run>::new(self.store.clone());
        let mut below: Vec<RunId> = run.waiting_children().collect();
        while let Some(child) = below.pop() {
            let child = runs.load(child).await?.state;
            if child.waits_for_a_person() {
                return Ok(true);
            }
            below.extend(child.waiting_children());
        }
        Ok(false)
    }
}
