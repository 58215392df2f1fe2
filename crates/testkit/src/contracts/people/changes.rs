use chrono::TimeDelta;
use devskyy_application::{
    identity::{PasswordHash, UserFilter, UserStatus},
    paging::Part,
};
use devskyy_domain::{
    identity::{DisplayName, PlatformRole, User},
    kernel::ids::{SessionId, UserId},
};
use futures_util::future::join_all;

use super::{
    PeopleUnderTest,
    accounts::account,
    facts::{decide, id, register},
    sessions::{now, session},
};

/// The next sign-in needs the new password.
pub async fn another_password_replaces_the_one_before(people: &PeopleUnderTest) {
    let ada = account(id(1), 1);
    people.accounts.save(&ada).await.unwrap();
    let hash = PasswordHash("another".to_owned());
    assert!(people.changes.set_password(id(1), &ada.password, &hash, now()).await.unwrap());
    assert_eq!(people.changes.credentials(id(1)).await.unwrap().unwrap().password, hash);
    assert_eq!(people.changes.credentials(id(2)).await.unwrap(), None);
}

/// Of many who start from the same password at once, one gets through.
pub async fn a_password_is_replaced_once(people: &PeopleUnderTest) {
    let ada = account(id(1), 1);
    people.accounts.save(&ada).await.unwrap();
    let replace = async |n: u32| {
        let to = PasswordHash(format!("another {n}"));
        people.changes.set_password(id(1), &ada.password, &to, now()).await.unwrap().then_some(to)
    };
    let replaced: Vec<_> = join_all((0..20).map(replace)).await.into_iter().flatten().collect();
    let present = people.changes.credentials(id(1)).await.unwrap().unwrap().password;
    assert_eq!(replaced, [present]);
}

/// Only the name changes, and only theirs.
pub async fn another_name_replaces_the_one_before(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.accounts.save(&account(id(2), 2)).await.unwrap();
    assert!(people.changes.rename(id(1), None, &DisplayName::parse("Ada King").unwrap()).await.unwrap());
    let profiles = people.accounts.profiles(&[id(1), id(2)]).await.unwrap();
    let name = |user: UserId| profiles.iter().find(|(id, _)| *id == user).unwrap().1.name.clone();
    assert!(name(id(1)) == "Ada King" && name(id(2)) != "Ada King");
}

/// Whoever has not seen the present name does not change it.
pub async fn a_name_is_changed_only_from_the_one_that_was_seen(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    let rename = async |to: &str| {
        let to = DisplayName::parse(to).unwrap();
        people.changes.rename(id(1), Some("Ada"), &to).await.unwrap()
    };
    assert_eq!((rename("Ada King").await, rename("Ada Byron").await), (true, false));
    let (_, profile) = people.accounts.profiles(&[id(1)]).await.unwrap().remove(0);
    assert_eq!(profile.name, "Ada King");
}

/// Who has no rows has no name either.
pub async fn nobody_is_renamed_who_is_not_there(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    let name = DisplayName::parse("Ada King").unwrap();
    assert!(people.changes.rename(id(1), None, &name).await.unwrap());
    assert!(!people.changes.rename(id(2), None, &name).await.unwrap());
}

/// Neither strangers' sign-ins are listed nor those that have ended.
pub async fn a_persons_live_sign_ins_are_listed(people: &PeopleUnderTest) {
    for (number, user) in [(50, id(1)), (51, id(1)), (52, id(2))] {
        people.sessions.open(&session(id(number), user, u8::try_from(number).unwrap())).await.unwrap();
    }
    people.sessions.revoke(id(51), now()).await.unwrap();
    let listed = people.session_list.of_user(id(1), now()).await.unwrap();
    assert_eq!(listed.iter().map(|it| it.id).collect::<Vec<SessionId>>(), [id(50)]);
    assert_eq!(people.session_list.of_user(id(1), now() + TimeDelta::days(31)).await.unwrap(), []);
}

