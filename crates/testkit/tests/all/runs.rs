use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    paging::{PageOf, Part},
    runs::{
        Appetite, ApprovalFilter, ApprovalStatus, ApprovalView, Claim, Claims, RunFilter, RunQueue, RunSummary,
        RunViews, RunnableAgent, RunnableAgents,
    },
};
use devskyy_domain::{
    definition::Definition,
    kernel::ids::{AgentId, ApprovalId, RunId},
};
use devskyy_testkit::{
    contracts::runs::{Passage, RunsUnderTest, agents, queue, views},
    fakes::{FixedClock, InMemoryAgents, InMemoryEventStore, InMemoryProjects, InMemoryRuns, ViewedAgents},
    runs_contract,
};
use futures_util::FutureExt;

struct Moves(Arc<FixedClock>);

#[async_trait]
impl Passage for Moves {
    async fn pass(&self, time: Duration) {
        self.0.advance(time);
    }
}

async fn in_memory() -> RunsUnderTest {
    let clock = Arc::new(FixedClock::default());
    let store = Arc::new(InMemoryEventStore::with_clock(clock.clone()));
    let projects = InMemoryProjects::following(&store);
    let runs = InMemoryRuns::following(&store, projects, clock.clone());
    let time = Arc::new(Moves(clock.clone()));
    RunsUnderTest { store, views: runs.clone(), queue: runs, clock, time, keep: Box::new(()) }
}

runs_contract!(in_memory);

#[tokio::test]
async fn agents_in_memory_are_told_as_they_stand() {
    let store = Arc::new(InMemoryEventStore::default());
    let views = InMemoryAgents::following(&store, InMemoryProjects::following(&store));
    agents::an_agent_is_told_as_it_stands(store.as_ref(), &ViewedAgents(views)).await;
}

/// Hands a run out to whoever asks, and lets everybody renew.
struct Careless(Arc<dyn RunQueue>);

#[async_trait]
impl RunQueue for Careless {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        let claims = self.0.claim(worker, Appetite { per_project: None, ..appetite }).await?;
        for claim in &claims.runs {
            self.0.release(worker, *claim).await?;
        }
        Ok(claims)
    }

    async fn renew(&self, _: &str, _: Claim, _: Duration) -> Result<bool, PortError> {
        Ok(true)
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        self.0.release(worker, claim).await
    }
}

/// Does not tell of what becomes due within a moment.
struct Blinking(Arc<dyn RunQueue>);

#[async_trait]
impl RunQueue for Blinking {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        let claims = self.0.claim(worker, appetite).await?;
        let next_due = claims.next_due.filter(|due| *due > Duration::from_millis(1));
        Ok(Claims { next_due, ..claims })
    }

    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError> {
        self.0.renew(worker, claim, lease).await
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        self.0.release(worker, claim).await
    }
}

/// Serves whoever came first, whatever that does to others.
struct FirstCome(Arc<dyn RunQueue>);

#[async_trait]
impl RunQueue for FirstCome {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        let mut claims = self.0.claim(worker, Appetite { most: usize::MAX, per_project: None, ..appetite }).await?;
        claims.runs.sort_by_key(|claim| claim.run);
        for claim in claims.runs.split_off(appetite.most.min(claims.runs.len())) {
            self.0.release(worker, claim).await?;
        }
        Ok(claims)
    }

    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError> {
        self.0.renew(worker, claim, lease).await
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        self.0.release(worker, claim).await
    }
}

/// Shows every run to everybody, and of questions only that they are open.
struct Indiscreet(Arc<dyn RunViews>);

#[async_trait]
impl RunViews for Indiscreet {
    async fn find(&self, run: RunId) -> Result<Option<RunSummary>, PortError> {
        self.0.find(run).await
    }

    async fn list(&self, filter: &RunFilter, part: &Part) -> Result<PageOf<RunSummary>, PortError> {
        let scope = devskyy_application::access::ListScope::Everything;
        self.0.list(&RunFilter { scope, ..filter.clone() }, part).await
    }

    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError> {
        let found = self.0.approval(approval).await?;
        Ok(found.map(|view| ApprovalView { status: ApprovalStatus::Open, call: None, edit: None, ..view }))
    }

