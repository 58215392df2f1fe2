use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};

use super::security_event::SecurityEvent;
use crate::context::network;

/// How often one kind of event is recorded per source and minute, and per signed-in caller.
const EACH: Bounds = Bounds { stranger: 10, known: 60 };
/// How often one kind of event is recorded per minute for all sources, and for all signed-in callers; bounds memory.
const ALL: Bounds = Bounds { stranger: 600, known: 6_000 };
/// Seconds in a minute.
const MINUTE: i64 = 60;

struct Bounds {
    stranger: u32,
    known: u32,
}

impl Bounds {
    const fn of(&self, whose: &Whose) -> u32 {
        match whose {
            Whose::Source(_) => self.stranger,
            Whose::Actor(_) => self.known,
        }
    }
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// A stranger, of whom at most the address is known.
    Source(Option<IpAddr>),
    /// An authenticated caller.
    Actor(String),
}

/// Bounds how much is recorded, so that no caller can fill log or database. Strangers use up nothing of signed-in
/// callers. What was left out is counted, and reported in a later minute with the next event of its kind.
#[derive(Debug, Default)]
pub(super) struct Flood(Mutex<HashMap<(SecurityEvent, bool), Minute>>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    noted: u32,
    of_each: HashMap<Whose, u32>,
    left_out: u64,
}

impl Flood {
    /// Whether this event is recorded.
    pub(super) fn admits(&self, event: SecurityEvent, whose: Whose, now: DateTime<Utc>) -> bool {
        let mut minutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minutes.entry((event, matches!(whose, Whose::Actor(_)))).or_default();
        let number = now.timestamp().div_euclid(MINUTE);
        if minute.number != number {
            if minute.left_out > 0 {
                tracing::warn!(target: "devskyy::security", event = event.as_str(), left_out = minute.left_out, "a flood");
            }
            *minute = Minute { number, ..Minute::default() };
        }
        minute.admits(match whose {
            Whose::Source(source) => Whose::Source(source.map(network)),
            actor @ Whose::Actor(_) => actor,
        })
    }
}

impl Minute {
    fn admits(&mut self, whose: Whose) -> bool {
        let noted = self.of_each.get(&whose).copied().unwrap_or_default();
        let room = self.noted < ALL.of(&whose) && noted < EACH.of(&whose);
        if room {
            self.noted += 1;
            self.of_each.insert(whose, noted + 1);
        } else {
            self.left_out += 1;
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap_or_default()
    }

    fn address(n: u32) -> Option<IpAddr> {
        Some(IpAddr::from(n.to_be_bytes()))
    }

    fn noted(flood: &Flood, times: u32, source: impl Fn(u32) -> Option<IpAddr>, second: i64) -> usize {
        let ask = |n| flood.admits(SecurityEvent::LoginFail, Whose::Source(source(n)), at(second));
        (0..times).filter(|n| ask(*n)).count()
    }

    #[test]
    fn of_one_source_only_the_first_are_noted() {
        assert_eq!(noted(&Flood::default(), 1_000, |_| address(1), 0), 10);
    }

    #[test]
    fn one_source_keeps_no_other_from_being_noted() {
        let flood = Flood::default();
        noted(&flood, 1_000, |_| address(1), 0);
        assert_eq!(noted(&flood, 1, |_| address(2), 0), 1);
    }

    #[test]
    fn many_sources_together_are_bounded_too() {
        assert_eq!(noted(&Flood::default(), 10_000, address, 0), 600);
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let host = |n| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, u16::try_from(n).unwrap_or_default()]));
        assert_eq!(noted(&Flood::default(), 100, host, 0), 10);
    }

    #[test]
    fn another_minute_begins_anew() {
        let flood = Flood::default();
        noted(&flood, 100, |_| address(1), 59);
        assert_eq!(noted(&flood, 100, |_| address(1), 60), 10);
    }

    #[test]
    fn one_kind_of_event_leaves_room_for_others() {
        let flood = Flood::default();
        noted(&flood, 10_000, address, 0);
        assert!(flood.admits(SecurityEvent::TokenReuse, Whose::Source(address(1)), at(0)));
    }

    fn denied(flood: &Flood, times: u32, who: &str) -> usize {
        let ask = || flood.admits(SecurityEvent::AuthzFail, Whose::Actor(who.to_owned()), at(0));
        (0..times).filter(|_| ask()).count()
    }

    #[test]
    fn of_one_who_is_signed_in_only_the_first_are_noted() {
        assert_eq!(denied(&Flood::default(), 1_000, "user:ada"), 60);
    }

    #[test]
    fn one_who_is_signed_in_keeps_no_other_from_being_noted() {
        let flood = Flood::default();
        denied(&flood, 1_000, "user:ada");
        assert_eq!(denied(&flood, 1, "user:eve"), 1);
    }

    #[test]
    fn strangers_keep_nobody_who_is_signed_in_from_being_noted() {
        let flood = Flood::default();
        for n in 0..10_000 {
            flood.admits(SecurityEvent::AuthzFail, Whose::Source(address(n)), at(0));
        }
        assert_eq!(denied(&flood, 1, "user:ada"), 1);
    }
}
