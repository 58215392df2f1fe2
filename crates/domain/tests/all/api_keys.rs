//! Every event of API keys is read back as it was written.

use std::collections::BTreeSet;

use chrono::DateTime;
use devskyy_domain::{
    identity::{ApiKeyEvent, ApiKeyIssued, ApiKeyRevoked, ApiKeyRotated, KeyName, KeyScope},
    projects::ProjectRole,
};
use uuid::Uuid;

use crate::golden::{holds, today};

#[test]
fn every_stored_fact_is_still_understood() {
    let issued = ApiKeyIssued {
        project: Uuid::from_u128(1).into(),
        issuer: Uuid::from_u128(2).into(),
        name: KeyName::parse("deploy").unwrap(),
        role: ProjectRole::Operator,
        scopes: BTreeSet::from([KeyScope::named("runs.read"), KeyScope::named("runs.start")]),
        expires_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        secret: Uuid::from_u128(3).into(),
    };
    let rotated = ApiKeyRotated {
        secret: Uuid::from_u128(4).into(),
        previous_until: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        expires_at: DateTime::from_timestamp(1_810_000_000, 0).unwrap(),
    };
    holds::<ApiKeyEvent>(&[today(issued), today(rotated), today(ApiKeyRevoked {})]);
}
