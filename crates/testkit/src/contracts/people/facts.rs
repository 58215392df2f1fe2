//! Shorthands for recording events.

use std::collections::BTreeMap;

use devskyy_application::{
    context::Actor,
    es::{AppendRequest, EventContext, Precondition, Repository},
};
use devskyy_domain::{
    agents::{Agent, AgentName, AgentType, Capabilities, Description, NewAgent},
    definition::Definition,
    identity::{PlatformRole, User},
    kernel::{
        Aggregate, Json,
        ids::{AgentId, ProjectId, UserId},
    },
    projects::{Project, ProjectName},
    workflow::{Action, Backoff, Limits, Step, Workflow},
};
use uuid::Uuid;

use super::PeopleUnderTest;
use crate::fakes::SequentialIds;

/// Ids of a suite: equal numbers give equal ids.
pub(super) fn id<T: From<Uuid>>(n: u64) -> T {
    SequentialIds::nth(n).into()
}

/// The actor of the suites.
pub(super) fn context() -> EventContext {
    Actor::system("contract", SequentialIds::nth(9_999)).event_context(None)
}

/// Records events of one aggregate.
pub(super) async fn record<A: Aggregate>(people: &PeopleUnderTest, of: A::Id, events: &[A::Event]) {
    let write = Repository::<A>::write(of, Precondition::Any, events).unwrap();
    let request = AppendRequest { writes: vec![write], claims: vec![], idempotency: None, context: context() };
    people.store.append(request).await.unwrap();
}

/// Lets an aggregate decide on its current state, and records the events.
pub(super) async fn decide<A: Aggregate>(
    people: &PeopleUnderTest,
    of: A::Id,
    decide: impl FnOnce(&A) -> Result<Vec<A::Event>, A::Error>,
) {
    let state = Repository::<A>::new(people.store.clone()).load(of).await.unwrap().state;
    record::<A>(people, of, &decide(&state).unwrap()).await;
}

pub(super) async fn register(people: &PeopleUnderTest, user: UserId, role: PlatformRole) {
    decide::<User>(people, user, |it| it.register(role, id(700))).await;
}

pub(super) async fn create_project(people: &PeopleUnderTest, project: ProjectId, name: &str, owner: UserId) {
    let name = ProjectName::parse(name).unwrap();
    decide::<Project>(people, project, |it| it.create(&name, owner, false)).await;
}

pub(super) fn draft(project: ProjectId, name: &str) -> NewAgent {
    NewAgent {
        project,
        name: AgentName::parse(name).unwrap(),
        kind: AgentType::Workflow,
        capabilities: Capabilities::parse(&["audit", "report"]).unwrap(),
        description: Description::parse("Looks after things.").unwrap(),
    }
}

pub(super) async fn create_agent(people: &PeopleUnderTest, agent: AgentId, project: ProjectId, name: &str) {
    decide::<Agent>(people, agent, |it| it.create(&draft(project, name), None)).await;
}

/// A workflow of one step that returns its argument.
pub(super) fn workflow(output: &str) -> Definition {
    let step = Step {
        id: "echo".to_owned(),
        needs: vec![],
        when: None,
        for_each: None,
        action: Action::Tool { name: "template".to_owned(), arguments: Json::from(output) },
    };
    let workflow = Workflow {
        input_schema: None,
        output_schema: None,
        tools: BTreeMap::new(),
        steps: vec![step],
        output: Json::from(output),
        limits: Limits::default(),
        retry: Backoff::default(),
        approval_expires_s: None,
    };
    workflow.into()
}
