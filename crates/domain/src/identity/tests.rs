//! Rules of accounts, e-mails and passwords.

use uuid::Uuid;

use super::{
    AdministratorLeft, DisplayName, Email, IdentityError, Password, PasswordPolicy, PlatformRole, PlatformRoleChanged,
    Roster, User, UserDetails, UserDisabled, UserEnabled, UserErased, UserEvent, UserRegistered,
};
use crate::kernel::{
    Refusal,
    given::{Given, given},
    ids::ProjectId,
};

fn project() -> ProjectId {
    Uuid::from_u128(7).into()
}

fn registered(role: PlatformRole) -> UserEvent {
    UserRegistered { role, personal_project: project() }.into()
}

fn member() -> Given<User> {
    given([registered(PlatformRole::Member)])
}

fn disabled() -> Given<User> {
    given([registered(PlatformRole::Member), UserDisabled {}.into()])
}

#[test]
fn registering_records_role_and_personal_project() {
    let registration = given::<User>([]).when(|user| user.register(PlatformRole::Member, project()));
    assert_eq!(registration, Ok(vec![registered(PlatformRole::Member)]));
}

#[test]
fn nobody_registers_twice() {
    let again = member().when(|user| user.register(PlatformRole::Member, project()));
    assert_eq!(again, Err(IdentityError::AlreadyRegistered));
}

#[test]
fn a_registered_person_is_active() {
    let details = UserDetails { role: PlatformRole::Member, personal_project: project() };
    assert_eq!(member().state(), &User::Active(details));
}

#[test]
fn an_active_person_can_be_disabled() {
    assert_eq!(member().when(User::disable), Ok(vec![UserDisabled {}.into()]));
}

#[test]
fn disabling_a_disabled_person_changes_nothing() {
    assert_eq!(disabled().when(User::disable), Ok(vec![]));
}

#[test]
fn a_disabled_person_can_be_enabled() {
    assert_eq!(disabled().when(User::enable), Ok(vec![UserEnabled {}.into()]));
}

#[test]
fn enabling_an_active_person_changes_nothing() {
    assert_eq!(member().when(User::enable), Ok(vec![]));
}

#[test]
fn a_person_can_get_another_role() {
    let change = member().when(|user| user.change_role(PlatformRole::Admin));
    assert_eq!(change, Ok(vec![PlatformRoleChanged { role: PlatformRole::Admin }.into()]));
}

#[test]
fn the_same_role_again_changes_nothing() {
    assert_eq!(member().when(|user| user.change_role(PlatformRole::Member)), Ok(vec![]));
}

#[test]
fn a_disabled_person_stays_disabled_in_another_role() {
    let after = disabled().after(|user| user.change_role(PlatformRole::Admin)).unwrap();
    assert!(matches!(after, User::Disabled(UserDetails { role: PlatformRole::Admin, .. })));
}

#[test]
fn strangers_can_be_neither_disabled_nor_enabled_nor_promoted() {
    let stranger = given::<User>([]);
    let answers = [
        stranger.when(User::disable),
        stranger.when(User::enable),
        stranger.when(|user| user.change_role(PlatformRole::Admin)),
    ];
    assert!(answers.iter().all(|answer| *answer == Err(IdentityError::NotRegistered)));
}

#[test]
fn an_email_is_trimmed_and_lower_cased() {
    assert_eq!(Email::parse("  Ada.Lovelace@Example.ORG ").unwrap().as_str(), "ada.lovelace@example.org");
}

#[test]
fn emails_that_mail_could_be_sent_to_are_accepted() {
    for good in ["a@b.co", "ada+test@example.org", "o'neil@example.co.uk", "jürgen@bücher.example", "x_y@a-b.example"]
    {
        assert!(Email::parse(good).is_ok(), "{good}");
    }
}

#[test]
fn what_no_mail_could_be_sent_to_is_refused() {
    let long_local = format!("{}@example.org", "a".repeat(65));
    let long = format!("a@{}.example.org", "b.".repeat(130));
    for bad in [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@localhost",
        "ada@@example.org",
        "a da@example.org",
        ".ada@example.org",
        "ada.@example.org",
        "a..b@example.org",
        "ada@-example.org",
        "ada@example-.org",
        "ada@.org",
        "ada@example..org",
        "ada@exa mple.org",
        "ada\u{0}@example.org",
        "<ada@example.org>",
        &long_local,
        &long,
    ] {
        assert_eq!(Email::parse(bad), Err(IdentityError::EmailFormat), "{bad:?}");
    }
}

