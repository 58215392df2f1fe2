use devskyy_application::{
    access::ListScope,
    agents::{AgentFilter, AgentSort},
    identity::UserFilter,
    paging::{PageOf, PageRequest, Part, Sort},
    projects::{ProjectFilter, ProjectSort},
};
use devskyy_domain::{
    agents::Agent,
    identity::PlatformRole,
    kernel::ids::{AgentId, ProjectId, UserId},
    projects::{Project, ProjectRole},
};

use super::{
    PeopleUnderTest,
    api_keys::{issue, issue_as},
    facts::{create_agent, create_project, decide, id, register, workflow},
};
use crate::contracts::walking::{is_walked_once, tells_once, walk};

const DIRECTIONS: [bool; 2] = [false, true];

/// Pages of every length return each user once.
pub async fn users_are_walked_once(people: &PeopleUnderTest) {
    for n in 1..=5 {
        register(people, id(n), PlatformRole::Member).await;
    }
    is_walked_once(async |part| people.users.list(UserFilter::default(), &part).await.unwrap()).await;
}

/// Even with equal names.
pub async fn projects_are_walked_once_in_every_order(people: &PeopleUnderTest) {
    for (n, name) in [(10, "Same"), (11, "other"), (12, "same"), (13, "SAME"), (14, "Another")] {
        create_project(people, id(n), name, id(1)).await;
    }
    for (by, descending) in [ProjectSort::CreatedAt, ProjectSort::Name].into_iter().flat_map(with_directions) {
        let scope = ListScope::MemberOf(id(1));
        let filter = ProjectFilter { scope, status: None, name: None, sort: Sort { by, descending } };
        is_walked_once(async |part| people.projects.list(&filter, &part).await.unwrap()).await;
    }
}

async fn four_members(people: &PeopleUnderTest) {
    create_project(people, id(10), "Lighthouse", id(1)).await;
    for n in 2..=4 {
        decide::<Project>(people, id(10), |it| it.add_member(id(n), ProjectRole::Viewer)).await;
    }
}

/// Pages of every length return each member once.
pub async fn members_are_walked_once(people: &PeopleUnderTest) {
    four_members(people).await;
    is_walked_once(async |part| people.projects.members(id(10), &part).await.unwrap()).await;
}

/// A cursor does not depend on its row.
pub async fn a_walk_goes_on_after_somebody_who_has_left(people: &PeopleUnderTest) {
    four_members(people).await;
    let list = async |part| people.projects.members(id(10), &part).await.unwrap().map(|member| member.user);
    let leave = async |told: &[UserId]| {
        if told == [id(1), id(2)] {
            decide::<Project>(people, id(10), |it| it.remove_member(id(2))).await;
        }
    };
    assert_eq!(walk(2, list, leave).await, (1..=4).map(id).collect::<Vec<UserId>>());
}

/// Two projects with agents of the same names.
async fn namesakes(people: &PeopleUnderTest) {
    for (project, first) in [(10, 20), (11, 30)] {
        create_project(people, id(project), "Lighthouse", id(1)).await;
        for (n, name) in (first..).zip(["beta", "Alpha", "gamma"]) {
            create_agent(people, id(n), id(project), name).await;
        }
    }
}

fn everything(sort: Sort<AgentSort>) -> AgentFilter {
    AgentFilter { scope: ListScope::Everything, status: None, kind: None, name: None, capability: None, sort }
}

fn with_directions<F: Copy>(by: F) -> [(F, bool); 2] {
    DIRECTIONS.map(|descending| (by, descending))
}

async fn agents(people: &PeopleUnderTest, filter: &AgentFilter, part: Part) -> PageOf<AgentId> {
    people.agents.list(filter.clone(), &part).await.unwrap().map(|agent| agent.id)
}

/// Even with equal names or times.
pub async fn agents_are_walked_once_in_every_order(people: &PeopleUnderTest) {
    namesakes(people).await;
    let sorts = [AgentSort::CreatedAt, AgentSort::UpdatedAt, AgentSort::Name];
    for (by, descending) in sorts.into_iter().flat_map(with_directions) {
        let filter = everything(Sort { by, descending });
        is_walked_once(async |part| agents(people, &filter, part).await).await;
    }
}

/// Agents that existed throughout are returned exactly once, wherever others are inserted.
pub async fn agents_added_during_a_walk_hide_and_repeat_nothing(people: &PeopleUnderTest) {
    namesakes(people).await;
    create_project(people, id(12), "Elsewhere", id(1)).await;
    let mut next = 100;
    for (by, descending) in [AgentSort::CreatedAt, AgentSort::Name].into_iter().flat_map(with_directions) {
        let filter = everything(Sort { by, descending });
        let throughout = agents(people, &filter, Part::Page(PageRequest { page: 1, page_size: 100 })).await.items;
        let most = next + 12;
        let add = async |_: &[AgentId]| {
            for name in ["aaa", "beta", "zzz"] {
                if next < most {
                    create_agent(people, id(next), id(12), &format!("{name} {next}")).await;
                    next += 1;
                }
            }
        };
        let told = walk(2, async |part| agents(people, &filter, part).await, add).await;
        tells_once(&told, &throughout);
    }
}

/// Pages of every length return each version once.
pub async fn versions_are_walked_once(people: &PeopleUnderTest) {
    create_project(people, id(10), "Lighthouse", id(1)).await;
    create_agent(people, id(20), id(10), "Keeper").await;
    for content in ["one", "two", "three", "four"] {
        decide::<Agent>(people, id(20), |it| it.publish(&workflow(content))).await;
    }
    is_walked_once(async |part| people.agents.versions(id(20), &part).await.unwrap()).await;
}

/// Pages of every length return each key once.
pub async fn keys_are_walked_once(people: &PeopleUnderTest) {
    issue(people).await;
    for (key, secret) in [(70, 71), (72, 73), (74, 75)] {
        issue_as(people, id(key), id(secret)).await;
    }
    let project: ProjectId = id(10);
    is_walked_once(async |part| people.keys.list(project, &part).await.unwrap()).await;
}
