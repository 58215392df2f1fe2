//! The definitions that runs use, after the log was rewound.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use chrono::DateTime;
use devskyy_application::{
    agents::{AgentFilter, AgentVersionSummary, AgentVersionView, AgentView, AgentViews},
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventStore, Rewindable},
    paging::{PageOf, Part},
    runs::RunnableAgents as _,
};
use devskyy_domain::{definition::Definition, kernel::ids::AgentId, workflow::Workflow};
use devskyy_infrastructure::runs::AgentsForRuns;
use devskyy_testkit::{fakes::InMemoryEventStore, reads_through};
use uuid::Uuid;

/// How often the log was rewound.
#[derive(Clone, Default)]
struct Rewinds(Arc<AtomicU64>);

/// A log with that many rewinds.
struct Log(InMemoryEventStore, Rewinds);

impl Rewindable for Log {
    fn rewinds(&self) -> u64 {
        self.1.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventStore for Log {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.0.append(request).await
    }

    reads_through!(0);
}

fn workflow(step: &str) -> Definition {
    serde_json::from_str::<Workflow>(&format!(r#"{{"steps":[{{"id":"{step}","tool":"jq"}}]}}"#)).unwrap().into()
}

/// Agents whose first version differs after the log was rewound.
struct Views(Rewinds);

#[async_trait]
impl AgentViews for Views {
    async fn find(&self, _: AgentId) -> Result<Option<AgentView>, PortError> {
        Ok(None)
    }

    async fn list(&self, _: AgentFilter, _: &Part) -> Result<PageOf<AgentView>, PortError> {
        Err(PortError::bug("agent views", "listing", "nobody asks"))
    }

    async fn versions(&self, _: AgentId, _: &Part) -> Result<PageOf<AgentVersionSummary>, PortError> {
        Err(PortError::bug("agent views", "listing", "nobody asks"))
    }

    async fn version(&self, agent: AgentId, number: u32) -> Result<Option<AgentVersionView>, PortError> {
        let step = if self.0.0.load(Ordering::Relaxed) == 0 { "before" } else { "after" };
        let (published_at, published_by) = (DateTime::UNIX_EPOCH, "user:ada".to_owned());
        let summary = AgentVersionSummary { agent_id: agent, number, published_at, published_by };
        Ok(Some(AgentVersionView { summary, definition: workflow(step) }))
    }
}

#[tokio::test]
async fn a_version_that_was_published_anew_after_a_log_was_put_back_is_told_as_it_is_now() {
    let (rewinds, agent) = (Rewinds::default(), AgentId::from(Uuid::from_u128(1)));
    let log = Arc::new(Log(InMemoryEventStore::default(), rewinds.clone()));
    let agents = AgentsForRuns::new(Arc::new(Views(rewinds.clone())), log);
    agents.definition(agent, 1).await.unwrap();
    rewinds.0.store(1, Ordering::Relaxed);
    assert_eq!(agents.definition(agent, 1).await.unwrap().as_deref(), Some(&workflow("after")));
}
