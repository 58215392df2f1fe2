use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    access::ListScope,
    agents::AgentViews,
    error::PortError,
    es::{Position, RecordedEvent},
    paging::{Key, PageOf, Part},
    ports::Clock,
    runs::{
        Appetite, ApprovalChange, ApprovalFilter, ApprovalView, Claim, Claims, ModelUse, ProjectUsage, RunFilter,
        RunQueue, RunRecord, RunStatus, RunSummary, RunViews, RunnableAgent, RunnableAgents, UsageFilter, UsageGroup,
        UsageRow, UsageViews,
    },
};
use devskyy_domain::{
    agents::AgentStatus,
    definition::Definition,
    kernel::ids::{AgentId, ApprovalId, ProjectId, RunId},
    runs::{Run, RunEvent},
};

use super::{InMemoryEventStore, InMemoryProjects, identity::decoded};

/// Runs and their approvals, folded from an in-memory log, and their leases.
pub struct InMemoryRuns {
    projects: Arc<InMemoryProjects>,
    clock: Arc<dyn Clock>,
    rows: Mutex<Rows>,
    leases: Mutex<HashMap<RunId, Lease>>,
}

#[derive(Default)]
struct Rows {
    runs: BTreeMap<RunId, RunRecord>,
    approvals: BTreeMap<ApprovalId, ApprovalView>,
    usage: BTreeMap<UsageRow, (ModelUse, Position)>,
}

struct Lease {
    owner: String,
    fence: u64,
    until: DateTime<Utc>,
}

impl InMemoryRuns {
    /// Runs that follow a log; memberships come from these projects, and the clock is the store's.
    #[must_use]
    pub fn following(store: &InMemoryEventStore, projects: Arc<InMemoryProjects>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let runs = Arc::new(Self { projects, clock, rows: Mutex::default(), leases: Mutex::default() });
        let follower = runs.clone();
        store.follow(move |event| follower.take_in(event));
        runs
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, recorded: &RecordedEvent) {
        let Some(event) = decoded::<Run>(recorded) else { return };
        let id = RunId::from(recorded.stream_id);
        let mut rows = self.rows();
        let Rows { runs, approvals, usage } = &mut *rows;
        if let RunEvent::Queued(queued) = &event {
            runs.insert(id, RunRecord::begun(id, queued, recorded));
            return;
        }
        let Some(record) = runs.get_mut(&id) else { return };
        record.apply(&event, recorded);
        if let Some(bill) = event.bill() {
            let (used, position) = usage.entry(UsageRow::of(&record.summary, &bill, recorded)).or_default();
            *used = used.plus(&ModelUse::of(&bill)).held();
            *position = recorded.position;
        }
        match ApprovalChange::of(&record.summary, &event) {
            None => {}
            Some(ApprovalChange::Asked(asked)) => drop(approvals.insert(asked.id, *asked)),
            Some(ref change @ (ApprovalChange::Decided { id, .. } | ApprovalChange::Expired { id, .. })) => {
                approvals.get_mut(&id).into_iter().for_each(|view| change.apply(view));
            }
            Some(change @ ApprovalChange::Withdrawn) => {
                approvals.values_mut().filter(|view| view.run_id == id).for_each(|view| change.apply(view));
            }
        }
    }

    fn shows(&self, scope: ListScope, project: ProjectId) -> bool {
        match scope {
            ListScope::Everything => true,
            ListScope::MemberOf(user) => self.projects.is_member(project, user),
            ListScope::Project(wanted) => project == wanted,
        }
    }
}

#[async_trait]
impl RunViews for InMemoryRuns {
    async fn find(&self, run: RunId) -> Result<Option<RunSummary>, PortError> {
        Ok(self.rows().runs.get(&run).map(|record| record.summary.clone()))
    }

