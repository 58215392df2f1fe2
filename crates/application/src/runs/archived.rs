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

/// The reason for which runs of an archived project are cancelled.
pub(super) const ARCHIVED: &str = "its project was archived";
/// Maximum number of runs listed per page.
const PORTION: u64 = 100;
/// Runs cancelled at once, so that the log can group their appends.
const AT_ONCE: usize = 10;

/// Cancels the runs of an archived project.
///
/// It is a reaction of its own, so that a large number of runs delays only other archived projects.
pub struct ArchivedRuns {
    runs: Repository<Run>,
    views: Arc<dyn RunViews>,
    clock: Arc<dyn Clock>,
}

impl ArchivedRuns {
    /// Its name, and the categories it reads.
    pub const READER: Reader = Reader { name: "runs.archived", categories: &[PROJECTS] };

    /// Creates the reaction from the log and the views.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, views: Arc<dyn RunViews>, clock: Arc<dyn Clock>) -> Self {
        Self { runs: Repository::new(store), views, clock }
    }

    /// Repeats until no open run is left, because a run may be recorded while the others are listed. One that is
    /// recorded later is cancelled by [`super::ChildRuns`].
    async fn stop_all(&self, context: &EventContext, project: ProjectId) -> Result<(), Error> {
        while self.stop_open(context, project).await? {}
        Ok(())
    }

    /// Cancels the runs that have not ended; returns whether there were any. Each status is listed on its own, because a list of
    /// one status is read from an index. Running runs are listed again at the end: a waiting one may have been resumed
    /// after they were listed.
    async fn stop_open(&self, context: &EventContext, project: ProjectId) -> Result<bool, Error> {
        let mut found = false;
        for status in [RunStatus::Queued, RunStatus::Running, RunStatus::Waiting, RunStatus::Running] {
            found |= self.stop_at(context, project, status).await?;
        }
        Ok(found)
    }

    /// Cancels the runs with a status; returns whether there were any.
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
            // A failure to cancel one run must not keep the others from being cancelled.
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
