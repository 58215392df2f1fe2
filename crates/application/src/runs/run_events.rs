use std::sync::Arc;

use devskyy_domain::{
    kernel::{Version, ids::RunId},
    runs::{Run, RunEvent},
};

use super::{
    live::{LiveListener, LiveRuns},
    published::RunPublished,
    reading::RunReading,
};
use crate::{
    access::Permission,
    context::Actor,
    error::{Error, PortError},
    es::{EventStore, Position, SeenHead, StreamId, goes_on},
};

/// Requests the events of a run.
#[derive(Debug, Default)]
pub struct RunEvents {
    /// Only events after this position in the log.
    pub after: Position,
    /// Only events after this many events of the run; saves reading what the client already has.
    pub known: Version,
    /// Maximum number of events; 1–500.
    pub limit: usize,
}

/// A page of a run's events.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEventsPage {
    /// The events, in order.
    pub events: Vec<RunPublished>,
    /// Number of the run's events read so far; the next [`RunEvents::known`].
    pub known: Version,
    /// The head of the log before the read: nothing new can exist until the log is beyond it.
    pub head: SeenHead,
    /// Whether the page is full and another one can be read at once.
    pub more: bool,
    /// Whether the run has ended, even if there are more pages: a verdict may follow the end.
    over: bool,
}

impl RunEventsPage {
    /// Whether the run has ended and no event follows this page. Later events can only be verdicts on calls in doubt.
    #[must_use]
    pub const fn ended(&self) -> bool {
        self.over && !self.more
    }
}

const PAGE: usize = 500;

/// Returns the events of runs.
pub struct RunEventsHandler {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) live: Arc<LiveRuns>,
    pub(super) reading: RunReading,
}

impl RunEventsHandler {
    /// A page of the run's events in their public form. The cost does not depend on the page's position.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see.
    #[tracing::instrument(name = "runs.events", skip_all, fields(%run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, run: RunId, query: RunEvents) -> Result<RunEventsPage, Error> {
        // Read before the events, so that they include the end if the summary shows it.
        let summary = self.reading.require(actor, run, Permission::RunsRead).await?;
        let head = SeenHead::of(self.store.as_ref()).await?;
        let known = self.reading.seen(run, query.known, summary.version, query.after).await?;
        self.page(run, RunEvents { known, ..query }, head, summary.status.ended()).await
    }

    /// Checks that the actor may see the run's events. Nothing is read from the log.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see.
    pub async fn may_listen(&self, actor: &Actor, run: RunId) -> Result<(), Error> {
        self.reading.require(actor, run, Permission::RunsRead).await.map(|_| ())
    }

    /// The page after another one, for a reader that was authorised before; used by open streams.
    ///
    /// # Errors
    /// A failing port.
    pub async fn next(
        &self,
        run: RunId,
        last: &RunEventsPage,
        after: Position,
        limit: usize,
    ) -> Result<RunEventsPage, Error> {
        self.page(run, RunEvents { after, known: last.known, limit }, last.head, last.over).await
    }

    async fn page(&self, run: RunId, query: RunEvents, head: SeenHead, over: bool) -> Result<RunEventsPage, Error> {
        let limit = query.limit.clamp(1, PAGE);
        // One more than the limit, to know whether there are more.
        let stretch = (limit + 1).min(PAGE);
        let mut page = RunEventsPage { events: Vec::new(), known: query.known, head, more: false, over };
        while page.events.len() < limit {
            let events = self.store.read_stream(StreamId::of::<Run>(run), page.known, stretch).await?;
            for recorded in &events {
                if page.events.len() == limit {
                    page.more = true;
                    return Ok(page);
                }
                let event: RunEvent = recorded.decode().map_err(PortError::from)?;
                page.over |= ends(&event);
                page.known = recorded.version;
                if recorded.position > query.after {
                    page.events.push(RunPublished::of(&event, recorded));
                }
            }
            if !goes_on(&events, stretch) {
                return Ok(page);
            }
        }
        page.more = true;
        Ok(page)
    }

    /// Subscribes to the live deltas of the run, for a reader that was authorised before.
    #[must_use]
    pub fn listen(&self, run: RunId) -> LiveListener {
        self.live.listen(run)
    }

    /// Waits until the log is beyond [`RunEventsPage::head`], and returns the new head.
    pub async fn changed(&self, head: SeenHead) -> SeenHead {
        head.passed(self.store.as_ref()).await
    }
}

const fn ends(event: &RunEvent) -> bool {
    matches!(event, RunEvent::Completed(_) | RunEvent::Failed(_) | RunEvent::Cancelled(_) | RunEvent::Expired(_))
}
