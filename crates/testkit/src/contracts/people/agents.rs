use chrono::{DateTime, Utc};
use devskyy_application::{
    agents::AgentView,
    es::{Moment, Repository},
    paging::{PageRequest, Part},
};
use devskyy_domain::{
    agents::{Agent, AgentName, AgentStatus, Capabilities, Description},
    kernel::ids::ProjectId,
};

use super::{
    PeopleUnderTest,
    facts::{context, create_agent, decide, draft, id, workflow},
};

async fn view(people: &PeopleUnderTest) -> AgentView {
    people.agents.find(id(20)).await.unwrap().unwrap()
}

async fn published(people: &PeopleUnderTest, contents: &[&str]) {
    create_agent(people, id(20), id(10), "Keeper").await;
    for content in contents {
        decide::<Agent>(people, id(20), |it| it.publish(&workflow(content))).await;
    }
}

/// A new agent has its properties.
pub async fn a_new_agent_is_a_draft_without_version(people: &PeopleUnderTest) {
    create_agent(people, id(20), id(10), "Keeper").await;
    let found = view(people).await;
    assert_eq!(
        (found.project_id, &*found.name, found.status, found.current_version, found.version),
        (id::<ProjectId>(10), "Keeper", AgentStatus::Draft, None, 1)
    );
}

/// Several events of one request are all applied.
pub async fn an_agent_created_with_a_definition_is_active_at_version_1(people: &PeopleUnderTest) {
    decide::<Agent>(people, id(20), |it| it.create(&draft(id(10), "Keeper"), Some(&workflow("one")))).await;
    let found = view(people).await;
    assert_eq!((found.status, found.current_version, found.version), (AgentStatus::Active, Some(1), 3));
}

/// Absence is not an error.
pub async fn an_unknown_agent_is_absent(people: &PeopleUnderTest) {
    assert_eq!(people.agents.find(id(20)).await.unwrap(), None);
}

/// Name, description and capabilities change at once.
pub async fn a_changed_agent_shows_its_new_face(people: &PeopleUnderTest) {
    create_agent(people, id(20), id(10), "Keeper").await;
    let (name, description) = (AgentName::parse("Warden").unwrap(), Description::parse("Guards.").unwrap());
    let capabilities = Capabilities::parse(&["guard"]).unwrap();
    decide::<Agent>(people, id(20), |it| it.change(Some(&name), Some(&description), Some(&capabilities))).await;
    let found = view(people).await;
    let face = (&*found.name, &*found.description, found.capabilities, found.version);
    assert_eq!(face, ("Warden", "Guards.", vec!["guard".to_owned()], 4));
}

/// Active, paused, active, archived.
pub async fn an_agents_life_is_followed(people: &PeopleUnderTest) {
    published(people, &["one"]).await;
    let mut seen = vec![];
    for step in [Agent::activate, Agent::pause, Agent::resume, Agent::archive] {
        decide::<Agent>(people, id(20), step).await;
        seen.push(view(people).await.status);
    }
    assert_eq!(seen, [AgentStatus::Active, AgentStatus::Paused, AgentStatus::Active, AgentStatus::Archived]);
}

/// The current view equals the view as of now.
pub async fn an_agent_is_shown_as_its_events_tell(people: &PeopleUnderTest) {
    published(people, &["one", "two", "one"]).await;
    let (name, capabilities) = (AgentName::parse("Warden").unwrap(), Capabilities::parse(&["guard"]).unwrap());
    decide::<Agent>(people, id(20), |it| it.change(Some(&name), None, Some(&capabilities))).await;
    for step in [Agent::activate, Agent::pause, Agent::archive] {
        decide::<Agent>(people, id(20), step).await;
    }
    let agents = Repository::<Agent>::new(people.store.clone());
    let now = agents.recall(id(20), Moment::Instant(DateTime::<Utc>::MAX_UTC)).await.unwrap().unwrap();
    assert_eq!(Some(view(people).await), AgentView::recalled(id(20), &now));
}

/// The newest first.
pub async fn versions_are_listed_the_newest_first(people: &PeopleUnderTest) {
    published(people, &["one", "two", "three"]).await;
    let page = people.agents.versions(id(20), &Part::Page(PageRequest { page: 1, page_size: 2 })).await.unwrap();
    let numbers: Vec<_> = page.items.iter().map(|version| version.number).collect();
    assert_eq!((numbers, page.total()), (vec![3, 2], Some(3)));
}

/// A definition is returned unchanged.
pub async fn a_version_is_read_back_as_it_was_published(people: &PeopleUnderTest) {
    published(people, &["one", "two"]).await;
    assert_eq!(people.agents.version(id(20), 1).await.unwrap().unwrap().definition, workflow("one"));
}

/// A version records its publisher.
pub async fn a_version_names_who_published_it(people: &PeopleUnderTest) {
    published(people, &["one"]).await;
    let version = people.agents.version(id(20), 1).await.unwrap().unwrap();
    assert_eq!(version.summary.published_by, context().actor);
}

/// Absence is not an error.
pub async fn an_unknown_version_is_absent(people: &PeopleUnderTest) {
    published(people, &["one"]).await;
    assert_eq!(people.agents.version(id(20), 2).await.unwrap(), None);
}

/// The same content is the same version.
pub async fn a_restored_version_is_current_without_another_version(people: &PeopleUnderTest) {
    published(people, &["one", "two", "one"]).await;
    let versions = people.agents.versions(id(20), &Part::default()).await.unwrap();
    assert_eq!((view(people).await.current_version, versions.total()), (Some(1), Some(2)));
}
