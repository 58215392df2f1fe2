//! The message on standard error when the server has started: at most twelve lines.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::Path,
};

/// The content of the banner.
#[derive(Debug)]
pub struct Banner<'a> {
    /// The address the server listens on.
    pub address: SocketAddr,
    /// The database, in readable form.
    pub store: String,
    /// The data directory.
    pub data_dir: &'a Path,
    /// Location of the first administrator's token, as long as there is no administrator.
    pub bootstrap: Option<String>,
}

impl Banner<'_> {
    /// The URL to use on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// The banner's lines.
    #[must_use]
    pub fn text(&self) -> String {
        let url = self.url();
        let directory = std::path::absolute(self.data_dir).unwrap_or_else(|_| self.data_dir.to_owned());
        let mut text = format!("devskyy {} is ready: {url}\n", env!("CARGO_PKG_VERSION"));
        let _ = writeln!(text, "  API page   {url}/docs");
        let _ = writeln!(text, "  store      {}", self.store);
        let _ = writeln!(text, "  data       {}", directory.display());
        if let Some(token) = &self.bootstrap {
            let _ = writeln!(text, "There is no administrator yet. Create the first one:");
            let _ = writeln!(text, "  curl -s {url}/api/v1/auth/register -H 'Content-Type: application/json' -d '{{");
            let _ = writeln!(
                text,
                "    \"email\": \"you@example.com\", \"password\": \"Choose-1-yourself\", \"name\": \"You\","
            );
            let _ = writeln!(text, "    \"bootstrap_token\": \"'\"$(cat '{token}')\"'\"}}'");
        }
        let _ = writeln!(text, "Stop with Ctrl-C.");
        text
    }
}

/// The URL of an address; an unspecified address is replaced by the loopback address.
#[must_use]
pub fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Banner;

    #[test]
    fn the_banner_has_at_most_twelve_lines() {
        let banner = Banner {
            address: "0.0.0.0:8000".parse().unwrap(),
            store: "SQLite, devskyy-data/devskyy.db".to_owned(),
            data_dir: Path::new("devskyy-data"),
            bootstrap: Some("/tmp/x/bootstrap-token".to_owned()),
        };
        assert!(banner.text().lines().count() <= 12 && banner.url() == "http://127.0.0.1:8000");
    }
}
