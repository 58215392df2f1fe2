//! Rules of API keys.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{ApiKey, ApiKeyError, ApiKeyEvent, ApiKeyRevoked, KeyName, KeyRequest, KeyScope, Renewal};
use crate::{
    kernel::{Refusal, RefusalKind, given::given},
    projects::ProjectRole::{self, Maintainer, Operator, Owner, Viewer},
};

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn wanted(issuer_role: ProjectRole, role: ProjectRole) -> KeyRequest {
    KeyRequest {
        project: id(1),
        issuer: id(2),
        issuer_role,
        name: KeyName::parse("deploy").unwrap(),
        role,
        scopes: BTreeSet::from([KeyScope::named("runs.start")]),
        expires_at: NOW + TimeDelta::days(30),
        secret: id(3),
    }
}

fn renewal(by: ProjectRole) -> Renewal {
    Renewal { by, secret: id(4), overlap: TimeDelta::hours(1), expires_at: None }
}

fn issued(role: ProjectRole) -> Vec<ApiKeyEvent> {
    ApiKey::default().issue(&wanted(Owner, role), NOW).unwrap()
}

#[test]
fn a_key_may_be_as_mighty_as_its_issuer_and_no_mightier() {
    for (issuer, role, fine) in [
        (Owner, Owner, true),
        (Maintainer, Maintainer, true),
        (Maintainer, Viewer, true),
        (Maintainer, Owner, false),
        (Viewer, Operator, false),
    ] {
        let decided = given::<ApiKey>([]).when(|key| key.issue(&wanted(issuer, role), NOW));
        assert_eq!(decided.is_ok(), fine, "{issuer:?} issues {role:?}: {decided:?}");
    }
}

#[test]
fn a_key_expires_within_a_year() {
    for (life, fine) in [
        (TimeDelta::zero(), false),
        (TimeDelta::seconds(1), true),
        (TimeDelta::days(365), true),
        (TimeDelta::days(365) + TimeDelta::seconds(1), false),
    ] {
        let request = KeyRequest { expires_at: NOW + life, ..wanted(Owner, Viewer) };
        assert_eq!(ApiKey::default().issue(&request, NOW).is_ok(), fine, "{life}");
    }
}

#[test]
fn a_key_without_a_scope_is_refused() {
    let request = KeyRequest { scopes: BTreeSet::new(), ..wanted(Owner, Viewer) };
    assert_eq!(ApiKey::default().issue(&request, NOW), Err(ApiKeyError::ScopesEmpty));
}

#[test]
fn a_key_is_issued_once() {
    let again = given::<ApiKey>(issued(Viewer)).when(|key| key.issue(&wanted(Owner, Viewer), NOW));
    assert_eq!(again, Err(ApiKeyError::AlreadyIssued));
}

#[test]
fn rotating_keeps_the_expiry_unless_another_is_asked_for() {
    let key = given::<ApiKey>(issued(Viewer));
    let kept = key.when(|key| key.rotate(&renewal(Owner), NOW)).unwrap();
    let later = Renewal { expires_at: Some(NOW + TimeDelta::days(90)), ..renewal(Owner) };
    let moved = key.when(|key| key.rotate(&later, NOW)).unwrap();
    for (events, days) in [(kept, 30), (moved, 90)] {
        let [ApiKeyEvent::Rotated(rotated)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(rotated.expires_at, NOW + TimeDelta::days(days));
        assert_eq!(rotated.previous_until, NOW + TimeDelta::hours(1));
    }
}

#[test]
fn nobody_rotates_a_key_mightier_than_themselves() {
    let key = given::<ApiKey>(issued(Owner));
    assert_eq!(key.when(|key| key.rotate(&renewal(Maintainer), NOW)), Err(ApiKeyError::ExceedsIssuer));
}

#[test]
fn a_replaced_secret_counts_for_a_week_at_most() {
    let key = given::<ApiKey>(issued(Viewer));
    for overlap in [TimeDelta::seconds(-1), TimeDelta::days(7) + TimeDelta::seconds(1)] {
        let renewal = Renewal { overlap, ..renewal(Owner) };
        assert_eq!(key.when(|key| key.rotate(&renewal, NOW)), Err(ApiKeyError::OverlapRange));
    }
}

#[test]
fn an_expired_key_is_not_rotated() {
    let late = NOW + TimeDelta::days(30);
    let rotated = given::<ApiKey>(issued(Viewer)).when(|key| key.rotate(&renewal(Owner), late));
    assert_eq!(rotated, Err(ApiKeyError::Expired));
}

#[test]
fn a_revoked_key_stays_revoked() {
    let key = given::<ApiKey>(issued(Viewer).into_iter().chain([ApiKeyRevoked {}.into()]));
    assert_eq!(key.when(|key| key.rotate(&renewal(Owner), NOW)), Err(ApiKeyError::Revoked));
    assert_eq!(key.when(ApiKey::revoke), Ok(vec![]));
}

#[test]
fn a_key_nobody_issued_cannot_be_revoked() {
    assert_eq!(ApiKey::default().revoke(), Err(ApiKeyError::NotIssued));
}

#[test]
fn a_name_is_trimmed_and_has_something_in_it() {
    assert_eq!(KeyName::parse(" ci ").unwrap().as_str(), "ci");
    for wrong in ["", "  ", "a\u{7}b", &"x".repeat(101)] {
        assert_eq!(KeyName::parse(wrong), Err(ApiKeyError::NameFormat), "{wrong:?}");
    }
}

#[test]
fn handing_out_too_much_is_forbidden_and_not_merely_invalid() {
    assert_eq!(ApiKeyError::ExceedsIssuer.kind(), RefusalKind::Forbidden);
}
