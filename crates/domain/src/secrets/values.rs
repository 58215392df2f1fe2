use std::{collections::BTreeSet, fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::SecretError;

/// The name of a secret, unique in its project and used in templates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretName(String);

impl SecretName {
    /// Length of a name in characters.
    pub const LENGTH: RangeInclusive<usize> = 1..=64;

    /// Validates a raw name.
    ///
    /// # Errors
    /// [`SecretError::NameFormat`] when templates cannot use it.
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

/// The hosts a secret may be sent to: a host name for the default port of the scheme, `host:port` for other ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHosts(BTreeSet<String>);

impl SecretHosts {
    /// Number of hosts.
    pub const COUNT: RangeInclusive<usize> = 1..=20;
    /// Maximum length of a host in characters, including the port.
    pub const LONGEST: usize = 259;

    /// Validates raw hosts and drops duplicates.
    ///
    /// # Errors
    /// [`SecretError::HostFormat`] with the index of the first invalid host, or [`SecretError::HostCount`].
    pub fn parse<S: AsRef<str>>(raw: &[S]) -> Result<Self, SecretError> {
        if !Self::COUNT.contains(&raw.len()) {
            return Err(SecretError::HostCount);
        }
        match raw.iter().position(|host| !is_host(host.as_ref())) {
            Some(index) => Err(SecretError::HostFormat(index)),
            None => Ok(Self(raw.iter().map(|host| host.as_ref().to_owned()).collect())),
        }
    }

    /// Whether a secret may be sent to a host; `port` is `None` for the default port of the scheme.
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

/// The value of a secret; never printed, stored only encrypted, and wiped from memory on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    /// Length in characters: long enough to be recognised in a response.
    pub const LENGTH: RangeInclusive<usize> = 8..=4_096;

    /// Validates a raw value: it must be valid in a header.
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
