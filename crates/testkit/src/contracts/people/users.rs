use devskyy_application::identity::UserStatus;
use devskyy_domain::{
    identity::{PlatformRole, User},
    kernel::ids::UserId,
};

use super::{
    PeopleUnderTest,
    facts::{decide, id, register},
};

/// A registered user is found with role, status, personal project and version.
pub async fn a_registered_user_is_found_with_role_and_project(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    let found = people.users.find(id(1)).await.unwrap().unwrap();
    assert_eq!(
        (found.id, found.role, found.status, found.personal_project, found.version),
        (id::<UserId>(1), PlatformRole::Member, UserStatus::Active, id(700), 1)
    );
}

/// Absence is not an error.
pub async fn nobody_is_found_before_registration(people: &PeopleUnderTest) {
    assert_eq!(people.users.find(id(1)).await.unwrap(), None);
}

/// The status changes at once.
pub async fn a_disabled_user_is_shown_as_disabled(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    decide::<User>(people, id(1), User::disable).await;
    assert_eq!(people.users.find(id(1)).await.unwrap().unwrap().status, UserStatus::Disabled);
}

/// The status changes at once.
pub async fn an_enabled_user_is_shown_as_active(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    decide::<User>(people, id(1), User::disable).await;
    decide::<User>(people, id(1), User::enable).await;
    assert_eq!(people.users.find(id(1)).await.unwrap().unwrap().status, UserStatus::Active);
}

/// The role changes at once.
pub async fn another_role_is_shown_at_once(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    decide::<User>(people, id(1), |user| user.change_role(PlatformRole::Admin)).await;
    assert_eq!(people.users.find(id(1)).await.unwrap().unwrap().role, PlatformRole::Admin);
}

/// Members are not administrators.
pub async fn members_alone_leave_the_platform_without_an_admin(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    assert!(!people.users.has_admin().await.unwrap());
}

/// An administrator is found.
pub async fn an_admin_is_known(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    register(people, id(2), PlatformRole::Admin).await;
    assert!(people.users.has_admin().await.unwrap());
}