#[test]
fn an_email_is_never_printed() {
    assert_eq!(format!("{:?}", Email::parse("ada@example.org").unwrap()), "Email(…)");
}

#[test]
fn a_name_is_trimmed() {
    assert_eq!(DisplayName::parse(" Ada ").unwrap().as_str(), "Ada");
}

#[test]
fn a_name_is_neither_empty_nor_endless_nor_with_control_characters() {
    for bad in ["", "   ", "a\nb", &"a".repeat(101)] {
        assert_eq!(DisplayName::parse(bad), Err(IdentityError::NameFormat), "{bad:?}");
    }
}

fn password(raw: &str) -> Result<Password, IdentityError> {
    Password::parse(raw, Email::parse("grace.hopper@example.org").ok().as_ref(), PasswordPolicy::Classic)
}

#[test]
fn a_good_password_is_accepted() {
    assert!(password("Correct-Horse-7").is_ok());
}

#[test]
fn a_password_of_8_and_one_of_128_characters_are_accepted() {
    assert!(password("Zk3vöquw").is_ok() && password(&format!("Q7{}", "xä".repeat(63))).is_ok());
}

#[test]
fn a_password_of_7_or_129_characters_is_refused() {
    let refused = [password("Zk3vquw"), password(&format!("Q7{}", "x".repeat(127)))];
    assert!(refused.iter().all(|answer| *answer == Err(IdentityError::PasswordLength)));
}

#[test]
fn a_password_needs_a_digit() {
    assert_eq!(password("Correct-Horse"), Err(IdentityError::PasswordNeedsDigit));
}

#[test]
fn a_password_needs_an_upper_case_letter() {
    assert_eq!(password("correct-horse-7"), Err(IdentityError::PasswordNeedsUpperCase));
}

#[test]
fn common_passwords_are_refused_in_any_case_and_with_final_punctuation() {
    for bad in ["Password1", "PASSWORD123", "Welcome2024!", "Qwerty123", "1q2w3e4R", "LetMeIn123", "Passw0rd1"] {
        assert_eq!(password(bad), Err(IdentityError::PasswordCommon), "{bad}");
    }
}

#[test]
fn the_email_is_no_password() {
    assert_eq!(password("Grace.Hopper@example.org"), Err(IdentityError::PasswordIsEmail));
}

#[test]
fn the_part_of_the_email_before_the_at_is_no_password() {
    assert_eq!(password("Grace.Hopper"), Err(IdentityError::PasswordIsEmail));
}

#[test]
fn a_password_is_never_printed() {
    assert_eq!(format!("{:?}", password("Correct-Horse-7").unwrap()), "Password(…)");
}

#[test]
fn refusals_of_passwords_point_at_the_password() {
    assert_eq!(IdentityError::PasswordCommon.pointer().as_deref(), Some("/password"));
}

#[test]
fn roles_are_read_back_from_their_names() {
    let roles = [PlatformRole::Admin, PlatformRole::Member];
    assert_eq!(roles.map(|role| PlatformRole::from_name(role.as_str())), roles.map(Some));
}

#[test]
fn where_length_is_asked_for_composition_is_not() {
    let nist = |raw: &str| Password::parse(raw, None, PasswordPolicy::Nist);
    assert!(nist("correct horse battery").is_ok());
    assert_eq!(nist("Zk3vquw-Q7x"), Err(IdentityError::PasswordTooShort));
}

#[test]
fn an_erased_person_does_not_come_back() {
    let erased = given::<User>([registered(PlatformRole::Member), UserErased {}.into()]);
    assert_eq!(erased.when(User::enable), Err(IdentityError::Erased));
    assert_eq!(erased.when(|user| user.change_role(PlatformRole::Admin)), Err(IdentityError::Erased));
    assert_eq!(erased.when(User::erase), Ok(vec![]));
}

#[test]
fn the_last_administrator_is_not_let_go() {
    let user = Uuid::from_u128(1).into();
    assert_eq!(Roster.let_go(user, 2), Ok(vec![AdministratorLeft { user }.into()]));
    assert_eq!(Roster.let_go(user, 1), Err(IdentityError::LastAdministrator));
}
