use devskyy_application::access::{Permission, allows};
use devskyy_domain::{identity::PlatformRole, projects::ProjectRole};

#[test]
fn a_member_without_a_role_may_do_nothing() {
    assert!(Permission::ALL.iter().all(|it| !allows(PlatformRole::Member, None, *it)));
}

#[test]
fn an_owner_may_do_everything() {
    assert!(Permission::ALL.iter().all(|it| allows(PlatformRole::Member, Some(ProjectRole::Owner), *it)));
}

#[test]
fn whoever_may_do_anything_may_see_the_project() {
    let blind = ProjectRole::ALL.iter().any(|role| {
        let may = |permission| allows(PlatformRole::Member, Some(*role), permission);
        Permission::ALL.iter().any(|it| may(*it)) && !may(Permission::ProjectsRead)
    });
    assert!(!blind);
}

#[test]
fn a_mightier_role_may_do_whatever_a_lesser_one_may() {
    let ordered = ProjectRole::ALL.windows(2).all(|roles| {
        let may = |role, permission| allows(PlatformRole::Member, Some(role), permission);
        Permission::ALL.iter().all(|it| may(roles[0], *it) || !may(roles[1], *it))
    });
    assert!(ordered);
}

#[test]
fn a_role_with_a_permission_for_people_alone_is_given_and_taken_by_people_alone() {
    let changes = [None].into_iter().chain(ProjectRole::ALL.map(Some));
    let mut open_to_keys = Vec::new();
    for from in changes.clone() {
        open_to_keys
            .extend(changes.clone().filter(|to| Permission::to_change(from, *to).suits_keys()).map(|to| (from, to)));
    }
    let for_people = |role: ProjectRole| {
        let of_role = |it: &Permission| allows(PlatformRole::Member, Some(role), *it);
        Permission::ALL.iter().any(|it| of_role(it) && !it.suits_keys())
    };
    let involved: Vec<_> = open_to_keys.into_iter().flat_map(|(from, to)| from.into_iter().chain(to)).collect();
    assert!(!involved.is_empty() && !involved.into_iter().any(for_people));
}

#[test]
fn an_administrator_neither_runs_nor_approves_nor_changes_what_is_others() {
    let denied = [Permission::AgentsWrite, Permission::RunsStart, Permission::RunsDecide];
    assert!(denied.iter().all(|it| !allows(PlatformRole::Admin, None, *it)));
}
