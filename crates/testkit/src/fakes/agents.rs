use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use devskyy_application::{
    access::ListScope,
    agents::{AgentFilter, AgentSort, AgentVersionSummary, AgentVersionView, AgentView, AgentViews},
    error::PortError,
    es::RecordedEvent,
    paging::{Key, PageOf, Part},
};
use devskyy_domain::{
    agents::{Agent, AgentCreated, AgentEvent, AgentStatus, VersionNumber},
    kernel::ids::AgentId,
};

use super::{InMemoryEventStore, InMemoryProjects, identity::decoded};

/// Agents and their versions, folded from an in-memory log.
pub struct InMemoryAgents {
    projects: Arc<InMemoryProjects>,
    rows: Mutex<Vec<Row>>,
}

struct Row {
    view: AgentView,
    versions: Vec<AgentVersionView>,
}

impl InMemoryAgents {
    /// Agents that follow a log; memberships come from these projects.
    #[must_use]
    pub fn following(store: &InMemoryEventStore, projects: Arc<InMemoryProjects>) -> Arc<Self> {
        let agents = Arc::new(Self { projects, rows: Mutex::default() });
        let follower = agents.clone();
        store.follow(move |event| follower.take_in(event));
        agents
    }

    fn rows(&self) -> MutexGuard<'_, Vec<Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: &RecordedEvent) {
        let Some(fact) = decoded::<Agent>(event) else { return };
        let mut rows = self.rows();
        if let AgentEvent::Created(it) = &fact {
            rows.push(Row { view: first_view(event, it), versions: Vec::new() });
            return;
        }
        let Some(row) = rows.iter_mut().find(|row| row.view.id == event.stream_id.into()) else { return };
        row.view.version = event.version;
        row.view.updated_at = event.recorded_at;
        row.change(event, fact);
    }
}

fn first_view(event: &RecordedEvent, created: &AgentCreated) -> AgentView {
    AgentView {
        id: event.stream_id.into(),
        project_id: created.project,
        name: created.name.as_str().to_owned(),
        kind: created.kind,
        capabilities: created.capabilities.as_slice().to_vec(),
        description: created.description.as_str().to_owned(),
        status: AgentStatus::Draft,
        current_version: None,
        created_at: event.recorded_at,
        updated_at: event.recorded_at,
        version: event.version,
    }
}

impl Row {
    fn change(&mut self, event: &RecordedEvent, fact: AgentEvent) {
        match fact {
            AgentEvent::Created(_) => {}
            AgentEvent::VersionPublished(it) => {
                self.view.current_version = Some(it.number);
                let summary = AgentVersionSummary {
                    agent_id: self.view.id,
                    number: it.number,
                    published_at: event.recorded_at,
                    published_by: event.context.actor.clone(),
                };
                self.versions.push(AgentVersionView { summary, definition: it.definition });
            }
            AgentEvent::VersionRestored(it) => self.view.current_version = Some(it.number),
            AgentEvent::Activated(_) | AgentEvent::Resumed(_) => self.view.status = AgentStatus::Active,
            AgentEvent::Paused(_) => self.view.status = AgentStatus::Paused,
            AgentEvent::Archived(_) => self.view.status = AgentStatus::Archived,
            AgentEvent::Renamed(it) => self.view.name = it.name.as_str().to_owned(),
            AgentEvent::Described(it) => self.view.description = it.description.as_str().to_owned(),
            AgentEvent::CapabilitiesChanged(it) => self.view.capabilities = it.capabilities.as_slice().to_vec(),
        }
    }
}

fn place(agent: &AgentView, by: AgentSort) -> Key {
    match by {
        AgentSort::CreatedAt => Key::by_time(agent.created_at, agent.id),
        AgentSort::UpdatedAt => Key::by_time(agent.updated_at, agent.id),
        AgentSort::Name => Key::by_name(&agent.name, agent.id),
    }
}

#[async_trait]
impl AgentViews for InMemoryAgents {
    async fn find(&self, agent: AgentId) -> Result<Option<AgentView>, PortError> {
        Ok(self.rows().iter().find(|row| row.view.id == agent).map(|row| row.view.clone()))
    }

    async fn list(&self, filter: AgentFilter, part: &Part) -> Result<PageOf<AgentView>, PortError> {
        let wanted = |view: &&AgentView| {
            let within = match filter.scope {
                ListScope::Everything => true,
                ListScope::MemberOf(user) => self.projects.is_member(view.project_id, user),
                ListScope::Project(project) => view.project_id == project,
            };
            within
                && filter.status.is_none_or(|status| view.status == status)
                && filter.kind.is_none_or(|kind| view.kind == kind)
                && filter.name.as_ref().is_none_or(|name| view.name.to_lowercase().contains(&name.to_lowercase()))
                && filter.capability.as_ref().is_none_or(|wanted| view.capabilities.contains(wanted))
        };
        let all = self.rows().iter().map(|row| &row.view).filter(wanted).cloned().collect();
        Ok(PageOf::cut(all, part, filter.sort.descending, |agent| place(agent, filter.sort.by)))
    }

    async fn versions(&self, agent: AgentId, part: &Part) -> Result<PageOf<AgentVersionSummary>, PortError> {
        let rows = self.rows();
        let versions = rows.iter().filter(|row| row.view.id == agent).flat_map(|row| &row.versions);
        let all = versions.map(|version| version.summary.clone()).collect();
        Ok(PageOf::cut(all, part, true, |version| Key::by_number(version.number.into(), version.agent_id)))
    }

    async fn version(&self, agent: AgentId, number: VersionNumber) -> Result<Option<AgentVersionView>, PortError> {
        let rows = self.rows();
        let mut versions = rows.iter().filter(|row| row.view.id == agent).flat_map(|row| &row.versions);
        Ok(versions.find(|version| version.summary.number == number).cloned())
    }
}
