//! A run's events as they happen, as server-sent events.

use std::{convert::Infallible, pin::pin, time::Duration};

use actix_web::web::{Bytes, Data};
use async_stream::stream;
use devskyy_application::{
    context::{Actor, Subject},
    es::SeenHead,
    runs::{Backoff, Delta, LiveListener, RunEventsPage, RunPublished, Runs},
};
use devskyy_domain::kernel::ids::RunId;
use futures_util::Stream;
use tokio::time::Instant;
use uuid::Uuid;

use super::event_bodies::{DeltaBody, EventBody};
use crate::{edge::Credential, health::SharedReadiness, version::ApiVersion};

/// Events per read.
const BATCH: usize = 100;

/// A client that follows a run.
pub(super) struct Listener {
    pub(super) runs: Data<Runs>,
    pub(super) run: RunId,
    /// Receives what models write in the run.
    pub(super) live: LiveListener,
    pub(super) after: u64,
    /// The version of the interface for the events.
    pub(super) version: ApiVersion,
    /// The listener's credential; checked again while the stream lives.
    pub(super) credential: Option<Credential>,
    pub(super) readiness: Option<Data<SharedReadiness>>,
    pub(super) heartbeat: Duration,
}

/// Why a wait ended.
enum Woken {
    Changed,
    /// A model has written something.
    Heard,
    Due,
    Draining,
}

impl Listener {
    /// Sends the events of a first page and then those that follow, up to the run's end and what is recorded after
    /// it by then.
    ///
    /// Ends early when the server stops, the listener may no longer listen, or the log cannot be read; the client
    /// resumes from the last id it has seen.
    pub(super) fn listen(self, first: RunEventsPage) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream! {
            let mut page = first;
            let mut due = Instant::now() + self.heartbeat;
            let mut backoff = Backoff::default();
            loop {
                let rested = Instant::now() + backoff.after(!page.events.is_empty());
                for event in std::mem::take(&mut page.events) {
                    yield Ok(frame(self.version, event));
                }
                if page.ended() {
                    break;
                }
                if !page.more {
                    let woken = loop {
                        match self.wait(&mut page.head, rested, due).await {
                            Woken::Heard => yield Ok(self.said()),
                            woken => break woken,
                        }
                    };
                    match woken {
                        Woken::Draining => break,
                        Woken::Changed | Woken::Heard => yield Ok(self.said()),
                        Woken::Due => yield Ok(Bytes::from_static(b":\n\n")),
                    }
                }
                if Instant::now() >= due {
                    due = Instant::now() + self.heartbeat;
                    if !self.may_listen().await {
                        break;
                    }
                }
                let Some(next) = self.next(&page).await else { break };
                page = next;
            }
        }
    }

    async fn next(&self, last: &RunEventsPage) -> Option<RunEventsPage> {
        let page = self.runs.events.next(self.run, last, self.after, BATCH).await;
        page.inspect_err(|error| tracing::warn!(%error, run = %self.run, "an event stream ends early")).ok()
    }

    /// What models wrote since the last call, without ids: it is not recorded, so nothing resumes after it.
    fn said(&self) -> Bytes {
        let frames = self.live.take().into_iter().map(|delta| said(self.version, self.run, delta));
        frames.collect::<String>().into()
    }

    /// Waits until the log has moved beyond `head`, which is then updated, and until `rested`.
    async fn wait(&self, head: &mut SeenHead, rested: Instant, due: Instant) -> Woken {
        let draining = async {
            match &self.readiness {
                Some(readiness) => readiness.draining().await,
                None => std::future::pending().await,
            }
        };
        let known = *head;
        let changed = pin!(async {
            let moved = self.runs.events.changed(known).await;
            tokio::time::sleep_until(rested).await;
            moved
        });
        let passing = pin!(tokio::time::sleep_until(due));
        tokio::select! {
            biased;
            () = draining => Woken::Draining,
            moved = changed => {
                *head = moved;
                Woken::Changed
            }
            () = passing => Woken::Due,
            () = self.live.heard() => Woken::Heard,
        }
    }

    /// Whether the listener's credential is still valid and still gives access to the project.
    async fn may_listen(&self) -> bool {
        let Some(credential) = &self.credential else { return false };
        let Ok(subject) = credential.check().await else { return false };
        self.runs.events.may_listen(&actor(subject), self.run).await.is_ok()
    }
}

fn actor(subject: Subject) -> Actor {
    Actor { subject, correlation_id: Uuid::nil(), source: None, traceparent: None }
}

/// One event in the stream format of the HTML standard; JSON text has no line breaks.
fn frame(version: ApiVersion, event: RunPublished) -> Bytes {
    let body = EventBody::from(event);
    let data = version.within(|| serde_json::to_string(&body)).unwrap_or_default();
    format!("id: {}\nevent: {}\ndata: {data}\n\n", body.position, body.r#type).into()
}

fn said(version: ApiVersion, run: RunId, delta: Delta) -> String {
    let body = DeltaBody::new(run, delta);
    let data = version.within(|| serde_json::to_string(&body)).unwrap_or_default();
    format!("event: run.model_delta\ndata: {data}\n\n")
}
