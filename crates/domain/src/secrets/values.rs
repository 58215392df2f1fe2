use std::{collections::BTreeSet, fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::SecretError;

/// The name of a secret, unique in its project: what templates call it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretName(String);

impl SecretName {
    /// Characters it has.
    pub const LENGTH: RangeInclusive<usize> = 1..=64;

    /// Checks a raw name; holding one is proof it passed.
    ///
    /// # Errors
    /// [`SecretError::NameFormat`] when templates could not use it.
    pub fn parse(raw: &str) -> Result<Self, SecretError> {
        let begins_well = raw.starts_with(|first: char| first.is_ascii_alphabetic());
        let goes_on = raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if begins_well && goes_on && Self::LENGTH.contains(&raw.len()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(SecretError::NameFormat)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a secret may be sent: hosts at the usual port of their scheme, `host:port` for any other port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHosts(BTreeSet<String>);

impl SecretHosts {
    /// How many it may be.
    pub const COUNT: RangeInclusive<usize> = 1..=20;
    /// Most characters of one, its port included.
    pub const LONGEST: usize = 259;

    /// Checks raw hosts and drops repetitions.
    ///
    /// # Errors
    /// [`SecretError::HostFormat`] with the index of the first that is none, or [`SecretError::HostCount`].
    pub fn parse<S: AsRef<str>>(raw: &[S]) -> Result<Self, SecretError> {
        if !Self::COUNT.contains(&raw.len()) {
            return Err(SecretError::HostCount);
        }
        match raw.iter().position(|host| !is_host(host.as_ref())) {
            Some(index) => Err(SecretError::HostFormat(index)),
            None => Ok(Self(raw.iter().map(|host| host.as_ref().to_owned()).collect())),
        }
    }

    /// Whether a secret may be sent to a host; the port is `None` where it is the usual one of the scheme.
    #[must_use]
    pub fn allow(&self, host: &str, port: Option<u16>) -> bool {
        match port {
            None => self.0.contains(host),
            Some(port) => self.0.contains(&format!("{host}:{port}")),
        }
    }

    /// The hosts, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// `api.example.org`, `api.example.org:8443`, `127.0.0.1:80` or `[::1]:8443`.
fn is_host(raw: &str) -> bool {
    let (host, port) = match raw.rsplit_once(':') {
        Some((host, port)) if !raw.ends_with(']') => (host, Some(port)),
        _ => (raw, None),
    };
    let port_fits = port.is_none_or(|port| !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok());
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_fits = match inner {
        Some(address) => {
            (2..=45).contains(&address.len())
                && address.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b':' | b'.'))
        }
        None => {
            let part = |part: &str| {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                (1..=63).contains(&part.len()) && part.bytes().all(plain)
            };
            host.len() <= 253 && host.split('.').all(part)
        }
    };
    port_fits && host_fits
}

/// What a secret is; never printed, never stored as it is, and wiped from memory when it is let go of.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    /// Characters it has: enough of them that it is recognised where a service repeats it.
    pub const LENGTH: RangeInclusive<usize> = 8..=4_096;

    /// Checks a raw value: it has to stand in a header.
    ///
    /// # Errors
    /// [`SecretError::ValueFormat`].
    pub fn parse(raw: &str) -> Result<Self, SecretError> {
        let visible = raw.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if Self::LENGTH.contains(&raw.len()) && visible && raw.trim() == raw {
            Ok(Self(Zeroizing::new(raw.to_owned())))
        } else {
            Err(SecretError::ValueFormat)
        }
    }

    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}
