use devskyy_application::{identity::email_digest, projects::Person};
use devskyy_domain::{identity::Email, identity::PlatformRole, kernel::ids::UserId};

use super::{
    PeopleUnderTest,
    accounts::account,
    facts::{id, register},
};
use crate::fakes::SequentialTokenMint;

fn email() -> Email {
    Email::parse("ada@example.org").unwrap()
}

/// Private rows under the digest by which an e-mail is searched.
async fn given_rows(people: &PeopleUnderTest, user: UserId) {
    let email_digest = email_digest(&SequentialTokenMint::default(), &email());
    let rows = devskyy_application::identity::PrivateAccount { email_digest, ..account(user, 0) };
    people.accounts.save(&rows).await.unwrap();
}

/// An e-mail is enough to invite a person.
pub async fn a_registered_person_is_found_by_email(people: &PeopleUnderTest) {
    given_rows(people, id(1)).await;
    register(people, id(1), PlatformRole::Member).await;
    assert_eq!(people.directory.find_by_email(&email()).await.unwrap(), Some(id(1)));
}

/// Absence is not an error.
pub async fn nobody_is_found_by_an_unknown_email(people: &PeopleUnderTest) {
    given_rows(people, id(1)).await;
    register(people, id(1), PlatformRole::Member).await;
    let unknown = Email::parse("eve@example.org").unwrap();
    assert_eq!(people.directory.find_by_email(&unknown).await.unwrap(), None);
}

/// Rows of an incomplete registration belong to nobody, even if another account has the e-mail.
pub async fn rows_without_a_registration_are_nobodys(people: &PeopleUnderTest) {
    given_rows(people, id(1)).await;
    assert_eq!(people.directory.find_by_email(&email()).await.unwrap(), None);
    assert_eq!(people.directory.people(&[id(1)]).await.unwrap(), []);
}

/// People have e-mail, name and registration time; unknown ones are left out.
pub async fn people_are_told_with_email_and_name(people: &PeopleUnderTest) {
    given_rows(people, id(1)).await;
    register(people, id(1), PlatformRole::Member).await;
    let since = people.users.find(id(1)).await.unwrap().unwrap().created_at;
    let ada = Person { id: id(1), email: "ada@example.org".to_owned(), name: "Ada".to_owned(), since };
    assert_eq!(people.directory.people(&[id(2), id(1)]).await.unwrap(), [ada]);
}
