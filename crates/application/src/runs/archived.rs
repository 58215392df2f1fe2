use std::sync::Arc;

use async_trait::async_trait;
use devskyy_domain::{
    kernel::ids::{ProjectId, RunId},
    runs::Run,
};
use futures_util::{StreamExt as _, future::ready, stream};

use super::{PROJECTS, children::stop, filters::RunFilter, ports::RunViews, views::RunStatus};
use crate::{
    access::ListScope,
    error::Error,
    es::{EventContext, EventStore, Reaction, Reader, RecordedEvent, Repository},
    paging::{Age, Beyond, KeysetRequest, Part, Sort},
    ports::Clock,
};

/// Why runs of an archived project are stopped.
pub(super) const ARCHIVED: &str = "its project was archived";
/// Most runs listed in one go.
const PORTION: u64 = 100;
/// Runs stopped at once: the log records together what is asked together.
const AT_ONCE: usize = 10;

/// Stops the runs of a project that is archived.
///
/// However many there are, nobody but other archived projects waits for it: it is a line of its own.
pub struct ArchivedRuns {
    runs: Repository<Run>,
    views: Arc<dyn RunViews>,
    clock: Arc<dyn Clock>,
}

impl ArchivedRuns {
    /// What it is known by, and what it wants to hear of.
    pub const READER: Reader = Reader { name: "runs.archived", categories: &[PROJECTS] };

    /// The reaction over the log and the views.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, views: Arc<dyn RunViews>, clock: Arc<dyn Clock>) -> Self {
        Self { runs: Repository::new(store), views, clock }
    }

    /// Looks again until nothing is left: a run may be recorded while the others are listed. One that is recorded later is stopped
    /// as it is ([`super::ChildRuns`]).
    async fn stop_all(&self, context: &EventContext, project: ProjectId) -> Result<(), Error> {
        while self.stop_open(context, project).await? {}
        Ok(())
    }

    /// Stops the runs that have not ended; whether there were any. Each status is listed on its own: a list of one status is read
    /// from an index, while a list of several passes over every run of the project that ever ended. Running runs are listed
    /// again at the end: one may have started to run after they were listed and before those that wait were.
    async fn stop_open(&self, context: &EventContext, project: ProjectId) -> Result<bool, Error> {
        let mut found = false;
        for status in [RunStatus::Queued, RunStatus::Running, RunStatus::Waiting, RunStatus::Running] {
            found |= self.stop_at(context, project, status).await?;
        }
        Ok(found)
    }

    /// Stops the runs with a status; whether there were any.
    async fn stop_at(&self, context: &EventContext, project: ProjectId, status: RunStatus) -> Result<bool, Error> {
        let (sort, within) = (Sort::ascending(Age::CreatedAt), ListScope::Project(project));
        let filter = RunFilter { status: vec![status], sort, ..RunFilter::default() };
        let (mut stopped, mut found, mut after) = (Ok(()), false, None);
        loop {
            let part = Part::Keyset(KeysetRequest { after, limit: PORTION });
            let listed = self.views.list(within, &filter, &part).await?;
            found |= !listed.items.is_empty();
            let runs: Vec<RunId> = listed.items.iter().map(|run| run.id).collect();
            let stops = stream::iter(runs).map(|run| self.stop(context, run)).buffer_unordered(AT_ONCE);
            // One that cannot be stopped is no reason to let the others go on.
            stopped = stops.fold(stopped, |all, one| ready(all.and(one))).await;
            match listed.beyond {
                Beyond::Next(Some(key)) => after = Some(key),
                _ => return stopped.map(|()| found),
            }
        }
    }

    async fn stop(&self, context: &EventContext, run: RunId) -> Result<(), Error> {
        stop(&self.runs, self.clock.as_ref(), context, run, ARCHIVED).await
    }
}

#[async_trait]
impl Reaction for ArchivedRuns {
    fn reader(&self) -> Reader {
        Self::READER
    }

    async fn handle(&self, event: &RecordedEvent) -> Result<(), Error> {
        if event.event_type.as_ref() != "project.archived" {
            return Ok(());
        }
        let context = EventContext::reaction(self.name(), event);
        self.stop_all(&context, ProjectId::from(event.stream_id)).await
    }
}
