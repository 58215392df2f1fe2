//! Adapters of runs with one flaw each. A contract that accepts one of them is useless.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::DateTime;
use devskyy_application::{
    access::ListScope,
    error::PortError,
    paging::{Beyond, PageOf, Part},
    runs::{
        Appetite, ApprovalFilter, ApprovalStatus, ApprovalView, Claim, Claims, RunFilter, RunQueue, RunStatus,
        RunSummary, RunViews, RunnableAgent, RunnableAgents, TokenCount,
    },
};
use devskyy_domain::{
    definition::Definition,
    kernel::ids::{AgentId, ApprovalId, RunId},
};
use devskyy_testkit::contracts::runs::RunsUnderTest;

use crate::runs::{fresh, heedless};

/// What is wrong with a queue, views or agents.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Leases a run to every worker, and renews for all.
    Careless,
    /// Leases in the order of ids, and ignores shares.
    FirstCome,
    /// Leases nothing.
    Mute,
    /// Leases for much longer than requested.
    Grasping,
    /// Does not prefer runs that only have to end.
    Patient,
    /// Takes the share of one worker for that of all.
    Stingy,
    /// Reports a renewal, but does not renew.
    Idle,
    /// Releases nothing.
    Clinging,
    /// Releases leases of other workers.
    Trusting,
    /// Leases again what it leased once.
    Undying,
    /// Returns neither its time nor the next due time.
    Timeless,
    /// Omits what becomes due within a moment.
    Blinking,
    /// Leases runs whatever the state of their project.
    Heedless,
    /// Shows every run to every caller, and only open approvals.
    Indiscreet,
    /// Shows the start of runs, not their later state.
    Stale,
    /// Takes absence for a failure.
    Alarmed,
    /// Lists in reverse order.
    Reversed,
    /// Ignores filters.
    Unfiltered,
    /// Reports that a list ends after its first part.
    EndsEarly,
    /// Allows runs of a paused agent, and has only its newest version.
    Tireless,
    /// Returns the first version of an agent as the current one.
    Outdated,
}

const FLAWS: [Flaw; 21] = [
    Flaw::Careless,
    Flaw::FirstCome,
    Flaw::Mute,
    Flaw::Grasping,
    Flaw::Patient,
    Flaw::Stingy,
    Flaw::Idle,
    Flaw::Clinging,
    Flaw::Trusting,
    Flaw::Undying,
    Flaw::Timeless,
    Flaw::Blinking,
    Flaw::Heedless,
    Flaw::Indiscreet,
    Flaw::Stale,
    Flaw::Alarmed,
    Flaw::Reversed,
    Flaw::Unfiltered,
    Flaw::EndsEarly,
    Flaw::Tireless,
    Flaw::Outdated,
];

struct Flawed {
    queue: Arc<dyn RunQueue>,
    views: Arc<dyn RunViews>,
    agents: Arc<dyn RunnableAgents>,
    flaw: Flaw,
    handed_out: Mutex<Vec<(String, Claim)>>,
}

impl Flawed {
    async fn claim_by_id(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        let all = Appetite { most: usize::MAX, per_project: None, own_share: None, ..appetite };
        let mut claims = self.queue.claim(worker, all).await?;
        claims.runs.sort_by_key(|claim| claim.run);
        for claim in claims.runs.split_off(appetite.most.min(claims.runs.len())) {
            self.queue.release(worker, claim).await?;
        }
        Ok(claims)
    }

    fn known(&self, run: RunId) -> Option<(String, Claim)> {
        self.handed_out.lock().unwrap().iter().rev().find(|(_, claim)| claim.run == run).cloned()
    }
}

