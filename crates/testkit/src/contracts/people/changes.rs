use std::collections::BTreeSet;

use chrono::TimeDelta;
use devskyy_application::{
    identity::{NewSession, PasswordChange, PasswordHash, Unrecorded, UnrecordedChange, UserFilter, UserStatus},
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

/// A change of Ada's password that keeps her session 50.
fn another(to: &str) -> PasswordChange {
    let (user, to) = (id(1), PasswordHash(to.to_owned()));
    PasswordChange { user, from: account(user, 1).password, to, keep: id(50), at: now() }
}

/// The new password replaces the old one.
pub async fn another_password_replaces_the_one_before(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    let hash = PasswordHash("another".to_owned());
    assert_eq!(people.changes.set_password(&another("another")).await.unwrap(), Some(vec![]));
    assert_eq!(people.changes.credentials(id(1)).await.unwrap().unwrap().password, hash);
    assert_eq!(people.changes.credentials(id(2)).await.unwrap(), None);
}

/// Of concurrent changes from the same password, one succeeds.
pub async fn a_password_is_replaced_once(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    let replace = async |n: u32| {
        let change = another(&format!("another {n}"));
        people.changes.set_password(&change).await.unwrap().map(|_| change.to)
    };
    let replaced: Vec<_> = join_all((0..20).map(replace)).await.into_iter().flatten().collect();
    let present = people.changes.credentials(id(1)).await.unwrap().unwrap().password;
    assert_eq!(replaced, [present]);
}

/// A change is unrecorded from the moment it is made.
pub async fn a_change_of_the_password_is_unrecorded_at_first(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.changes.set_password(&another("another")).await.unwrap();
    let change = UnrecordedChange { user: id(1), at: now() };
    for which in [Unrecorded::Of(id(1)), Unrecorded::Before(now() + TimeDelta::seconds(1))] {
        assert_eq!(people.changes.unrecorded(which).await.unwrap(), [change]);
    }
    assert_eq!(people.changes.unrecorded(Unrecorded::Of(id(2))).await.unwrap(), []);
}

/// A recorded change is no longer listed.
pub async fn a_change_that_was_recorded_is_not_unrecorded_any_more(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.changes.set_password(&another("another")).await.unwrap();
    people.changes.recorded(id(1), now()).await.unwrap();
    for which in [Unrecorded::Of(id(1)), Unrecorded::Before(now() + TimeDelta::seconds(1))] {
        assert_eq!(people.changes.unrecorded(which).await.unwrap(), []);
    }
}

/// Recording an earlier change does not record the present one.
pub async fn a_later_change_of_the_password_stays_unrecorded(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.changes.set_password(&another("another")).await.unwrap();
    people.changes.recorded(id(1), now() - TimeDelta::seconds(1)).await.unwrap();
    let change = UnrecordedChange { user: id(1), at: now() };
    assert_eq!(people.changes.unrecorded(Unrecorded::Of(id(1))).await.unwrap(), [change]);
}

/// A recent change is left to the request that makes it.
pub async fn changes_made_lately_are_not_listed_as_unrecorded(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.changes.set_password(&another("another")).await.unwrap();
    assert_eq!(people.changes.unrecorded(Unrecorded::Before(now())).await.unwrap(), []);
}

/// An account's first password is part of its registration.
pub async fn the_first_password_is_no_unrecorded_change(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    assert_eq!(people.changes.unrecorded(Unrecorded::Of(id(1))).await.unwrap(), []);
}

/// Only that person's name changes.
pub async fn another_name_replaces_the_one_before(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.accounts.save(&account(id(2), 2)).await.unwrap();
    assert!(people.changes.rename(id(1), None, &DisplayName::parse("Ada King").unwrap()).await.unwrap());
    let profiles = people.accounts.profiles(&[id(1), id(2)]).await.unwrap();
    let name = |user: UserId| profiles.iter().find(|(id, _)| *id == user).unwrap().1.name.clone();
    assert!(name(id(1)) == "Ada King" && name(id(2)) != "Ada King");
}

/// The change is refused if the caller has not seen the current name.
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

/// People without rows cannot be renamed.
pub async fn nobody_is_renamed_who_is_not_there(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    let name = DisplayName::parse("Ada King").unwrap();
    assert!(people.changes.rename(id(1), None, &name).await.unwrap());
    assert!(!people.changes.rename(id(2), None, &name).await.unwrap());
}

/// Sessions of others and ended ones are not listed.
pub async fn a_persons_live_sign_ins_are_listed(people: &PeopleUnderTest) {
    for (number, user) in [(50, id(1)), (51, id(1)), (52, id(2))] {
        people.sessions.open(&session(id(number), user, u8::try_from(number).unwrap())).await.unwrap();
    }
    people.sessions.revoke(id(51), now()).await.unwrap();
    let listed = people.session_list.of_user(id(1), now()).await.unwrap();
    assert_eq!(listed.iter().map(|it| it.id).collect::<Vec<SessionId>>(), [id(50)]);
    assert_eq!(people.session_list.of_user(id(1), now() + TimeDelta::days(31)).await.unwrap(), []);
}

/// A session has the time of its last use.
pub async fn the_last_exchange_is_told(people: &PeopleUnderTest) {
    people.sessions.open(&session(id(50), id(1), 1)).await.unwrap();
    let later = now() + TimeDelta::days(1);
    people.sessions.rotate(&[1; 32], &[2; 32], later, later + TimeDelta::days(7)).await.unwrap();
    let told = people.session_list.of_user(id(1), later).await.unwrap().remove(0);
    assert_eq!((told.opened_at, told.last_used_at), (now(), later));
}

/// The requesting session and those of others are kept.
pub async fn every_other_sign_in_ends_with_the_password(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    for (number, user) in [(50, id(1)), (51, id(1)), (52, id(2))] {
        people.sessions.open(&session(id(number), user, u8::try_from(number).unwrap())).await.unwrap();
    }
    assert_eq!(people.changes.set_password(&another("another")).await.unwrap(), Some(vec![id(51)]));
    assert_eq!(people.session_list.of_user(id(1), now()).await.unwrap().len(), 1);
    assert_eq!(people.session_list.of_user(id(2), now()).await.unwrap().len(), 1);
}

/// A change from an outdated password ends no sessions.
pub async fn no_sign_in_ends_without_the_password(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.changes.set_password(&another("another")).await.unwrap();
    people.sessions.open(&session(id(51), id(1), 1)).await.unwrap();
    assert_eq!(people.changes.set_password(&another("a third")).await.unwrap(), None);
    assert_eq!(people.session_list.of_user(id(1), now()).await.unwrap().len(), 1);
}

/// A session opened concurrently has ended, unless the new password is visible once it is open.
pub async fn no_sign_in_slips_past_a_change_of_the_password(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    for round in 0..20_u8 {
        let before = people.changes.credentials(id(1)).await.unwrap().unwrap().password;
        let change = PasswordChange { from: before.clone(), ..another(&format!("another {round}")) };
        let opened = session(id(100 + u64::from(round)), id(1), 100 + round);
        let open = async {
            people.sessions.open(&opened).await.unwrap();
            people.changes.credentials(id(1)).await.unwrap().unwrap().password
        };
        let (seen, changed) = tokio::join!(open, people.changes.set_password(&change));
        assert!(changed.unwrap().is_some());
        let live = people.session_list.of_user(id(1), now()).await.unwrap();
        assert!(seen != before || live.iter().all(|it| it.id != opened.id), "it slipped past in round {round}");
    }
}

/// The least recently used sessions of a person end first.
pub async fn a_person_has_no_more_sign_ins_than_they_may(people: &PeopleUnderTest) {
    let open = async |number: u64, refresh: u8| {
        let opened_at = now() + TimeDelta::seconds(i64::from(refresh));
        let new = NewSession { at_once: 3, opened_at, ..session(id(number), id(1), refresh) };
        people.sessions.open(&new).await.unwrap()
    };
    people.sessions.open(&session(id(60), id(2), 9)).await.unwrap();
    for (number, refresh) in [(50, 1), (51, 2), (52, 3)] {
        assert_eq!(open(number, refresh).await, []);
    }
    let later = now() + TimeDelta::days(1);
    people.sessions.rotate(&[1; 32], &[7; 32], later, later + TimeDelta::days(1)).await.unwrap();
    assert_eq!(open(53, 4).await, [id(51)]);
    let listed: BTreeSet<SessionId> =
        people.session_list.of_user(id(1), now()).await.unwrap().into_iter().map(|it| it.id).collect();
    assert_eq!(listed, BTreeSet::from([id(50), id(52), id(53)]));
}

/// Ended sessions are removed before active ones.
pub async fn an_ended_sign_in_makes_room_for_another(people: &PeopleUnderTest) {
    for (number, refresh) in [(50, 1), (51, 2)] {
        people.sessions.open(&NewSession { at_once: 2, ..session(id(number), id(1), refresh) }).await.unwrap();
    }
    people.sessions.revoke(id(51), now()).await.unwrap();
    let third = NewSession { at_once: 2, ..session(id(52), id(1), 3) };
    assert_eq!(people.sessions.open(&third).await.unwrap(), [id(51)]);
    assert_eq!(people.session_list.of_user(id(1), now()).await.unwrap().len(), 2);
}

/// Only administrators who may sign in are counted.
pub async fn active_administrators_are_counted(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Admin).await;
    register(people, id(2), PlatformRole::Admin).await;
    register(people, id(3), PlatformRole::Member).await;
    decide::<User>(people, id(2), User::disable).await;
    assert_eq!(people.users.active_administrators().await.unwrap(), 1);
}

