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
fn an_administrator_neither_runs_nor_approves_nor_changes_what_is_others() {
    let denied = [Permission::AgentsWrite, Permission::RunsStart, Permission::RunsDecide];
    assert!(denied.iter().all(|it| !allows(PlatformRole::Admin, None, *it)));
}