#[async_trait]
impl RunQueue for Flawed {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        let mut claims = match self.flaw {
            Flaw::FirstCome => self.claim_by_id(worker, appetite).await?,
            Flaw::Mute => Claims::default(),
            Flaw::Grasping => self.queue.claim(worker, Appetite { lease: appetite.lease * 1_000, ..appetite }).await?,
            Flaw::Patient => {
                let most = appetite.most + appetite.ending;
                self.queue.claim(worker, Appetite { most, ending: 0, ..appetite }).await?
            }
            Flaw::Stingy => self.queue.claim(worker, Appetite { per_project: appetite.own_share, ..appetite }).await?,
            Flaw::Careless => {
                self.queue.claim(worker, Appetite { per_project: None, own_share: None, ..appetite }).await?
            }
            _ => self.queue.claim(worker, appetite).await?,
        };
        if self.flaw == Flaw::Careless {
            for claim in &claims.runs {
                self.queue.release(worker, *claim).await?;
            }
        }
        let mut handed_out = self.handed_out.lock().unwrap();
        if self.flaw == Flaw::Undying && claims.runs.is_empty() {
            claims.runs.extend(handed_out.last().map(|(_, claim)| *claim));
        }
        claims.next_due = match self.flaw {
            Flaw::Timeless => None,
            Flaw::Blinking => claims.next_due.filter(|due| *due > Duration::from_millis(1)),
            _ => claims.next_due,
        };
        if self.flaw == Flaw::Timeless {
            claims.at = DateTime::default();
        }
        handed_out.extend(claims.runs.iter().map(|claim| (worker.to_owned(), *claim)));
        Ok(claims)
    }

    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError> {
        match self.flaw {
            Flaw::Careless | Flaw::Idle => Ok(true),
            _ => self.queue.renew(worker, claim, lease).await,
        }
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        match (self.flaw, self.known(claim.run)) {
            (Flaw::Clinging, _) => Ok(()),
            (Flaw::Trusting, Some((holder, held))) => self.queue.release(&holder, held).await,
            _ => self.queue.release(worker, claim).await,
        }
    }
}

#[async_trait]
impl RunViews for Flawed {
    async fn find(&self, run: RunId) -> Result<Option<RunSummary>, PortError> {
        let found = self.views.find(run).await?;
        match self.flaw {
            Flaw::Stale => Ok(found.map(|it| RunSummary {
                status: RunStatus::Queued,
                error: None,
                tokens: TokenCount::default(),
                origin: None,
                ..it
            })),
            Flaw::Alarmed if found.is_none() => Err(PortError::bug("runs", "finding a run", "there is none")),
            _ => Ok(found),
        }
    }

    async fn list(&self, scope: ListScope, filter: &RunFilter, part: &Part) -> Result<PageOf<RunSummary>, PortError> {
        let scope = if self.flaw == Flaw::Indiscreet { ListScope::Everything } else { scope };
        let filter = match self.flaw {
            Flaw::Unfiltered => RunFilter { sort: filter.sort, ..RunFilter::default() },
            _ => filter.clone(),
        };
        Ok(self.told(self.views.list(scope, &filter, part).await?))
    }

    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError> {
        let found = self.views.approval(approval).await?;
        let open = |view| ApprovalView { status: ApprovalStatus::Open, call: None, edit: None, ..view };
        Ok(if self.flaw == Flaw::Indiscreet { found.map(open) } else { found })
    }

    async fn approvals(&self, filter: &ApprovalFilter, part: &Part) -> Result<PageOf<ApprovalView>, PortError> {
        Ok(self.told(self.views.approvals(filter, part).await?))
    }
}

impl Flawed {
    fn told<T>(&self, mut page: PageOf<T>) -> PageOf<T> {
        match (self.flaw, &page.beyond) {
            (Flaw::Reversed, _) => page.items.reverse(),
            (Flaw::EndsEarly, Beyond::Next(_)) => page.beyond = Beyond::Next(None),
            _ => {}
        }
        page
    }
}

#[async_trait]
impl RunnableAgents for Flawed {
    async fn find(&self, agent: AgentId) -> Result<Option<RunnableAgent>, PortError> {
        let Some(found) = self.agents.find(agent).await? else {
            let absent = PortError::bug("agents", "finding an agent", "there is none");
            return if self.flaw == Flaw::Alarmed { Err(absent) } else { Ok(None) };
        };
        let told = match self.flaw {
            Flaw::Tireless => 2,
            Flaw::Outdated => 1,
            _ => return Ok(Some(found)),
        };
        let current = self.agents.definition(agent, told).await?.map(|definition| (told, definition));
        Ok(Some(RunnableAgent { current, ..found }))
    }

    async fn definition(&self, agent: AgentId, version: u32) -> Result<Option<Arc<Definition>>, PortError> {
        let version = if self.flaw == Flaw::Tireless { 2 } else { version };
        self.agents.definition(agent, version).await
    }
}

fn flawed() -> [RunsUnderTest; 21] {
    FLAWS.map(|flaw| {
        let honest = if flaw == Flaw::Heedless { heedless() } else { fresh() };
        let (queue, views, agents) = (honest.queue.clone(), honest.views.clone(), honest.agents.clone());
        let culprit = Arc::new(Flawed { queue, views, agents, flaw, handed_out: Mutex::default() });
        RunsUnderTest { queue: culprit.clone(), views: culprit.clone(), agents: culprit, ..honest }
    })
}

devskyy_testkit::runs_contract!(broken flawed);