/// Filters apply to the total, too.
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

/// A sweep removes the rows of erased people.
pub async fn a_sweep_does_not_spare_the_erased(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    decide::<User>(people, id(1), User::erase).await;
    assert_eq!(people.accounts.sweep(now() + TimeDelta::days(400)).await.unwrap(), 1);
}

/// An invitation is found by its digest only.
pub async fn a_kept_invitation_is_found(people: &PeopleUnderTest) {
    people.invitations.save(&[1; 32], now()).await.unwrap();
    assert_eq!(people.invitations.expiry(&[1; 32]).await.unwrap(), Some(now()));
    assert_eq!(people.invitations.expiry(&[2; 32]).await.unwrap(), None);
}

/// Repeating the request does not extend the invitation.
pub async fn an_invitation_kept_twice_stays_as_it_was(people: &PeopleUnderTest) {
    let later = now() + TimeDelta::days(1);
    assert_eq!(people.invitations.save(&[1; 32], now()).await.unwrap(), now());
    assert_eq!(people.invitations.save(&[1; 32], later).await.unwrap(), now());
    assert_eq!(people.invitations.expiry(&[1; 32]).await.unwrap(), Some(now()));
}

/// An erasure is permanent and listed once.
pub async fn an_erasure_is_remembered_once(people: &PeopleUnderTest) {
    assert_eq!(people.erasures.all().await.unwrap(), []);
    people.erasures.record(id(1), now()).await.unwrap();
    people.erasures.record(id(1), now()).await.unwrap();
    assert_eq!(people.erasures.all().await.unwrap(), [id(1)]);
}
