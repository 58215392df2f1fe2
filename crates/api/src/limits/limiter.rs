use std::net::IpAddr;

use actix_web::http::header::HeaderValue;

use super::{
    Limits,
    bucket::{Quota, Verdict},
    table::Table,
};

/// The time in which a caller's requests are granted anew, in seconds.
const WINDOW_S: u32 = 60;
const MICROS_PER_S: i64 = 1_000_000;
/// Callers of each kind that are stored at most, about 50 bytes each.
const REMEMBERED: usize = 200_000;

/// Whose requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// A person or API key, by id.
    Proven(u128),
    /// Everyone at an address.
    Address(u128),
}

impl Caller {
    /// Everyone at an address; for IPv6 its /64 network, which is what one customer has.
    pub(crate) fn at(address: IpAddr) -> Self {
        const NETWORK: u128 = !(u64::MAX as u128);
        match address.to_canonical() {
            IpAddr::V4(address) => Self::Address(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => Self::Address(address.to_bits() & NETWORK),
        }
    }
}

/// The kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// It reads.
    Read,
    /// It changes something.
    Write,
    /// Anything, from an unknown caller.
    Anonymous,
}

/// A caller's limit after a request was counted.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The policy, as in `RateLimit-Policy`.
    pub(crate) policy: HeaderValue,
    name: &'static str,
    remaining: u32,
    seconds: u32,
    /// Seconds to wait, if the request exceeded the limit.
    pub(crate) wait_s: Option<u32>,
}

impl Standing {
    /// What is left, as in `RateLimit`.
    pub(crate) fn field(&self) -> HeaderValue {
        let text = format!("\"{}\";r={};t={}", self.name, self.remaining, self.seconds);
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

#[derive(Debug)]
struct Policy {
    name: &'static str,
    quota: Quota,
    field: HeaderValue,
}

impl Policy {
    /// A policy of so many requests per minute; `None` without a limit.
    fn of(name: &'static str, amount: u32) -> Option<Self> {
        let field = HeaderValue::try_from(format!("\"{name}\";q={amount};w={WINDOW_S}")).ok()?;
        let quota = Quota { amount, window: i64::from(WINDOW_S) * MICROS_PER_S };
        (amount > 0).then_some(Self { name, quota, field })
    }

    fn standing(&self, verdict: Verdict) -> Standing {
        let (remaining, micros, refused) = match verdict {
            Verdict::Granted { remaining, full_in, .. } => (remaining, full_in, false),
            Verdict::Refused { wait } => (0, wait, true),
        };
        let seconds = u32::try_from((micros + MICROS_PER_S - 1) / MICROS_PER_S).unwrap_or(WINDOW_S).max(1);
        let policy = self.field.clone();
        Standing { policy, name: self.name, remaining, seconds, wait_s: refused.then_some(seconds) }
    }
}

/// Counts requests and refuses those over the limit. One for all workers of a process; memory is bounded.
#[derive(Debug)]
pub struct Limiter {
    read: Option<Policy>,
    write: Option<Policy>,
    anonymous: Option<Policy>,
    proven: Table<(u128, Kind)>,
    addresses: Table<u128>,
}

impl Limiter {
    /// A limiter with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            read: Policy::of("read", limits.reads),
            write: Policy::of("write", limits.writes),
            anonymous: Policy::of("anonymous", limits.anonymous),
            proven: Table::of(REMEMBERED),
            addresses: Table::of(REMEMBERED),
        }
    }

    /// Counts a request at an instant in microseconds; `None` without a limit.
    pub(crate) fn count(&self, caller: Caller, kind: Kind, now: i64) -> Option<Standing> {
        let policy = match kind {
            Kind::Read => self.read.as_ref()?,
            Kind::Write => self.write.as_ref()?,
            Kind::Anonymous => self.anonymous.as_ref()?,
        };
        let verdict = match caller {
            Caller::Proven(id) => self.proven.count((id, kind), policy.quota, now),
            Caller::Address(address) => self.addresses.count(address, policy.quota, now),
        };
        Some(policy.standing(verdict))
    }

    /// Seconds that an address must wait before an unproven key from there is worth a query; `None` if it need not
    /// wait, or if the key has been proven before.
    pub(crate) fn wait_of_unproven(&self, key: u128, address: Caller, now: i64) -> Option<u32> {
        let (policy, Caller::Address(address)) = (self.anonymous.as_ref()?, address) else { return None };
        if [Kind::Read, Kind::Write].into_iter().any(|kind| self.proven.knows((key, kind))) {
            return None;
        }
        policy.standing(self.addresses.foresee(address, policy.quota, now)).wait_s
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Kind, Limiter, Limits};

    fn at(address: &str) -> Caller {
        Caller::at(address.parse().unwrap())
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one_caller() {
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
    }

    #[test]
    fn other_ipv6_networks_are_other_callers() {
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
    }

    #[test]
    fn an_ipv4_address_is_the_same_caller_in_both_forms() {
        assert_eq!(at("192.0.2.7"), at("::ffff:192.0.2.7"));
    }

    #[test]
    fn reading_does_not_use_up_what_may_be_changed() {
        let limiter = Limiter::new(Limits { reads: 1, writes: 1, anonymous: 1 });
        limiter.count(Caller::Proven(1), Kind::Read, 0);
        assert_eq!(limiter.count(Caller::Proven(1), Kind::Write, 0).unwrap().wait_s, None);
    }

    #[test]
    fn the_fields_are_structured_as_the_draft_says() {
        let limiter = Limiter::new(Limits { reads: 60, writes: 0, anonymous: 0 });
        let standing = limiter.count(Caller::Proven(1), Kind::Read, 0).unwrap();
        assert_eq!(
            (standing.policy.to_str().unwrap(), standing.field().to_str().unwrap()),
            ("\"read\";q=60;w=60", "\"read\";r=59;t=1")
        );
    }

    #[test]
    fn nought_is_without_limit() {
        let limiter = Limiter::new(Limits { reads: 0, writes: 0, anonymous: 0 });
        assert!(limiter.count(Caller::Proven(1), Kind::Read, 0).is_none());
    }
}
