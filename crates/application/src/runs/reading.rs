use std::{collections::BTreeMap, ops::ControlFlow, pin::pin, sync::Arc, time::Duration};

use devskyy_domain::{
    kernel::{
        Aggregate, Version,
        ids::{ProjectId, RunId},
    },
    runs::{ResultHash, Run, RunError, RunEvent},
};
use futures_util::future::{Either, select};

use super::{
    backoff::Backoff,
    filters::{ChildOf, RunFilter},
    ports::{RunViews, RunnableAgents},
    timeline::Timeline,
    views::{RunStatus, RunSummary, RunView},
};
use crate::{
    access::{Access, ListScope, Permission},
    context::Actor,
    error::{Error, PortError},
    es::{EventStore, Loaded, Moment, Position, Repository, StreamId, walk},
    paging::{Age, Beyond, KeysetRequest, Part, Sort},
    ports::Clock,
};

/// Most runs listed in one go.
const PORTION: u64 = 100;

/// Reads whole runs from the log, so that what people see is never behind it. Whether they may see it the view of runs tells, which
/// is never behind either and costs as little for a long run as for a short one.
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

    /// The run as it was before the first such event, whoever asks; as it stands, where there is none.
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

    /// The run as it stands, whoever asks.
    pub(super) async fn view(&self, run: RunId) -> Result<RunView, Error> {
        let timeline = self.timeline(run).await?;
        self.show(run, &timeline, true).await
    }

    /// The run as it stands, if the actor may do this to it.
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

    /// The run as it was at a moment, if the actor may see it now.
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

    /// What lists show of the run, if there is such a run and the actor may do this to it. Nothing is read from the log.
    pub(super) async fn require(&self, actor: &Actor, run: RunId, permission: Permission) -> Result<RunSummary, Error> {
        let summary = self.views.find(run).await?.ok_or_else(|| absent(run))?;
        self.access.require_on(actor, summary.project_id, permission, || format!("run {run}")).await?;
        Ok(summary)
    }

    /// How many events of the run, which had so many, a reader has seen who has the first ones of them and knows what is recorded
    /// up to a place in the log.
    ///
    /// Most who ask have seen all but a few, so the search begins at the end: whoever has seen everything costs one look, and
    /// whoever has not costs two for each doubling of what they lack.
    pub(super) async fn seen(
        &self,
        run: RunId,
        known: Version,
        version: Version,
        place: Position,
    ) -> Result<Version, PortError> {
        let (mut seen, mut most, mut back) = (known, if place == 0 { 0 } else { version }, 0);
        // Goes back 1, 2, 4 … from the end until there is one that was seen.
        while seen < most {
            let earlier = version.saturating_sub(back).max(seen + 1);
            if self.lies_within(run, earlier, place).await? {
                seen = earlier;
                break;
            }
            (most, back) = (earlier - 1, (back * 2).max(1));
        }
        while seen < most {
            let middle = most - (most - seen) / 2;
            if self.lies_within(run, middle, place).await? {
                seen = middle;
            } else {
                most = middle - 1;
            }
        }
        Ok(seen)
    }

    /// Whether an event of the run lies before that place in the log, or there.
    async fn lies_within(&self, run: RunId, version: Version, place: Position) -> Result<bool, PortError> {
        let found = self.store.read_stream(StreamId::of::<Run>(run), version - 1, 1).await?;
        Ok(found.first().is_some_and(|event| event.position <= place))
    }

    /// Which project the run belongs to, and whether it refers to such a result, if the actor may do this to it.
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

    /// Refuses while nobody knows what became of a call of the run or of one below it: whoever did the same once more might have
    /// its effect a second time. In a run below one that has ended also a call under way may be one of those.
    pub(super) async fn certain(&self, id: RunId, run: &Run) -> Result<(), Error> {
        run.certain()?;
        let Some(order) = run.order() else { return Ok(()) };
        let runs = Repository::<Run>::new(self.store.clone());
        let (mut doubts, mut above) = (Vec::new(), vec![id]);
        while let Some(parent) = above.pop() {
            for child in self.children(order.project, parent).await? {
                above.push(child.id);
                // One that returned a value knows what became of its own calls.
                if child.status == RunStatus::Completed {
                    continue;
                }
                let child = runs.load(child.id).await?.state;
                if run.ended() {
                    doubts.extend(child.unsettled());
                } else {
                    doubts.extend(child.doubts().map(|(_, call)| call.operation));
                }
            }
        }
        if doubts.is_empty() { Ok(()) } else { Err(RunError::InDoubt(doubts).into()) }
    }

    /// The runs that one asked for, oldest first.
    async fn children(&self, project: ProjectId, run: RunId) -> Result<Vec<RunSummary>, PortError> {
        let (parent, sort) = (Some(ChildOf::Run(run)), Sort::ascending(Age::CreatedAt));
        let filter = RunFilter { parent, sort, ..RunFilter::default() };
        let (mut children, mut after) = (Vec::new(), None);
        loop {
            let part = Part::Keyset(KeysetRequest { after, limit: PORTION });
            let found = self.views.list(ListScope::Project(project), &filter, &part).await?;
            children.extend(found.items);
            match found.beyond {
                Beyond::Next(Some(key)) => after = Some(key),
                _ => return Ok(children),
            }
        }
    }

    /// The run once it has ended or needs a person, or as it stands when the wait is over.
    pub(super) async fn settled(&self, run: RunId, wait: Duration, clock: &dyn Clock) -> Result<RunView, Error> {
        let (mut timeline, mut below, mut backoff) = (Timeline::default(), BTreeMap::new(), Backoff::default());
        let mut over = pin!(clock.sleep(wait));
        let mut head = self.store.head().await?;
        loop {
            let seen = timeline.version;
            timeline.catch_up(self.store.as_ref(), run).await?;
            if timeline.run.ended() || self.needs_a_person(&timeline.run, &mut below).await? {
                break;
            }
            let pause = backoff.after(timeline.version > seen);
            let moved = pin!(async move {
                let head = self.store.beyond(head).await;
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

    /// Whether the run, or one whose end it waits for, can only go on with a person's word. Of the runs below it, what is
    /// known is kept from one question to the next.
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
