//! Rules of projects and their members.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    MemberAdded, MemberRemoved, MemberRoleChanged, Project, ProjectArchived, ProjectCreated, ProjectError,
    ProjectEvent, ProjectName, ProjectRenamed, ProjectResumed, ProjectRole, ProjectStatus, ProjectSuspended,
};
use crate::kernel::{
    Aggregate as _,
    given::{Given, given},
    ids::UserId,
};

fn user(n: u128) -> UserId {
    Uuid::from_u128(n).into()
}

fn name(raw: &str) -> ProjectName {
    ProjectName::parse(raw).unwrap()
}

fn created() -> ProjectEvent {
    let name = name("Lighthouse");
    ProjectCreated { slug: name.slug(), name, owner: user(1), personal: false }.into()
}

fn active() -> Given<Project> {
    given([created()])
}

fn with_viewer() -> Given<Project> {
    given([created(), MemberAdded { user: user(2), role: ProjectRole::Viewer }.into()])
}

fn suspended() -> Given<Project> {
    given([created(), ProjectSuspended {}.into()])
}

fn archived() -> Given<Project> {
    given([created(), ProjectArchived {}.into()])
}

/// A project with a maintainer in each state: active, suspended and archived.
fn whatever_became_of_it() -> [Given<Project>; 3] {
    let joined = || ProjectEvent::from(MemberAdded { user: user(2), role: ProjectRole::Maintainer });
    [
        given([created(), joined()]),
        given([created(), joined(), ProjectSuspended {}.into()]),
        given([created(), joined(), ProjectArchived {}.into()]),
    ]
}

#[test]
fn creating_records_name_slug_and_owner() {
    let answer = given::<Project>([]).when(|project| project.create(&name("Lighthouse"), user(1), false));
    assert_eq!(answer, Ok(vec![created()]));
}

#[test]
fn a_project_is_created_once() {
    let again = active().when(|project| project.create(&name("Lighthouse"), user(1), false));
    assert_eq!(again, Err(ProjectError::AlreadyCreated));
}

#[test]
fn a_project_can_be_renamed() {
    let renamed = ProjectRenamed { name: name("Harbour"), slug: name("Harbour").slug() };
    assert_eq!(active().when(|project| project.rename(&name("Harbour"))), Ok(vec![renamed.into()]));
}

#[test]
fn the_same_name_again_changes_nothing() {
    assert_eq!(active().when(|project| project.rename(&name("Lighthouse"))), Ok(vec![]));
}

#[test]
fn a_person_can_be_added() {
    let added = MemberAdded { user: user(2), role: ProjectRole::Operator };
    let answer = active().when(|project| project.add_member(user(2), ProjectRole::Operator));
    assert_eq!(answer, Ok(vec![added.into()]));
}

#[test]
fn adding_a_member_in_the_same_role_changes_nothing() {
    assert_eq!(with_viewer().when(|project| project.add_member(user(2), ProjectRole::Viewer)), Ok(vec![]));
}

#[test]
fn adding_a_member_in_another_role_is_refused() {
    let answer = with_viewer().when(|project| project.add_member(user(2), ProjectRole::Owner));
    assert_eq!(answer, Err(ProjectError::AlreadyMember));
}

#[test]
fn a_member_can_get_another_role() {
    let changed = MemberRoleChanged { user: user(2), role: ProjectRole::Maintainer };
    let answer = with_viewer().when(|project| project.change_member_role(user(2), ProjectRole::Maintainer));
    assert_eq!(answer, Ok(vec![changed.into()]));
}

#[test]
fn a_stranger_gets_no_role() {
    let answer = active().when(|project| project.change_member_role(user(2), ProjectRole::Owner));
    assert_eq!(answer, Err(ProjectError::NotMember));
}

#[test]
fn the_last_owner_stays_owner() {
    let answer = with_viewer().when(|project| project.change_member_role(user(1), ProjectRole::Viewer));
    assert_eq!(answer, Err(ProjectError::LastOwner));
}

