//! Calls of a run and its descendants whose outcome is unknown.

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

/// Maximum number of runs listed per page.
const PORTION: u64 = 100;

impl RunReading {
    /// Refuses while the outcome of a call of the run or its descendants is unknown, because repeating it might repeat
    /// the effect. If the run has ended, this includes unsafe calls in progress in its descendants.
    pub(in crate::runs) async fn certain(&self, id: RunId, run: &Run) -> Result<(), Error> {
        run.certain()?;
        let Some(order) = run.order() else { return Ok(()) };
        let runs = Repository::<Run>::new(self.store.clone());
        let (mut doubts, mut above) = (Vec::new(), vec![id]);
        while let Some(parent) = above.pop() {
            for child in self.children(order.project, parent).await? {
                above.push(child.id);
                // A completed run has no calls in doubt.
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

    /// The child runs of a run, oldest first.
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