    async fn list(&self, scope: ListScope, filter: &RunFilter, part: &Part) -> Result<PageOf<RunSummary>, PortError> {
        let wanted = |summary: &&RunSummary| self.shows(scope, summary.project_id) && filter.passes(summary);
        let rows = self.rows();
        let found = rows.runs.values().map(|record| &record.summary).filter(wanted).cloned().collect();
        Ok(PageOf::cut(found, part, filter.sort.descending, |summary| Key::by_time(summary.created_at, summary.id)))
    }

    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError> {
        Ok(self.rows().approvals.get(&approval).cloned())
    }

    async fn approvals(&self, filter: &ApprovalFilter, part: &Part) -> Result<PageOf<ApprovalView>, PortError> {
        let wanted = |view: &&ApprovalView| {
            self.shows(filter.scope, view.project_id)
                && filter.run.is_none_or(|run| view.run_id == run)
                && filter.status.is_none_or(|status| view.status == status)
        };
        let rows = self.rows();
        let found = rows.approvals.values().filter(wanted).cloned().collect();
        Ok(PageOf::cut(found, part, false, |view| Key::by_time(view.requested_at, view.id)))
    }
}

#[async_trait]
impl UsageViews for InMemoryRuns {
    async fn usage(&self, filter: &UsageFilter, part: &Part) -> Result<ProjectUsage, PortError> {
        let (mut totals, mut newest, mut groups) = (ModelUse::default(), 0, BTreeMap::new());
        for (row, (used, position)) in self.rows().usage.iter().filter(|(row, _)| filter.wants(row)) {
            totals = totals.plus(used);
            newest = newest.max(*position);
            let group = UsageGroup::around(row, filter.by);
            let sum = &mut groups.entry(group.place()).or_insert(group).used;
            *sum = sum.plus(used);
        }
        let groups = PageOf::cut(groups.into_values().collect(), part, false, UsageGroup::place);
        Ok(ProjectUsage { totals, position: newest, groups })
    }
}

fn after(now: DateTime<Utc>, lease: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX)
}

#[async_trait]
impl RunQueue for InMemoryRuns {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        let Appetite { most, ending, per_project, own_share, lease } = appetite;
        let now = self.clock.now();
        let rows = self.rows();
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let in_use = |record: &RunRecord| self.projects.in_use(record.summary.project_id);
        let ready = rows.runs.values().filter(|record| record.ready_at.is_some_and(|at| at <= now));
        let (mut due, held): (Vec<_>, Vec<_>) = ready.partition(|record| {
            let held = leases.get(&record.summary.id);
            held.is_none_or(|lease| lease.until < now || lease.fence < record.fence)
        });
        let ends =
            |record: &RunRecord| record.summary.status == RunStatus::Cancelling || record.summary.deadline <= now;
        let mut to_end: Vec<_> = due.extract_if(.., |record| ends(record)).collect();
        to_end.sort_by_key(|record| (record.summary.status != RunStatus::Cancelling, record.summary.deadline));
        let left = to_end.split_off(ending.min(to_end.len()));
        due.extend(left);
        due.retain(|record| in_use(record));
        let mut turns: HashMap<ProjectId, (usize, usize)> = HashMap::new();
        for record in held {
            let (all, own) = turns.entry(record.summary.project_id).or_default();
            *all += 1;
            *own += usize::from(leases.get(&record.summary.id).is_some_and(|lease| lease.owner == worker));
        }
        let urgency = |record: &RunRecord| (Reverse(record.summary.priority), record.ready_at, record.summary.id);
        due.sort_by_key(|record| urgency(record));
        let mut in_turn = Vec::new();
        for record in due {
            let (turn, own) = turns.entry(record.summary.project_id).or_default();
            *turn += 1;
            *own += 1;
            in_turn.push(((*turn, *own), record));
        }
        let all = in_turn.len();
        let within = |share: Option<usize>, turn: usize| share.is_none_or(|share| turn <= share);
        in_turn.retain(|((turn, own), _)| within(per_project, *turn) && within(own_share, *own));
        in_turn.sort_by_key(|((turn, _), record)| (*turn, urgency(record)));
        let held_back = per_project.is_some() && in_turn.len() < all && in_turn.len() < most;
        let mut runs = Vec::new();
        for record in to_end.into_iter().chain(in_turn.into_iter().map(|(_, record)| record).take(most)) {
            let (run, fence) = (record.summary.id, record.fence + 1);
            leases.insert(run, Lease { owner: worker.to_owned(), fence, until: after(now, lease) });
            runs.push(Claim { run, fence });
        }
        let ready = rows.runs.values().filter_map(|record| record.ready_at).filter(|at| *at > now);
        let lapsing = leases.values().map(|lease| lease.until).filter(|until| *until >= now);
        let open = rows.runs.values().filter(|record| record.ready_at.is_some());
        let overdue = open.map(|record| record.summary.deadline).filter(|at| *at > now);
        let next_due = ready.chain(lapsing).chain(overdue).min().map(|at| (at - now).to_std().unwrap_or_default());
        Ok(Claims { runs, at: now, next_due, held_back })
    }

    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError> {
        let now = self.clock.now();
        let rows = self.rows();
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let current = rows.runs.get(&claim.run);
        let current = current.is_some_and(|record| record.fence <= claim.fence && record.ready_at.is_some());
        let held = leases.get_mut(&claim.run).filter(|held| held.owner == worker && held.fence <= claim.fence);
        let Some(held) = held.filter(|_| current) else { return Ok(false) };
        held.fence = claim.fence;
        held.until = after(now, lease);
        Ok(true)
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.get(&claim.run).is_some_and(|lease| lease.owner == worker && lease.fence == claim.fence) {
            leases.remove(&claim.run);
        }
        Ok(())
    }
}

