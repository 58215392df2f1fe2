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

/// Asks what happened to a run.
#[derive(Debug, Default)]
pub struct RunEvents {
    /// Only what came after this place in the log.
    pub after: Position,
    /// Only what came after this many events of the run; spares the reader what it knows to have.
    pub known: Version,
    /// At most so many; 1–500.
    pub limit: usize,
}

/// A stretch of what happened to a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEventsPage {
    /// The events, in order.
    pub events: Vec<RunPublished>,
    /// Events of the run looked at so far; the next [`RunEvents::known`].
    pub known: Version,
    /// Where the log stood before the look: nothing new has happened until the log is beyond it.
    pub head: SeenHead,
    /// Whether the run has ended and nothing is recorded after what was looked at. All that may follow are verdicts on calls in
    /// doubt.
    pub ended: bool,
    /// Whether the page is full and more may be read at once.
    pub more: bool,
    /// Whether the run is known to have ended, also where there is more to read: a verdict may follow the end.
    over: bool,
}

const PAGE: usize = 500;

/// Tells what happened to runs.
pub struct RunEventsHandler {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) live: Arc<LiveRuns>,
    pub(super) reading: RunReading,
}

impl RunEventsHandler {
    /// What happened to the run, in its public form. A page deep in a long run costs what the first one does.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see.
    #[tracing::instrument(name = "runs.events", skip_all, fields(%run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, run: RunId, query: RunEvents) -> Result<RunEventsPage, Error> {
        // Asked for before the events are read, so they hold the end of which it tells.
        let summary = self.reading.require(actor, run, Permission::RunsRead).await?;
        let head = SeenHead::of(self.store.as_ref()).await?;
        let known = self.reading.seen(run, query.known, summary.version, query.after).await?;
        self.page(run, RunEvents { known, ..query }, head, summary.status.ended()).await
    }

    /// Passes when the actor may see what happens to the run. Nothing is read from the log.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see.
    pub async fn may_listen(&self, actor: &Actor, run: RunId) -> Result<(), Error> {
        self.reading.require(actor, run, Permission::RunsRead).await.map(|_| ())
    }

    /// The stretch that follows another, for a reader who was let in before; for streams that stay open.
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
        // One of them says whether there are more.
        let stretch = (limit + 1).min(PAGE);
        let mut page = RunEventsPage { events: Vec::new(), known: query.known, head, ended: false, more: false, over };
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
                page.ended = page.over;
                return Ok(page);
            }
        }
        page.more = true;
        Ok(page)
    }

    /// Listens to what models are saying in the run, for a reader who was let in before.
    #[must_use]
    pub fn listen(&self, run: RunId) -> LiveListener {
        self.live.listen(run)
    }

    /// Waits until something may have happened since [`RunEventsPage::head`], and says how far the log is then.
    pub async fn changed(&self, head: SeenHead) -> SeenHead {
        head.passed(self.store.as_ref()).await
    }
}

const fn ends(event: &RunEvent) -> bool {
    matches!(event, RunEvent::Completed(_) | RunEvent::Failed(_) | RunEvent::Cancelled(_) | RunEvent::Expired(_))
}