#[test]
fn one_of_two_owners_can_step_down() {
    let two = given::<Project>([created(), MemberAdded { user: user(2), role: ProjectRole::Owner }.into()]);
    let changed = MemberRoleChanged { user: user(1), role: ProjectRole::Viewer };
    let answer = two.when(|project| project.change_member_role(user(1), ProjectRole::Viewer));
    assert_eq!(answer, Ok(vec![changed.into()]));
}

#[test]
fn the_last_owner_cannot_be_removed() {
    assert_eq!(with_viewer().when(|project| project.remove_member(user(1))), Err(ProjectError::LastOwner));
}

#[test]
fn a_member_can_be_removed() {
    let removed = MemberRemoved { user: user(2) };
    assert_eq!(with_viewer().when(|project| project.remove_member(user(2))), Ok(vec![removed.into()]));
}

#[test]
fn a_stranger_cannot_be_removed() {
    assert_eq!(active().when(|project| project.remove_member(user(2))), Err(ProjectError::NotMember));
}

#[test]
fn a_removed_member_can_be_added_again() {
    let removed: ProjectEvent = MemberRemoved { user: user(2) }.into();
    let left = given::<Project>([created(), MemberAdded { user: user(2), role: ProjectRole::Viewer }.into(), removed]);
    assert!(
        left.when(|project| project.add_member(user(2), ProjectRole::Viewer)).is_ok_and(|events| events.len() == 1)
    );
}

#[test]
fn an_active_project_can_be_suspended() {
    assert_eq!(active().when(Project::suspend), Ok(vec![ProjectSuspended {}.into()]));
}

#[test]
fn a_suspended_project_can_be_resumed() {
    assert_eq!(suspended().when(Project::resume), Ok(vec![ProjectResumed {}.into()]));
}

#[test]
fn any_living_project_can_be_archived() {
    let answers = [active().when(Project::archive), suspended().when(Project::archive)];
    assert!(answers.iter().all(|answer| *answer == Ok(vec![ProjectArchived {}.into()])));
}

#[test]
fn asking_for_what_is_already_so_changes_nothing() {
    let answers =
        [suspended().when(Project::suspend), active().when(Project::resume), archived().when(Project::archive)];
    assert!(answers.iter().all(|answer| *answer == Ok(vec![])));
}

#[test]
fn a_suspended_project_takes_nobody_in() {
    let answer = suspended().when(|project| project.add_member(user(2), ProjectRole::Viewer));
    assert_eq!(answer, Err(ProjectError::Suspended));
}

#[test]
fn an_archived_project_neither_changes_nor_takes_anybody_in() {
    let it = archived();
    let answers = [
        it.when(|project| project.rename(&name("Harbour"))),
        it.when(|project| project.add_member(user(2), ProjectRole::Viewer)),
        it.when(Project::suspend),
        it.when(Project::resume),
    ];
    assert!(answers.iter().all(|answer| *answer == Err(ProjectError::Archived)));
}

#[test]
fn a_member_can_be_removed_whatever_became_of_the_project() {
    let answers = whatever_became_of_it().map(|it| it.when(|project| project.remove_member(user(2))));
    assert!(answers.iter().all(|answer| *answer == Ok(vec![MemberRemoved { user: user(2) }.into()])), "{answers:?}");
}

#[test]
fn a_member_can_be_demoted_whatever_became_of_the_project() {
    let demoted = MemberRoleChanged { user: user(2), role: ProjectRole::Viewer };
    let answers =
        whatever_became_of_it().map(|it| it.when(|project| project.change_member_role(user(2), ProjectRole::Viewer)));
    assert!(answers.iter().all(|answer| *answer == Ok(vec![demoted.clone().into()])), "{answers:?}");
}

#[test]
fn a_member_is_promoted_only_in_an_active_project() {
    let promoted = MemberRoleChanged { user: user(2), role: ProjectRole::Owner };
    let answers =
        whatever_became_of_it().map(|it| it.when(|project| project.change_member_role(user(2), ProjectRole::Owner)));
    assert_eq!(answers, [Ok(vec![promoted.into()]), Err(ProjectError::Suspended), Err(ProjectError::Archived)]);
}