/// Agents' definitions, read from their views.
pub struct ViewedAgents(pub Arc<dyn AgentViews>);

#[async_trait]
impl RunnableAgents for ViewedAgents {
    async fn find(&self, agent: AgentId) -> Result<Option<RunnableAgent>, PortError> {
        let Some(view) = self.0.find(agent).await? else { return Ok(None) };
        let current = match (view.status, view.current_version) {
            (AgentStatus::Active, Some(version)) => {
                self.definition(agent, version).await?.map(|definition| (version, definition))
            }
            _ => None,
        };
        Ok(Some(RunnableAgent { project: view.project_id, current }))
    }

    async fn definition(&self, agent: AgentId, version: u32) -> Result<Option<Arc<Definition>>, PortError> {
        Ok(self.0.version(agent, version).await?.map(|found| Arc::new(found.definition)))
    }
}

/// Agents declared by a test.
#[derive(Default)]
pub struct DeclaredAgents(Mutex<Declared>);

/// The project of each agent, and its versions from 1.
type Declared = HashMap<AgentId, (ProjectId, Vec<Arc<Definition>>)>;

impl DeclaredAgents {
    /// Declares an agent whose only version, 1, has this definition.
    pub fn declare(&self, agent: AgentId, project: ProjectId, definition: impl Into<Definition>) {
        self.agents().insert(agent, (project, vec![Arc::new(definition.into())]));
    }

    /// Publishes the next version of a declared agent.
    pub fn publish(&self, agent: AgentId, definition: impl Into<Definition>) {
        let definition = Arc::new(definition.into());
        self.agents().entry(agent).and_modify(|(_, versions)| versions.push(definition));
    }

    fn agents(&self) -> MutexGuard<'_, Declared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RunnableAgents for DeclaredAgents {
    async fn find(&self, agent: AgentId) -> Result<Option<RunnableAgent>, PortError> {
        Ok(self.agents().get(&agent).map(|(project, versions)| {
            let current = (1..).zip(versions).last().map(|(number, definition)| (number, Arc::clone(definition)));
            RunnableAgent { project: *project, current }
        }))
    }

    async fn definition(&self, agent: AgentId, version: u32) -> Result<Option<Arc<Definition>>, PortError> {
        let index = version.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let agents = self.agents();
        let versions = agents.get(&agent).map(|(_, versions)| versions);
        Ok(index.and_then(|index| versions?.get(index).cloned()))
    }
}
