//! Waiting until a run has ended or needs a person.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use devskyy_domain::{kernel::ids::RunId, runs::Run};
use futures_util::future::{Either, select};

use super::RunReading;
use crate::{
    error::Error,
    es::{Loaded, Repository, SeenHead},
    ports::Clock,
    runs::{backoff::Backoff, timeline::Timeline, views::RunView},
};

impl RunReading {
    /// The run once it has ended or needs a person, or in its current state after the timeout.
    pub(in crate::runs) async fn settled(
        &self,
        run: RunId,
        wait: Duration,
        clock: &dyn Clock,
    ) -> Result<RunView, Error> {
        let (mut timeline, mut below, mut backoff) = (Timeline::default(), BTreeMap::new(), Backoff::default());
        let mut over = pin!(clock.sleep(wait));
        let mut head = SeenHead::of(self.store.as_ref()).await?;
        loop {
            let seen = timeline.version;
            timeline.catch_up(self.store.as_ref(), run).await?;
            if timeline.run.ended() || self.needs_a_person(&timeline.run, &mut below).await? {
                break;
            }
            let pause = backoff.after(timeline.version > seen);
            let moved = pin!(async move {
                let head = head.passed(self.store.as_ref()).await;
                clock.sleep(pause).await;
                head
            });
            match select(moved, over.as_mut()).await {
                Either::Left((moved, _)) => head = moved,
                Either::Right(_) => {
                    timeline.catch_up(self.store.as_ref(), run).await?;
                    break;
                }
            }
        }
        self.show(run, &timeline, true).await
    }

    /// Whether the run, or a child run it waits for, is blocked until a person acts. The state of descendants is kept
    /// between calls.
    async fn needs_a_person(&self, run: &Run, known: &mut BTreeMap<RunId, Loaded<Run>>) -> Result<bool, Error> {
        if run.waits_for_a_person() {
            return Ok(true);
        }
        let runs = Repository::<Run>::new(self.store.clone());
        let mut below: Vec<RunId> = run.waiting_children().collect();
        while let Some(id) = below.pop() {
            let child = known.entry(id).or_insert_with(|| Loaded { state: Run::default(), version: 0 });
            runs.refresh(id, child).await?;
            if child.state.waits_for_a_person() {
                return Ok(true);
            }
            below.extend(child.state.waiting_children());
        }
        Ok(false)
    }
}
