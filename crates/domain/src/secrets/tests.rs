//! Rules of secrets.

use uuid::Uuid;

use super::{NewSecret, Secret, SecretError, SecretEvent, SecretHosts, SecretName, SecretReplaced, SecretValue};
use crate::kernel::given::{Given, given};

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn hosts(raw: &[&str]) -> SecretHosts {
    SecretHosts::parse(raw).unwrap()
}

fn new() -> NewSecret {
    let (name, hosts) = (SecretName::parse("tracker_key").unwrap(), hosts(&["tracker.example.org"]));
    NewSecret { project: id(1), name, hosts, value: id(2) }
}

fn added() -> Given<Secret> {
    given(Secret::default().add(&new()).unwrap())
}

fn removed() -> Given<Secret> {
    let facts = [Secret::default().add(&new()), added().when(Secret::remove)];
    given(facts.into_iter().flat_map(Result::unwrap))
}

#[test]
fn another_value_says_anew_where_it_may_be_sent() {
    let hosts = hosts(&["other.example.org"]);
    let replaced = added().when(|it| it.replace(&hosts, id(3)));
    assert_eq!(replaced, Ok(vec![SecretEvent::from(SecretReplaced { hosts, value: id(3) })]));
}

#[test]
fn a_removed_secret_takes_no_value() {
    assert_eq!(removed().when(|it| it.replace(&hosts(&["a"]), id(3))), Err(SecretError::Removed));
}

#[test]
fn removing_a_removed_secret_changes_nothing() {
    assert_eq!(removed().when(Secret::remove), Ok(vec![]));
}

#[test]
fn an_id_is_used_once() {
    assert_eq!(added().when(|it| it.add(&new())), Err(SecretError::AlreadyAdded));
}

#[test]
fn a_host_is_allowed_at_the_port_that_is_named() {
    let hosts = hosts(&["a.example.org", "b.example.org:8443"]);
    let asked = [("a.example.org", None), ("a.example.org", Some(8443)), ("b.example.org", Some(8443))];
    assert_eq!(asked.map(|(host, port)| hosts.allow(host, port)), [true, false, true]);
}

#[test]
fn a_host_does_not_stand_for_those_below_it() {
    assert!(!hosts(&["example.org"]).allow("evil.example.org", None));
}

#[test]
fn what_is_no_host_is_refused_by_its_index() {
    for wrong in ["", "*.example.org", "A.example.org", "https://a.org", "a.org/x", "a.org:0", "a.org:99999", "a@b"] {
        assert_eq!(SecretHosts::parse(&["a.org", wrong]), Err(SecretError::HostFormat(1)), "{wrong}");
    }
}

#[test]
fn names_hosts_and_addresses_are_hosts() {
    assert!(SecretHosts::parse(&["localhost", "10.0.0.1:80", "[::1]:8443", "[::1]", "xn--bcher-kva.example"]).is_ok());
}

#[test]
fn a_secret_goes_somewhere_and_not_everywhere() {
    assert_eq!(SecretHosts::parse::<&str>(&[]), Err(SecretError::HostCount));
}

#[test]
fn a_value_too_short_to_be_recognised_is_refused() {
    assert_eq!(SecretValue::parse("7-chars"), Err(SecretError::ValueFormat));
}

#[test]
fn a_value_with_a_line_break_is_refused() {
    assert_eq!(SecretValue::parse("12345678\r\nX: y"), Err(SecretError::ValueFormat));
}

#[test]
fn a_value_is_never_printed() {
    assert_eq!(format!("{:?}", SecretValue::parse("Bearer 12345678").unwrap()), "SecretValue(…)");
}
