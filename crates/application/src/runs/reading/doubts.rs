//! Calls of a run, and of the runs below it, whose outcome is unknown.

use devskyy_domain::{
    kernel::ids::{ProjectId, RunId},
    runs::{Run, RunError},
};

use super::RunReading;
use crate::{
    access::ListScope,
    error::{Error, PortError},
    es::Repository,
    paging::{Age, Beyond, KeysetRequest, Part, Sort},
    runs::{
        filters::{ChildOf, RunFilter},
        views::{RunStatus, RunSummary},
    },
};

/// Most runs listed in one go.
const PORTION: u64 = 100;

impl RunReading {
    /// Refuses while nobody knows what became of a call of the run or of one below it: whoever did the same once more might have
    /// its effect a second time. In a run below one that has ended also a call under way may be one of those.
    pub(in crate::runs) async fn certain(&self, id: RunId, run: &Run) -> Result<(), Error> {
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
}
