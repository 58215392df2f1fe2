use chrono::{DateTime, Utc};
use devskyy_application::{
    access::{ListScope, Standing},
    es::{Moment, Repository},
    paging::{PageRequest, Part, Sort},
    projects::{ProjectFilter, ProjectSort, ProjectView},
};
use devskyy_domain::{
    kernel::ids::{ProjectId, UserId},
    projects::{Project, ProjectName, ProjectRole, ProjectStatus},
};

use super::{
    PeopleUnderTest,
    facts::{create_project, decide, id},
};

async fn owned(people: &PeopleUnderTest) {
    create_project(people, id(10), "Lighthouse", id(1)).await;
}

async fn standing(people: &PeopleUnderTest, user: UserId) -> Option<Standing> {
    people.memberships.standing(id(10), user).await.unwrap()
}

fn all_of(scope: ListScope) -> ProjectFilter {
    ProjectFilter { scope, status: None, name: None, sort: Sort::ascending(ProjectSort::CreatedAt) }
}

async fn listed(people: &PeopleUnderTest, scope: ListScope) -> Vec<ProjectId> {
    let page = people.projects.list(&all_of(scope), &Part::default()).await.unwrap();
    page.items.into_iter().map(|project| project.id).collect()
}

/// A created project is found with name, slug, status and version.
pub async fn a_created_project_is_found(people: &PeopleUnderTest) {
    owned(people).await;
    let found = people.projects.find(id(10)).await.unwrap().unwrap();
    assert_eq!(
        (&*found.name, &*found.slug, found.status, found.personal, found.version),
        ("Lighthouse", "lighthouse", ProjectStatus::Active, false, 1)
    );
}

/// Absence is not an error.
pub async fn an_unknown_project_is_absent(people: &PeopleUnderTest) {
    assert_eq!(people.projects.find(id(10)).await.unwrap(), None);
}

/// The creator becomes the owner.
pub async fn the_creator_is_the_owner(people: &PeopleUnderTest) {
    owned(people).await;
    let expected = Standing { status: ProjectStatus::Active, role: Some(ProjectRole::Owner) };
    assert_eq!(standing(people, id(1)).await, Some(expected));
}

/// The current view equals the view as of now, for an archived project, too.
pub async fn a_project_is_shown_as_its_events_tell(people: &PeopleUnderTest) {
    owned(people).await;
    let name = ProjectName::parse("Harbour Two").unwrap();
    decide::<Project>(people, id(10), |it| it.rename(&name)).await;
    for step in [Project::suspend, Project::resume, Project::archive] {
        decide::<Project>(people, id(10), step).await;
    }
    let projects = Repository::<Project>::new(people.store.clone());
    let now = projects.recall(id(10), Moment::Instant(DateTime::<Utc>::MAX_UTC)).await.unwrap().unwrap();
    assert_eq!(people.projects.find(id(10)).await.unwrap(), ProjectView::recalled(id(10), &now));
}

/// The new name, its slug and the new version are visible.
pub async fn a_renamed_project_shows_its_new_name(people: &PeopleUnderTest) {
    owned(people).await;
    let name = ProjectName::parse("Harbour Two").unwrap();
    decide::<Project>(people, id(10), |it| it.rename(&name)).await;
    let found = people.projects.find(id(10)).await.unwrap().unwrap();
    assert_eq!((&*found.name, &*found.slug, found.version), ("Harbour Two", "harbour-two", 2));
}

/// The status changes at once.
pub async fn a_suspended_project_is_shown_as_suspended(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(10), Project::suspend).await;
    assert_eq!(standing(people, id(1)).await.unwrap().status, ProjectStatus::Suspended);
}

/// The status changes at once.
pub async fn an_archived_project_is_shown_as_archived(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(10), Project::archive).await;
    assert_eq!(people.projects.find(id(10)).await.unwrap().unwrap().status, ProjectStatus::Archived);
}

/// The list contains only the person's projects.
pub async fn a_person_is_listed_the_projects_they_belong_to(people: &PeopleUnderTest) {
    owned(people).await;
    create_project(people, id(11), "Elsewhere", id(2)).await;
    assert_eq!(listed(people, ListScope::MemberOf(id(1))).await, [id::<ProjectId>(10)]);
}

/// Administrators see all projects.
pub async fn everything_lists_the_projects_of_everybody(people: &PeopleUnderTest) {
    owned(people).await;
    create_project(people, id(11), "Elsewhere", id(2)).await;
    assert_eq!(listed(people, ListScope::Everything).await, [id::<ProjectId>(10), id(11)]);
}

/// Pages include the total.
pub async fn projects_are_listed_in_pages_the_oldest_first(people: &PeopleUnderTest) {
    for n in 10..15 {
        create_project(people, id(n), &format!("Project {n}"), id(1)).await;
    }
    let page = Part::Page(PageRequest { page: 2, page_size: 2 });
    let page = people.projects.list(&all_of(ListScope::MemberOf(id(1))), &page).await.unwrap();
    let ids: Vec<ProjectId> = page.items.iter().map(|project| project.id).collect();
    assert_eq!((ids, page.total()), (vec![id(12), id(13)], Some(5)));
}

