use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{
    identity::{ApiKey, ApiKeyEvent, KeyName, KeyRequest, KeyScope, LONGEST_LIFE, LONGEST_OVERLAP, Renewal},
    projects::ProjectRole,
};
use uuid::Uuid;

use super::{Rules, holds};

const ROLES: [ProjectRole; 4] =
    [ProjectRole::Owner, ProjectRole::Maintainer, ProjectRole::Operator, ProjectRole::Viewer];

fn role(n: u8) -> ProjectRole {
    ROLES[usize::from(n) % ROLES.len()]
}

fn on(day: u8) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(day.into())
}

fn wanted(one: u8, other: u8) -> KeyRequest {
    KeyRequest {
        project: Uuid::from_u128(1).into(),
        issuer: Uuid::from_u128(2).into(),
        issuer_role: role(other),
        name: KeyName::parse("deploy").unwrap(),
        role: role(one),
        scopes: (0..other)
            .map(|n| KeyScope::named(["runs.read", "runs.start"][usize::from(n) % 2]))
            .collect::<BTreeSet<_>>(),
        expires_at: on(one) + TimeDelta::hours(12),
        secret: Uuid::from_u128(other.into()).into(),
    }
}

fn renewal(one: u8, other: u8) -> Renewal {
    let overlap = if other == 3 { LONGEST_OVERLAP + TimeDelta::seconds(1) } else { TimeDelta::hours(other.into()) };
    let expires_at = (one > 1).then(|| on(one) + LONGEST_LIFE);
    Renewal { by: role(one), secret: Uuid::from_u128(other.into()).into(), overlap, expires_at }
}

const KEY: Rules<ApiKey> = Rules {
    asks: &[
        |it, one, other| it.issue(&wanted(one, other), on(other)),
        |it, one, other| it.rotate(&renewal(one, other), on(one)),
        |it, one, _| if one == 0 { it.revoke() } else { Ok(vec![]) },
    ],
    // No clock here goes past the third day.
    sound: |it| !matches!(it, ApiKey::Issued(details) if details.expires_at > on(3) + LONGEST_LIFE),
    ended: |it, _| *it == ApiKey::Revoked,
    // The valid secret is stored elsewhere.
    noted: |event| matches!(event, ApiKeyEvent::Rotated(_)),
};

holds! {
    key: KEY;
}