/// A person recognises a sign-in by when it was last used.
pub async fn the_last_exchange_is_told(people: &PeopleUnderTest) {
    people.sessions.open(&session(id(50), id(1), 1)).await.unwrap();
    let later = now() + TimeDelta::days(1);
    people.sessions.rotate(&[1; 32], &[2; 32], later, later + TimeDelta::days(7)).await.unwrap();
    let told = people.session_list.of_user(id(1), later).await.unwrap().remove(0);
    assert_eq!((told.opened_at, told.last_used_at), (now(), later));
}

/// The one that asks stays, and so do strangers'.
pub async fn every_other_sign_in_ends(people: &PeopleUnderTest) {
    for (number, user) in [(50, id(1)), (51, id(1)), (52, id(2))] {
        people.sessions.open(&session(id(number), user, u8::try_from(number).unwrap())).await.unwrap();
    }
    assert_eq!(people.session_list.revoke_others(id(1), id(50), now()).await.unwrap(), [id(51)]);
    assert_eq!(people.session_list.of_user(id(1), now()).await.unwrap().len(), 1);
    assert_eq!(people.session_list.of_user(id(2), now()).await.unwrap().len(), 1);
}

/// Only those count who run the platform and may sign in.
pub async fn active_administrators_are_counted(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Admin).await;
    register(people, id(2), PlatformRole::Admin).await;
    register(people, id(3), PlatformRole::Member).await;
    decide::<User>(people, id(2), User::disable).await;
    assert_eq!(people.users.active_administrators().await.unwrap(), 1);
}

/// Filters narrow, and the total is that of what they leave.
pub async fn users_are_listed_by_role_and_status(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Admin).await;
    register(people, id(2), PlatformRole::Member).await;
    decide::<User>(people, id(2), User::erase).await;
    let all = people.users.list(UserFilter::default(), &Part::default()).await.unwrap();
    let (role, status) = (Some(PlatformRole::Member), Some(UserStatus::Erased));
    let erased = UserFilter { role, status, ..UserFilter::default() };
    let erased = people.users.list(erased, &Part::default()).await.unwrap();
    assert_eq!((all.total(), erased.total(), erased.items[0].id), (Some(2), Some(1), id(2)));
}

/// Whatever kept an erased person's rows from being deleted, the next sweep does not spare them.
pub async fn a_sweep_does_not_spare_the_erased(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    decide::<User>(people, id(1), User::erase).await;
    assert_eq!(people.accounts.sweep(now() + TimeDelta::days(400)).await.unwrap(), 1);
}

/// An invitation is told by its digest and by nothing else.
pub async fn a_kept_invitation_is_found(people: &PeopleUnderTest) {
    people.invitations.save(&[1; 32], now()).await.unwrap();
    assert_eq!(people.invitations.expiry(&[1; 32]).await.unwrap(), Some(now()));
    assert_eq!(people.invitations.expiry(&[2; 32]).await.unwrap(), None);
}

/// A repeated request does not make an invitation last longer.
pub async fn an_invitation_kept_twice_stays_as_it_was(people: &PeopleUnderTest) {
    let later = now() + TimeDelta::days(1);
    assert_eq!(people.invitations.save(&[1; 32], now()).await.unwrap(), now());
    assert_eq!(people.invitations.save(&[1; 32], later).await.unwrap(), now());
    assert_eq!(people.invitations.expiry(&[1; 32]).await.unwrap(), Some(now()));
}

/// Once erased, for ever erased, and told once.
pub async fn an_erasure_is_remembered_once(people: &PeopleUnderTest) {
    assert_eq!(people.erasures.all().await.unwrap(), []);
    people.erasures.record(id(1), now()).await.unwrap();
    people.erasures.record(id(1), now()).await.unwrap();
    assert_eq!(people.erasures.all().await.unwrap(), [id(1)]);
}
