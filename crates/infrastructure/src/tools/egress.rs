//! Egress rules: https to public addresses, and what the operator allows in addition.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use devskyy_application::workflow::{DestinationRefused, Destinations};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// A destination to which the platform sends no requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EgressRefused(String);

/// An invalid entry of the allow list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a `host:port` nor a network such as `10.0.0.0/8`")]
pub struct InvalidAllowance(String);

/// Where requests may be sent.
///
/// By default only `https` to public addresses. The decision is made for each connection, on the address it connects
/// to, not on the name.
#[derive(Debug, Clone, Default)]
pub struct EgressPolicy {
    allow_http: bool,
    hosts: Vec<(String, u16)>,
    networks: Vec<(IpAddr, u8)>,
}

impl EgressPolicy {
    /// Parses the operator's settings: plain `http`, and hosts (`host:port`) or networks that are not public.
    ///
    /// # Errors
    /// [`InvalidAllowance`] names the first invalid entry.
    pub fn parse(allow_http: bool, allow_private: &[String]) -> Result<Self, InvalidAllowance> {
        let mut policy = Self { allow_http, ..Self::default() };
        for entry in allow_private {
            let invalid = || InvalidAllowance(entry.clone());
            if let Some((address, bits)) = entry.split_once('/') {
                let address: IpAddr = address.parse().map_err(|_| invalid())?;
                let bits: u8 = bits.parse().map_err(|_| invalid())?;
                let most = if address.is_ipv4() { 32 } else { 128 };
                policy.networks.push(if bits <= most { (address, bits) } else { return Err(invalid()) });
            } else {
                let (host, port) = entry.rsplit_once(':').ok_or_else(invalid)?;
                let port: u16 = port.parse().map_err(|_| invalid())?;
                let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
                policy.hosts.push(if host.is_empty() { return Err(invalid()) } else { (host, port) });
            }
        }
        Ok(policy)
    }

    /// Checks a URL as far as possible without resolving names.
    ///
    /// # Errors
    /// [`EgressRefused`] with the reason.
    pub fn check(&self, url: &str) -> Result<(), EgressRefused> {
        let parsed = Url::parse(url).map_err(|error| EgressRefused(format!("`{url}` is not a URL: {error}")))?;
        self.admit(&parsed).map(drop)
    }

    /// Checks a URL; returns whether its host is allowed by name or depends on the address.
    pub(crate) fn admit(&self, url: &Url) -> Result<Admission, EgressRefused> {
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err(EgressRefused("plain http is not allowed; use https".to_owned())),
            other => return Err(EgressRefused(format!("`{other}` is not a scheme for requests; use https"))),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressRefused("a URL must not hold a user name or password".to_owned()));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.');
        let port = url.port_or_known_default().unwrap_or_default();
        if self.hosts.iter().any(|(name, at)| name == host && *at == port) {
            return Ok(Admission::ByName);
        }
        match host.parse::<IpAddr>() {
            Ok(address) if !self.reaches(address) => Err(refused(host)),
            _ => Ok(Admission::ByAddress),
        }
    }

    /// Whether connections to an address are allowed.
    fn reaches(&self, address: IpAddr) -> bool {
        is_public(address) || self.networks.iter().any(|(network, bits)| within(address, *network, *bits))
    }
}

impl Destinations for EgressPolicy {
    fn check(&self, template: &str) -> Result<(), DestinationRefused> {
        let (scheme, rest) = template.split_once("://").unwrap_or((template, ""));
        if scheme.contains('{') {
            return Ok(());
        }
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // A host with a placeholder is treated like any public host.
        let host = if host.contains('{') { "example.com" } else { host };
        let origin = if rest.is_empty() { template.to_owned() } else { format!("{scheme}://{host}") };
        self.check(&origin).map_err(|refused| DestinationRefused { message: refused.to_string() })
    }
}

/// The rule by which a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The operator allows this host and port, whatever the address.
    ByName,
    /// The address decides, once it is resolved.
    ByAddress,
}

fn refused(host: &str) -> EgressRefused {
    EgressRefused(format!("`{host}` is not a public address; the operator can allow it (`egress.allow_private`)"))
}

/// Resolves names only to addresses that the policy allows.
pub(crate) struct GuardedResolver(pub(crate) EgressPolicy);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let reachable: Vec<SocketAddr> = found.filter(|address| policy.reaches(address.ip())).collect();
            if reachable.is_empty() {
                return Err(Box::new(refused(name.as_str())) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let ignored = 32 - u32::from(bits);
            address.to_bits().checked_shr(ignored) == network.to_bits().checked_shr(ignored)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let ignored = 128 - u32::from(bits);
            address.to_bits().checked_shr(ignored) == network.to_bits().checked_shr(ignored)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// IPv4 networks that are private, local, shared, reserved, for documentation or multicast.
const SPECIAL_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Networks within IPv6's global unicast range that are not public: protocol assignments and Teredo, documentation,
/// 6to4. Everything outside that range (loopback, mapped, NAT64, local, multicast) is not public either.
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Whether an address belongs to the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !SPECIAL_V4.iter().any(|(network, bits)| within(address, IpAddr::V4(*network), *bits)),
        IpAddr::V6(_) => {
            let inside = |(network, bits): &(Ipv6Addr, u8)| within(address, IpAddr::V6(*network), *bits);
            inside(&GLOBAL_UNICAST) && !SPECIAL_V6.iter().any(inside)
        }
    }
}