    async fn approvals(&self, filter: &ApprovalFilter, part: &Part) -> Result<PageOf<ApprovalView>, PortError> {
        self.0.approvals(filter, part).await
    }
}

/// Lets a paused agent be run.
struct Tireless(ViewedAgents);

#[async_trait]
impl RunnableAgents for Tireless {
    async fn find(&self, agent: AgentId) -> Result<Option<RunnableAgent>, PortError> {
        let Some(found) = self.0.find(agent).await? else { return Ok(None) };
        let current = self.0.definition(agent, 2).await?.map(|definition| (2, definition));
        Ok(Some(RunnableAgent { current, ..found }))
    }

    async fn definition(&self, agent: AgentId, version: u32) -> Result<Option<Arc<Definition>>, PortError> {
        self.0.definition(agent, version).await
    }
}

async fn caught(broken: impl Future<Output = ()>) -> bool {
    AssertUnwindSafe(broken).catch_unwind().await.is_err()
}

#[tokio::test]
async fn a_queue_that_hands_a_run_out_twice_is_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { queue: Arc::new(Careless(honest.queue.clone())), ..honest };
    assert!(caught(queue::a_ready_run_is_handed_out_once(&culprit)).await);
}

#[tokio::test]
async fn a_queue_that_lets_a_loser_renew_is_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { queue: Arc::new(Careless(honest.queue.clone())), ..honest };
    assert!(caught(queue::a_holder_whose_fence_has_passed_cannot_renew(&culprit)).await);
}

#[tokio::test]
async fn a_queue_that_lets_a_backlog_crowd_out_others_is_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { queue: Arc::new(FirstCome(honest.queue.clone())), ..honest };
    assert!(caught(queue::projects_take_turns(&culprit)).await);
}

#[tokio::test]
async fn a_queue_that_forgets_shares_is_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { queue: Arc::new(FirstCome(honest.queue.clone())), ..honest };
    assert!(caught(queue::a_project_gets_no_more_than_its_share(&culprit)).await);
}

#[tokio::test]
async fn a_queue_whose_shares_leak_when_many_look_is_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { queue: Arc::new(FirstCome(honest.queue.clone())), ..honest };
    assert!(caught(queue::a_share_is_not_exceeded_by_many_at_once(&culprit)).await);
}

#[tokio::test]
async fn a_queue_that_misses_what_lapses_while_it_looks_is_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { queue: Arc::new(Blinking(honest.queue.clone())), ..honest };
    assert!(caught(queue::what_is_held_is_handed_out_or_told(&culprit)).await);
}

#[tokio::test]
async fn views_that_show_what_belongs_to_others_are_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { views: Arc::new(Indiscreet(honest.views.clone())), ..honest };
    assert!(caught(views::a_list_shows_members_only_their_projects(&culprit)).await);
}

#[tokio::test]
async fn views_that_do_not_say_which_call_a_question_is_about_are_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { views: Arc::new(Indiscreet(honest.views.clone())), ..honest };
    assert!(caught(views::a_question_about_a_call_is_seen_with_what_it_was_answered_with(&culprit)).await);
}

#[tokio::test]
async fn views_that_keep_questions_open_for_ever_are_caught() {
    let honest = in_memory().await;
    let culprit = RunsUnderTest { views: Arc::new(Indiscreet(honest.views.clone())), ..honest };
    assert!(caught(views::a_question_nobody_answered_is_seen_as_expired(&culprit)).await);
}

#[tokio::test]
async fn agents_that_never_pause_are_caught() {
    let store = Arc::new(InMemoryEventStore::default());
    let views = InMemoryAgents::following(&store, InMemoryProjects::following(&store));
    let culprit = Tireless(ViewedAgents(views));
    assert!(caught(agents::an_agent_is_told_as_it_stands(store.as_ref(), &culprit)).await);
}
