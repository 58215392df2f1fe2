use std::net::{IpAddr, Ipv4Addr};

use devskyy_infrastructure::sql::Durability;
use secrecy::ExposeSecret as _;

use super::settings::{LogFormat, Profile, Settings};
use crate::failure::Failure;

/// Passwords that come with examples and images.
const KNOWN_PASSWORDS: [&str; 6] = ["devskyy", "postgres", "password", "secret", "admin", "changeme"];
/// Different digits that 64 random hexadecimal ones have at least, but for one case in millions of millions.
const FEWEST_DIGITS: usize = 8;

/// Refuses settings that are unsafe where others can reach the platform; in the development profile all are taken.
///
/// # Errors
/// Every unsafe setting and what to do about it, one per line.
pub fn refuse_unsafe(settings: &Settings) -> Result<(), Failure> {
    if settings.profile == Profile::Development {
        return Ok(());
    }
    let checks = [master_key, public_url, proxies, origins, durability, egress, database_password, log];
    let findings: Vec<&str> = checks.iter().filter_map(|check| check(settings)).collect();
    if findings.is_empty() { Ok(()) } else { Err(Failure::unsafe_settings(&findings)) }
}

fn master_key(settings: &Settings) -> Option<&'static str> {
    let Some(key) = &settings.security.master_key else {
        return Some("security.master_key is not set, so it would lie beside the data; set it from a secret store");
    };
    let mut digits: Vec<char> = key.expose_secret().to_lowercase().chars().collect();
    digits.sort_unstable();
    digits.dedup();
    (digits.len() < FEWEST_DIGITS)
        .then_some("security.master_key is not random; make one with `openssl rand -hex 32` before there is data")
}

fn public_url(settings: &Settings) -> Option<&'static str> {
    match &settings.server.public_url {
        None => Some("server.public_url is not set; set it to the https:// address that clients use"),
        Some(url) if !url.starts_with("https://") => {
            Some("server.public_url is not https://; put TLS in front of the platform and name that address")
        }
        Some(_) => None,
    }
}

fn proxies(settings: &Settings) -> Option<&'static str> {
    let ends = [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST].map(IpAddr::V4);
    let everybody = settings.server.trusted_proxies.iter().any(|them| ends.iter().all(|end| them.contains(*end)));
    everybody
        .then_some("server.trusted_proxies holds everybody, so clients say themselves where they are; list the proxies")
}

fn origins(settings: &Settings) -> Option<&'static str> {
    let open = settings.allowed_origins.iter().any(|origin| origin == "*");
    open.then_some("cors.allowed_origins holds `*`; list the origins whose pages may call")
}

fn durability(settings: &Settings) -> Option<&'static str> {
    (settings.database.durability == Durability::Relaxed)
        .then_some("database.durability is relaxed, so a power cut loses acknowledged changes; set it to full")
}

fn egress(settings: &Settings) -> Option<&'static str> {
    settings.egress.allow_http.then_some("egress.allow_http is true, so tools may send secrets in the clear; remove it")
}

fn database_password(settings: &Settings) -> Option<&'static str> {
    let url = reqwest::Url::parse(settings.database.url.as_ref()?.expose_secret()).ok()?;
    KNOWN_PASSWORDS
        .contains(&url.password()?)
        .then_some("database.url holds a password that everybody knows; give the database one of its own")
}

fn log(settings: &Settings) -> Option<&'static str> {
    (settings.log.format == LogFormat::Text)
        .then_some("log.format is text, which nothing reads back line by line; remove it or set it to json")
}

#[cfg(test)]
mod tests {
    use super::{LogFormat, refuse_unsafe};
    use crate::configuration::{Effective, Flag, Layers, Settings};

    const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const SAFE: [(&str, &str); 3] =
        [("profile", "production"), ("security.master_key", KEY), ("server.public_url", "https://devskyy.example.org")];

    fn settings(set: &[(&str, &str)]) -> Settings {
        let flag = |(key, value): &(&str, &str)| Flag { name: "--set", key: (*key).into(), value: (*value).into() };
        let layers = Layers { flags: set.iter().map(flag).collect(), ..Layers::default() };
        Settings::from(&Effective::read(&layers).unwrap())
    }

    /// What is refused when a safe configuration is changed in one place.
    fn refusal(key: &str, value: &str) -> String {
        let set = [SAFE.as_slice(), &[(key, value)]].concat();
        refuse_unsafe(&settings(&set)).map_or_else(|failure| failure.to_string(), |()| String::new())
    }

    #[test]
    fn development_takes_everything() {
        assert!(refuse_unsafe(&settings(&[("cors.allowed_origins", "*")])).is_ok());
    }

    #[test]
    fn a_safe_configuration_is_taken() {
        assert_eq!(refusal("server.port", "8443"), "");
        assert_eq!(refusal("server.trusted_proxies", "10.0.0.0/8,2001:db8::/32"), "");
    }

    #[test]
    fn every_unsafe_setting_is_named() {
        let unsafe_settings = [
            ("security.master_key", "00000000000000000000000000000000000000000000000000000000000000ff"),
            ("server.public_url", "http://devskyy.example.org"),
            ("server.trusted_proxies", "0.0.0.0/0"),
            ("server.trusted_proxies", "10.0.0.0/8,::/0"),
            ("cors.allowed_origins", "*"),
            ("database.durability", "relaxed"),
            ("egress.allow_http", "true"),
            ("database.url", "postgres://sky:postgres@db/sky"),
            ("log.format", "text"),
        ];
        for (key, value) in unsafe_settings {
            let told = refusal(key, value);
            assert!(told.starts_with(key) && told.lines().count() == 1, "{key}: {told}");
        }
    }

    #[test]
    fn all_are_told_at_once_and_end_the_program_as_a_mistake_in_the_configuration() {
        let failure =
            refuse_unsafe(&settings(&[("profile", "production"), ("egress.allow_http", "true")])).unwrap_err();
        assert_eq!((failure.to_string().lines().count(), failure.code()), (3, 78));
    }

    #[test]
    fn production_logs_json_unless_told_otherwise() {
        assert_eq!(settings(&SAFE).log.format, LogFormat::Json);
    }
}