/// Lists can be filtered by status and name, and sorted by name.
pub async fn projects_are_filtered_and_sorted(people: &PeopleUnderTest) {
    for (n, name) in [(10, "beta"), (11, "Alpha"), (12, "Bet_a")] {
        create_project(people, id(n), name, id(1)).await;
    }
    decide::<Project>(people, id(11), Project::suspend).await;
    let (everything, by_name) = (all_of(ListScope::Everything), Sort::descending(ProjectSort::Name));
    let suspended = ProjectFilter { status: Some(ProjectStatus::Suspended), ..everything.clone() };
    let named = ProjectFilter { name: Some("BET".to_owned()), sort: by_name, ..everything.clone() };
    let literal = ProjectFilter { name: Some("t_a".to_owned()), ..everything };
    for (filter, found) in [(suspended, vec![11]), (named, vec![10, 12]), (literal, vec![12])] {
        let page = people.projects.list(&filter, &Part::default()).await.unwrap();
        let ids: Vec<ProjectId> = page.items.iter().map(|project| project.id).collect();
        assert_eq!(ids, found.into_iter().map(id).collect::<Vec<_>>(), "{filter:?}");
    }
}

/// Members are listed in the order of joining.
pub async fn an_added_member_is_listed_after_older_ones(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(10), |it| it.add_member(id(2), ProjectRole::Viewer)).await;
    let page = people.projects.members(id(10), &Part::default()).await.unwrap();
    let members: Vec<_> = page.items.iter().map(|member| (member.user, member.role)).collect();
    assert_eq!((members, page.total()), (vec![(id(1), ProjectRole::Owner), (id(2), ProjectRole::Viewer)], Some(2)));
}

/// A role change applies to the next query.
pub async fn a_changed_role_counts_at_once(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(10), |it| it.add_member(id(2), ProjectRole::Viewer)).await;
    decide::<Project>(people, id(10), |it| it.change_member_role(id(2), ProjectRole::Operator)).await;
    assert_eq!(standing(people, id(2)).await.unwrap().role, Some(ProjectRole::Operator));
}

/// Results are not cached.
pub async fn a_role_taken_away_between_two_questions_is_gone(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(10), |it| it.add_member(id(2), ProjectRole::Viewer)).await;
    let before = standing(people, id(2)).await.unwrap().role;
    decide::<Project>(people, id(10), |it| it.remove_member(id(2))).await;
    assert_eq!((before, standing(people, id(2)).await.unwrap().role), (Some(ProjectRole::Viewer), None));
}

/// A removal applies to the next query.
pub async fn a_removed_member_has_no_role_any_more(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(10), |it| it.add_member(id(2), ProjectRole::Viewer)).await;
    decide::<Project>(people, id(10), |it| it.remove_member(id(2))).await;
    let member = people.projects.member(id(10), id(2)).await.unwrap();
    assert_eq!((standing(people, id(2)).await.unwrap().role, member), (None, None));
}

/// A member who rejoins is a member, even if both happen in one request.
pub async fn a_member_who_left_and_came_back_is_a_member(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(10), |it| {
        let mut events = it.add_member(id(2), ProjectRole::Viewer)?;
        events.push(devskyy_domain::projects::MemberRemoved { user: id(2) }.into());
        events.push(devskyy_domain::projects::MemberAdded { user: id(2), role: ProjectRole::Operator }.into());
        Ok(events)
    })
    .await;
    assert_eq!(standing(people, id(2)).await.unwrap().role, Some(ProjectRole::Operator));
}

/// Non-members have no role.
pub async fn a_stranger_has_no_role(people: &PeopleUnderTest) {
    owned(people).await;
    assert_eq!(standing(people, id(2)).await, Some(Standing { status: ProjectStatus::Active, role: None }));
}

/// There is no such project.
pub async fn nobody_stands_anywhere_in_an_unknown_project(people: &PeopleUnderTest) {
    assert_eq!(standing(people, id(1)).await, None);
}

/// The personal project is found by its owner.
pub async fn a_personal_project_is_found_by_its_person(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(11), |it| it.create(&ProjectName::personal(), id(1), true)).await;
    assert_eq!(people.memberships.personal_project(id(1)).await.unwrap(), Some(id(11)));
}

/// Other projects of a person are not personal.
pub async fn other_projects_of_a_person_are_not_personal(people: &PeopleUnderTest) {
    owned(people).await;
    assert_eq!(people.memberships.personal_project(id(1)).await.unwrap(), None);
}

/// Members of one project know each other.
pub async fn members_of_one_project_are_acquainted(people: &PeopleUnderTest) {
    owned(people).await;
    decide::<Project>(people, id(10), |it| it.add_member(id(2), ProjectRole::Viewer)).await;
    assert!(people.memberships.acquainted(id(1), id(2)).await.unwrap());
    assert!(people.memberships.acquainted(id(2), id(1)).await.unwrap());
}

/// Neither an account nor a former membership is sufficient.
pub async fn people_who_share_no_project_are_strangers(people: &PeopleUnderTest) {
    owned(people).await;
    let name = ProjectName::parse("Lighthouse").unwrap();
    decide::<Project>(people, id(11), |it| it.create(&name, id(3), false)).await;
    decide::<Project>(people, id(10), |it| it.add_member(id(2), ProjectRole::Viewer)).await;
    decide::<Project>(people, id(10), |it| it.remove_member(id(2))).await;
    for other in [id(2), id(3), id(404)] {
        assert!(!people.memberships.acquainted(id(1), other).await.unwrap(), "{other}");
    }
}
