use devskyy_application::{
    access::ListScope,
    agents::{AgentFilter, AgentSort},
    paging::{PageOf, PageRequest, Part, Sort},
};
use devskyy_domain::{
    agents::{Agent, AgentStatus, AgentType, Capabilities},
    kernel::ids::AgentId,
};

use super::{
    PeopleUnderTest,
    facts::{create_agent, create_project, decide, id, workflow},
};

/// Two projects of two people: agents 20 to 22 in the first, 23 in the second.
async fn some(people: &PeopleUnderTest) {
    create_project(people, id(10), "Lighthouse", id(1)).await;
    create_project(people, id(11), "Elsewhere", id(2)).await;
    for (n, project, name) in [(20, 10, "beta"), (21, 10, "Alpha"), (22, 10, "gamma"), (23, 11, "Delta")] {
        create_agent(people, id(n), id(project), name).await;
    }
}

fn all_of(scope: ListScope) -> AgentFilter {
    AgentFilter {
        scope,
        status: None,
        kind: None,
        name: None,
        capability: None,
        sort: Sort::ascending(AgentSort::CreatedAt),
    }
}

async fn page_of(people: &PeopleUnderTest, filter: AgentFilter, page: u64, page_size: u64) -> PageOf<AgentId> {
    let page = people.agents.list(filter, &Part::Page(PageRequest { page, page_size })).await.unwrap();
    page.map(|agent| agent.id)
}

async fn ids(people: &PeopleUnderTest, filter: AgentFilter) -> Vec<AgentId> {
    page_of(people, filter, 1, 100).await.items
}

fn numbered<const N: usize>(numbers: [u64; N]) -> Vec<AgentId> {
    numbers.map(id).to_vec()
}

/// Only agents of the project.
pub async fn agents_are_listed_by_project(people: &PeopleUnderTest) {
    some(people).await;
    assert_eq!(ids(people, all_of(ListScope::Project(id(11)))).await, numbered([23]));
}

/// Only agents of the person's projects.
pub async fn agents_are_listed_by_membership(people: &PeopleUnderTest) {
    some(people).await;
    assert_eq!(ids(people, all_of(ListScope::MemberOf(id(1)))).await, numbered([20, 21, 22]));
}

/// All agents.
pub async fn agents_of_all_projects_are_listed_to_whoever_may_see_everything(people: &PeopleUnderTest) {
    some(people).await;
    assert_eq!(ids(people, all_of(ListScope::Everything)).await, numbered([20, 21, 22, 23]));
}

/// Only agents with the status.
pub async fn agents_are_filtered_by_status(people: &PeopleUnderTest) {
    some(people).await;
    decide::<Agent>(people, id(21), |it| it.publish(&workflow("one"))).await;
    decide::<Agent>(people, id(21), Agent::activate).await;
    let filter = AgentFilter { status: Some(AgentStatus::Active), ..all_of(ListScope::Everything) };
    assert_eq!(ids(people, filter).await, numbered([21]));
}

/// Only agents of the type.
pub async fn agents_are_filtered_by_type(people: &PeopleUnderTest) {
    some(people).await;
    let filter = AgentFilter { kind: Some(AgentType::Assistant), ..all_of(ListScope::Everything) };
    assert_eq!(ids(people, filter).await, numbered([]));
}

/// Case is ignored, and the wildcards of `LIKE` are literal.
pub async fn agents_are_searched_by_name(people: &PeopleUnderTest) {
    some(people).await;
    create_agent(people, id(24), id(11), "100% \u{c4}rger").await;
    for (text, found) in [("ALPH", vec![21]), ("A", vec![20, 21, 22, 23]), ("0% \u{e4}", vec![24]), ("_", vec![])] {
        let filter = AgentFilter { name: Some(text.to_owned()), ..all_of(ListScope::Everything) };
        assert_eq!(ids(people, filter).await, found.into_iter().map(id).collect::<Vec<_>>(), "{text}");
    }
}

/// Capabilities match as a whole.
pub async fn agents_are_filtered_by_capability(people: &PeopleUnderTest) {
    some(people).await;
    decide::<Agent>(people, id(22), |it| it.change(None, None, Some(&Capabilities::parse(&["review"]).unwrap()))).await;
    for (capability, found) in [("audit", vec![20, 21, 23]), ("review", vec![22]), ("aud", vec![])] {
        let filter = AgentFilter { capability: Some(capability.to_owned()), ..all_of(ListScope::Everything) };
        assert_eq!(ids(people, filter).await, found.into_iter().map(id).collect::<Vec<_>>(), "{capability}");
    }
}

/// The newest first.
pub async fn agents_are_listed_the_newest_first(people: &PeopleUnderTest) {
    some(people).await;
    let filter = AgentFilter { sort: Sort::descending(AgentSort::CreatedAt), ..all_of(ListScope::Project(id(10))) };
    assert_eq!(ids(people, filter).await, numbered([22, 21, 20]));
}

/// The oldest first.
pub async fn agents_are_listed_the_oldest_first(people: &PeopleUnderTest) {
    some(people).await;
    assert_eq!(ids(people, all_of(ListScope::Project(id(10)))).await, numbered([20, 21, 22]));
}

/// `Alpha` comes before `beta`.
pub async fn agents_are_listed_by_name_letters_case_aside(people: &PeopleUnderTest) {
    some(people).await;
    let filter = AgentFilter { sort: Sort::ascending(AgentSort::Name), ..all_of(ListScope::Everything) };
    assert_eq!(ids(people, filter).await, numbered([21, 20, 23, 22]));
}

/// Pages include the total.
pub async fn agents_are_listed_in_pages(people: &PeopleUnderTest) {
    some(people).await;
    let page = page_of(people, all_of(ListScope::MemberOf(id(1))), 2, 2).await;
    assert_eq!(page, PageOf::of_total(numbered([22]), 3));
}

/// The total does not depend on the page.
pub async fn a_page_beyond_the_end_is_empty_and_knows_the_total(people: &PeopleUnderTest) {
    some(people).await;
    let page = page_of(people, all_of(ListScope::MemberOf(id(1))), 9, 2).await;
    assert_eq!(page, PageOf::of_total(numbered([]), 3));
}
