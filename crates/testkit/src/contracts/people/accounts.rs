use chrono::{DateTime, Utc};
use devskyy_application::identity::{Credentials, PasswordHash, PrivateAccount, Profile};
use devskyy_domain::{
    identity::{DisplayName, Email, PlatformRole},
    kernel::ids::UserId,
};

use super::{
    PeopleUnderTest,
    facts::{id, register},
};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

/// Private rows of a person with this e-mail digest.
pub fn account(user: UserId, digest: u8) -> PrivateAccount {
    PrivateAccount {
        user,
        email: Email::parse("ada@example.org").unwrap(),
        email_digest: [digest; 32],
        name: DisplayName::parse("Ada").unwrap(),
        password: PasswordHash(format!("hash of {user}")),
        created_at: at(0),
    }
}

/// Credentials are found by the e-mail's digest.
pub async fn private_rows_are_found_by_email(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.accounts.save(&account(id(2), 2)).await.unwrap();
    let found = people.accounts.find_by_email(&[1; 32]).await.unwrap();
    let user: UserId = id(1);
    assert_eq!(found, [Credentials { user, password: PasswordHash(format!("hash of {user}")) }]);
}

/// Rows may share an e-mail until the log decides on its owner.
pub async fn rows_that_share_an_email_are_all_found(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.accounts.save(&account(id(2), 1)).await.unwrap();
    assert_eq!(people.accounts.find_by_email(&[1; 32]).await.unwrap().len(), 2);
}

/// Removing deletes all personal data.
pub async fn removed_rows_are_gone(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    people.accounts.remove(id(1)).await.unwrap();
    let found = people.accounts.find_by_email(&[1; 32]).await.unwrap().len();
    assert_eq!((found, people.accounts.profiles(&[id(1)]).await.unwrap().len()), (0, 0));
}

/// People without rows are left out.
pub async fn profiles_of_strangers_are_left_out(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    let ada = Profile { email: "ada@example.org".to_owned(), name: "Ada".to_owned() };
    assert_eq!(people.accounts.profiles(&[id(1), id(2)]).await.unwrap(), [(id(1), ada)]);
}

/// Rows that an event refers to are kept.
pub async fn a_sweep_spares_the_registered(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    register(people, id(1), PlatformRole::Member).await;
    assert_eq!(people.accounts.sweep(at(60)).await.unwrap(), 0);
}

/// Recent rows are kept, because their event may follow.
pub async fn a_sweep_spares_rows_written_lately(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    assert_eq!(people.accounts.sweep(at(0)).await.unwrap(), 0);
}

/// Old rows that no event refers to are removed.
pub async fn a_sweep_removes_rows_nobody_refers_to(people: &PeopleUnderTest) {
    people.accounts.save(&account(id(1), 1)).await.unwrap();
    let swept = people.accounts.sweep(at(60)).await.unwrap();
    assert_eq!((swept, people.accounts.find_by_email(&[1; 32]).await.unwrap().len()), (1, 0));
}
