use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};

use super::security_event::SecurityEvent;
use crate::context::network;

/// How often one thing is noted of one source within a minute.
const EACH: u32 = 10;
/// How often one thing is noted of all sources within a minute; also how many sources are remembered.
const ALL: u32 = 600;
/// Seconds in a minute.
const MINUTE: i64 = 60;

/// Bounds what strangers can have noted, so that they fill neither log nor database. What was left out is counted, and told
/// with the next thing of its kind that is noted.
#[derive(Debug, Default)]
pub(super) struct Flood(Mutex<HashMap<SecurityEvent, Minute>>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    noted: u32,
    sources: HashMap<Option<IpAddr>, u32>,
    left_out: u64,
}

impl Flood {
    /// Whether this is noted.
    pub(super) fn admits(&self, event: SecurityEvent, source: Option<IpAddr>, now: DateTime<Utc>) -> bool {
        let mut minutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minutes.entry(event).or_default();
        let number = now.timestamp().div_euclid(MINUTE);
        if minute.number != number {
            if minute.left_out > 0 {
                tracing::warn!(target: "devskyy::security", event = event.as_str(), left_out = minute.left_out, "a flood");
            }
            *minute = Minute { number, ..Minute::default() };
        }
        minute.admits(source.map(network))
    }
}

impl Minute {
    fn admits(&mut self, source: Option<IpAddr>) -> bool {
        let room = self.noted < ALL && self.sources.get(&source).is_none_or(|noted| *noted < EACH);
        if room {
            self.noted += 1;
            *self.sources.entry(source).or_default() += 1;
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
        let ask = |n| flood.admits(SecurityEvent::LoginFail, source(n), at(second));
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
        assert!(flood.admits(SecurityEvent::TokenReuse, address(1), at(0)));
    }
}
