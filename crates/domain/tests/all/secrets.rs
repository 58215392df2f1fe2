//! Every event of secrets is read back as it was written.

use devskyy_domain::secrets::{SecretAdded, SecretEvent, SecretHosts, SecretName, SecretRemoved, SecretReplaced};
use uuid::Uuid;

use crate::golden::{holds, today};

#[test]
fn every_stored_fact_is_still_understood() {
    let added = SecretAdded {
        project: Uuid::from_u128(1).into(),
        name: SecretName::parse("tracker_key").unwrap(),
        hosts: SecretHosts::parse(&["tracker.example.org", "10.0.0.1:8080"]).unwrap(),
        value: Uuid::from_u128(2).into(),
    };
    let hosts = SecretHosts::parse(&["tracker.example.org"]).unwrap();
    let replaced = SecretReplaced { hosts, value: Uuid::from_u128(3).into() };
    holds::<SecretEvent>(&[today(added), today(replaced), today(SecretRemoved {})]);
}
