use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::{IpAddr, Ipv6Addr},
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR},
    web::Data,
};

use crate::settings::Settings;

/// Hops that are read at most, nearest first; no honest chain is longer.
const FURTHEST: usize = 32;

/// A range of addresses, for example `10.0.0.0/8`, `2001:db8::/32` or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: u128,
    /// Leading bits that are compared, IPv4 as mapped into IPv6.
    bits: u32,
}

impl Network {
    /// Reads a network or a single address; `None` if it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        (prefix <= width).then(|| Self { base: mapped(address), bits: 128 - width + prefix })
    }

    /// The address in its notation.
    #[must_use]
    pub const fn base(&self) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(self.base)).to_canonical()
    }

    /// Leading bits that its addresses share, in the form of [`Self::base`].
    #[must_use]
    pub fn prefix(&self) -> u8 {
        let mapped = if self.base().is_ipv4() { 96 } else { 0 };
        u8::try_from(self.bits.saturating_sub(mapped)).unwrap_or(u8::MAX)
    }

    /// Whether an address belongs to it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = self.base ^ mapped(address);
        self.bits == 0 || differing >> (128 - self.bits) == 0
    }
}

fn mapped(address: IpAddr) -> u128 {
    let address: Ipv6Addr = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    u128::from(address)
}

/// Where a request comes from, as far as it can be trusted.
///
/// That is the peer of the connection. If the peer is a trusted proxy, it is the client that the proxy names in
/// `X-Forwarded-For` or `Forwarded` (RFC 7239), read from the nearest hop to the first one that is not trusted. If the
/// two headers disagree, neither is trusted: a client may have sent the one that the proxy does not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) Option<IpAddr>);

impl ClientAddress {
    /// The address of the sender of the request.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let proxies = request.app_data::<Data<Settings>>().map(|settings| &settings.trusted_proxies[..]);
        Self(peer.map(|peer| client(peer, request.headers(), proxies.unwrap_or_default())))
    }
}

impl FromRequest for ClientAddress {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let named = |name: &HeaderName, read: fn(&str) -> Option<IpAddr>| {
        headers.contains_key(name).then(|| nearest_stranger(peer, &hops(headers, name, read), proxies))
    };
    match (named(&X_FORWARDED_FOR, address), named(&FORWARDED, forwarded_for)) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(client), _) | (None, Some(client)) => client,
        (None, None) => peer,
    }
}

/// Follows the chain outwards as long as the hop that names the next one is trusted.
fn nearest_stranger(peer: IpAddr, hops: &[Option<IpAddr>], proxies: &[Network]) -> IpAddr {
    let mut client = peer;
    for hop in hops {
        let trusted = proxies.iter().any(|proxy| proxy.contains(client));
        match hop {
            Some(next) if trusted => client = *next,
            Some(_) | None => break,
        }
    }
    client
}

/// The hops, nearest first; `None` for one that is not an address.
fn hops(headers: &HeaderMap, name: &HeaderName, read: fn(&str) -> Option<IpAddr>) -> Vec<Option<IpAddr>> {
    let lines: Vec<&str> = headers.get_all(name).map(|line| line.to_str().unwrap_or_default()).collect();
    lines.iter().rev().flat_map(|line| line.rsplit(',')).take(FURTHEST).map(read).collect()
}

/// `192.0.2.1`, `2001:db8::1`, each also with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(address, _)| address),
        None => Some(text.rsplit_once(':').filter(|(host, _)| !host.contains(':')).map_or(text, |(host, _)| host)),
    };
    bare?.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use actix_web::test::TestRequest;

    use super::{Network, client};

    const PROXIES: [&str; 2] = ["10.0.0.0/8", "2001:db8:1::/48"];

    /// Who is behind a request of `peer` with these headers.
    fn behind(peer: &str, headers: &[(&str, &str)]) -> String {
        let request = headers.iter().fold(TestRequest::default(), |request, header| request.append_header(*header));
        let proxies: Vec<Network> = PROXIES.iter().filter_map(|network| Network::parse(network)).collect();
        let peer: IpAddr = peer.parse().unwrap_or(IpAddr::from([0, 0, 0, 0]));
        client(peer, request.to_http_request().headers(), &proxies).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed_whatever_it_claims() {
        let claims = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7")];
        assert_eq!(behind("198.51.100.1", &claims), "198.51.100.1");
    }

    #[test]
    fn a_trusted_proxy_names_its_client() {
        assert_eq!(behind("10.0.0.1", &[("x-forwarded-for", "192.0.2.7")]), "192.0.2.7");
    }

    #[test]
    fn what_a_client_claims_before_its_proxy_is_not_believed() {
        assert_eq!(behind("10.0.0.1", &[("x-forwarded-for", "203.0.113.9, 192.0.2.7")]), "192.0.2.7");
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_followed() {
        assert_eq!(behind("10.0.0.1", &[("x-forwarded-for", "192.0.2.7, 10.0.0.2, 10.0.0.3")]), "192.0.2.7");
    }

    #[test]
    fn several_lines_are_one_chain() {
        let lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(behind("10.0.0.1", &lines), "192.0.2.7");
    }

    #[test]
    fn the_standard_header_is_understood_with_quotes_and_ports() {
        let standard = [("forwarded", "for=203.0.113.9, For=\"[2001:db8:2::7]:4711\";proto=https;by=10.0.0.1")];
        assert_eq!(behind("10.0.0.1", &standard), "2001:db8:2::7");
    }

    #[test]
    fn an_address_with_a_port_is_understood() {
        assert_eq!(behind("10.0.0.1", &[("x-forwarded-for", "192.0.2.7:51234")]), "192.0.2.7");
    }

    #[test]
    fn two_headers_that_disagree_are_both_not_believed() {
        let claims = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=203.0.113.9")];
        assert_eq!(behind("10.0.0.1", &claims), "10.0.0.1");
    }

    #[test]
    fn two_headers_that_agree_are_believed() {
        let claims = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7")];
        assert_eq!(behind("10.0.0.1", &claims), "192.0.2.7");
    }

    #[test]
    fn whoever_hides_behind_a_name_is_taken_for_their_proxy() {
        assert_eq!(behind("10.0.0.1", &[("forwarded", "for=192.0.2.7, for=_hidden")]), "10.0.0.1");
    }

    #[test]
    fn an_ipv4_client_of_an_ipv6_proxy_is_an_ipv4_client() {
        assert_eq!(behind("2001:db8:1::1", &[("x-forwarded-for", "::ffff:192.0.2.7")]), "192.0.2.7");
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let holds = |network: &str, address: &str| {
            Network::parse(network).is_some_and(|it| address.parse().is_ok_and(|address| it.contains(address)))
        };
        let held =
            [("10.0.0.0/8", "10.255.0.1"), ("0.0.0.0/0", "8.8.8.8"), ("::/0", "::1"), ("192.0.2.1", "192.0.2.1")];
        let others = [("10.0.0.0/8", "11.0.0.1"), ("192.0.2.1", "192.0.2.2"), ("2001:db8::/32", "2001:db9::1")];
        assert_eq!((held.map(|(n, a)| holds(n, a)), others.map(|(n, a)| holds(n, a))), ([true; 4], [false; 3]));
    }

    #[test]
    fn what_is_no_network_is_not_read() {
        assert_eq!(["10.0.0.0/33", "proxy.example", "10.0.0.0/", ""].map(Network::parse), [None; 4]);
    }
}
