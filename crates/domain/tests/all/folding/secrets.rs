use devskyy_domain::secrets::{NewSecret, Secret, SecretEvent, SecretHosts, SecretName};
use uuid::Uuid;

use super::{Rules, holds};

fn hosts(n: u8) -> SecretHosts {
    SecretHosts::parse(&[format!("tracker-{n}.example.org")]).unwrap()
}

fn new(one: u8, other: u8) -> NewSecret {
    NewSecret {
        project: Uuid::from_u128(one.into()).into(),
        name: SecretName::parse("tracker_key").unwrap(),
        hosts: hosts(other),
        value: Uuid::from_u128(other.into()).into(),
    }
}

const SECRET: Rules<Secret> = Rules {
    asks: &[
        |it, one, other| it.add(&new(one, other)),
        |it, one, other| it.replace(&hosts(one), Uuid::from_u128(other.into()).into()),
        |it, one, _| if one == 0 { it.remove() } else { Ok(vec![]) },
    ],
    sound: |it| it.project().is_some() == (*it != Secret::Unknown),
    ended: |it, _| matches!(it, Secret::Removed(_)),
    noted: |event| matches!(event, SecretEvent::Replaced(_)),
};

holds! {
    secret: SECRET;
}