#[test]
fn the_last_owner_stays_whatever_became_of_the_project() {
    let answers = whatever_became_of_it().map(|it| {
        [
            it.when(|project| project.remove_member(user(1))),
            it.when(|project| project.change_member_role(user(1), ProjectRole::Viewer)),
        ]
    });
    assert!(answers.iter().flatten().all(|answer| *answer == Err(ProjectError::LastOwner)), "{answers:?}");
}

#[test]
fn whoever_hands_a_project_over_can_leave_it_whatever_became_of_it() {
    let left = whatever_became_of_it().map(|it| {
        let handed_over = it.after(|project| project.transfer(Some(user(1)), user(2)))?;
        let events = handed_over.remove_member(user(1))?;
        Ok::<_, ProjectError>(handed_over.evolved(&events).details().map(|details| details.members.clone()))
    });
    let owned_by_the_other = BTreeMap::from([(user(2), ProjectRole::Owner)]);
    assert!(left.iter().all(|members| *members == Ok(Some(owned_by_the_other.clone()))), "{left:?}");
}

#[test]
fn a_project_is_handed_over_to_a_member_only() {
    let answers = whatever_became_of_it().map(|it| it.when(|project| project.transfer(Some(user(1)), user(3))));
    assert!(answers.iter().all(|answer| *answer == Err(ProjectError::NotMember)), "{answers:?}");
}

#[test]
fn what_was_never_created_cannot_change() {
    let nothing = given::<Project>([]);
    let answers = [nothing.when(Project::suspend), nothing.when(Project::resume), nothing.when(Project::archive)];
    assert!(answers.iter().all(|answer| *answer == Err(ProjectError::NotCreated)));
}

#[test]
fn names_have_3_to_100_characters_without_control_characters() {
    let refused = ["ab", "  a  ", "a\u{7}bc", &"x".repeat(101)].map(|raw| ProjectName::parse(raw).is_err());
    let accepted = ["abc", " Ünï ", &"x".repeat(100)].map(|raw| ProjectName::parse(raw).is_ok());
    assert_eq!((refused, accepted), ([true; 4], [true; 3]));
}

#[test]
fn slugs_keep_letters_and_digits_and_join_words_with_hyphens() {
    let slugs = ["Blue & Green  Team 7!", "---", "ÄÖÜ", "a".repeat(80).as_str()].map(|raw| name(raw).slug());
    assert_eq!(slugs.each_ref().map(super::Slug::as_str), ["blue-green-team-7", "project", "project", &"a".repeat(50)]);
}

#[test]
fn roles_and_statuses_are_read_back_from_their_names() {
    let roles = ProjectRole::ALL.iter().all(|role| ProjectRole::parse(role.as_str()) == Ok(*role));
    let statuses = [ProjectStatus::Active, ProjectStatus::Suspended, ProjectStatus::Archived];
    assert!(roles && statuses.iter().all(|status| ProjectStatus::from_name(status.as_str()) == Some(*status)));
}

#[test]
fn an_unknown_role_is_refused() {
    assert_eq!(ProjectRole::parse("admin"), Err(ProjectError::RoleUnknown));
}

#[test]
fn an_archived_project_remembers_what_it_was() {
    let it = given::<Project>([
        created(),
        ProjectRenamed { name: name("Harbour"), slug: name("Harbour").slug() }.into(),
        ProjectArchived {}.into(),
    ]);
    let face = it.state().details().map(|details| (details.name.as_str(), details.slug.as_str(), details.personal));
    assert_eq!((it.state().status(), face), (Some(ProjectStatus::Archived), Some(("Harbour", "harbour", false))));
}

#[test]
fn a_project_that_nobody_created_is_nothing_even_archived() {
    let it = given::<Project>([ProjectArchived {}.into()]);
    assert_eq!(it.state(), &Project::Unknown);
}
