use std::net::IpAddr;

use devskyy_infrastructure::{sql::Durability, tools::is_public};
use reqwest::Url;
use secrecy::ExposeSecret as _;

use super::settings::{LogFormat, Profile, Settings};
use crate::failure::Failure;

/// Default passwords of examples and images.
const KNOWN_PASSWORDS: [&str; 6] = ["devskyy", "postgres", "password", "secret", "admin", "changeme"];
/// Minimum number of distinct digits in a key; 64 random hexadecimal digits have fewer with negligible probability.
const FEWEST_DIGITS: usize = 8;
/// Prefix length of the widest IPv4 network of a single organisation: `10.0.0.0/8`.
const WIDEST_V4: u8 = 8;
/// The same for IPv6.
const WIDEST_V6: u8 = 16;
/// The same for private IPv6 addresses: `fc00::/7`.
const WIDEST_PRIVATE_V6: u8 = 7;

/// Refuses settings that are unsafe in production; in the development profile all are accepted.
///
/// # Errors
/// All unsafe settings and their remedies, one per line.
pub fn refuse_unsafe(settings: &Settings) -> Result<(), Failure> {
    if settings.profile == Profile::Development {
        return Ok(());
    }
    let checks = [
        master_key,
        public_url,
        proxies,
        unlimited_reads,
        unlimited_writes,
        unlimited_strangers,
        origins,
        durability,
        egress,
        private_egress,
        database_password,
        log,
    ];
    let findings = checks.iter().filter_map(|check| check(settings)).map(str::to_owned);
    let findings: Vec<String> = findings.chain(providers_in_the_clear(settings)).collect();
    if findings.is_empty() { Ok(()) } else { Err(Failure::unsafe_settings(&findings)) }
}

fn master_key(settings: &Settings) -> Option<&'static str> {
    let Some(key) = &settings.security.master_key else {
        return Some(
            "security.master_key is not set, so it would be stored beside the data; set it from a secret store",
        );
    };
    let key: Vec<char> = key.expose_secret().to_lowercase().chars().collect();
    (has_few_digits(&key) || repeats_itself(&key))
        .then_some("security.master_key is not random; generate one with `openssl rand -hex 32` before there is data")
}

fn has_few_digits(key: &[char]) -> bool {
    let mut digits = key.to_vec();
    digits.sort_unstable();
    digits.dedup();
    digits.len() < FEWEST_DIGITS
}

/// Whether a key is a repeated pattern, as manually typed keys often are.
fn repeats_itself(key: &[char]) -> bool {
    (1..=key.len() / 2).any(|period| key.iter().zip(key.iter().skip(period)).all(|(one, next)| one == next))
}

fn public_url(settings: &Settings) -> Option<&'static str> {
    match &settings.server.public_url {
        None => Some("server.public_url is not set; set it to the https:// address that clients use"),
        Some(url) if !url.starts_with("https://") => {
            Some("server.public_url is not https://; put TLS in front of the platform and set that address")
        }
        Some(_) => None,
    }
}

fn proxies(settings: &Settings) -> Option<&'static str> {
    let wide = settings.server.trusted_proxies.iter().any(|them| is_too_wide(them.base(), them.prefix()));
    wide.then_some("server.trusted_proxies includes strangers, who could forge their address; list the proxies only")
}

/// Whether a network is wider than a single organisation's.
fn is_too_wide(base: IpAddr, prefix: u8) -> bool {
    match base {
        IpAddr::V4(_) => prefix < WIDEST_V4,
        IpAddr::V6(base) if base.is_unique_local() || base.is_unicast_link_local() => prefix < WIDEST_PRIVATE_V6,
        IpAddr::V6(_) => prefix < WIDEST_V6,
    }
}

fn unlimited_reads(settings: &Settings) -> Option<&'static str> {
    (settings.limits.reads == 0)
        .then_some("limits.reads is 0, which disables the limit, so one client may block all others; set a limit")
}

fn unlimited_writes(settings: &Settings) -> Option<&'static str> {
    (settings.limits.writes == 0)
        .then_some("limits.writes is 0, which disables the limit, so one client may block all others; set a limit")
}

fn unlimited_strangers(settings: &Settings) -> Option<&'static str> {
    (settings.limits.anonymous == 0)
        .then_some("limits.anonymous is 0, which disables the limit, so strangers may block all others; set a limit")
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
    settings.egress.allow_http.then_some("egress.allow_http is true, so tools may send secrets unencrypted; remove it")
}

fn private_egress(settings: &Settings) -> Option<&'static str> {
    let network = |entry: &String| {
        let (base, prefix) = entry.split_once('/')?;
        Some(is_too_wide(base.parse().ok()?, prefix.parse().ok()?))
    };
    settings.egress.allow_private.iter().filter_map(network).any(|wide| wide).then_some(
        "egress.allow_private holds so wide a network that private addresses are not protected; list the destinations",
    )
}

/// Model providers whose API key would be sent unencrypted over the internet.
fn providers_in_the_clear(settings: &Settings) -> impl Iterator<Item = String> {
    let told = settings.models.iter().filter(|(_, it)| it.api_key.is_some() && is_public_and_plain(&it.base_url));
    told.map(|(name, _)| {
        format!("models.{name}.base_url is http:// and public, so the key would be sent unencrypted; use https://")
    })
}

/// Whether a URL is plain HTTP to a host that is neither this machine nor in a private network.
fn is_public_and_plain(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.');
    let inside =
        |name: &str| !name.contains('.') || [".local", ".internal", ".localhost"].iter().any(|it| name.ends_with(it));
    url.scheme() == "http" && host.parse().map_or_else(|_| !inside(host), is_public)
}

fn database_password(settings: &Settings) -> Option<&'static str> {
    let url = Url::parse(settings.database.url.as_ref()?.expose_secret()).ok()?;
    KNOWN_PASSWORDS.contains(&url.password()?).then_some("database.url holds a well-known password; choose another one")
}

fn log(settings: &Settings) -> Option<&'static str> {
    (settings.log.format == LogFormat::Text)
        .then_some("log.format is text, which log collectors cannot parse; remove it or set it to json")
}

#[cfg(test)]
mod tests {
    use super::{LogFormat, refuse_unsafe};
    use crate::configuration::{Effective, Flag, Layers, Settings};

    const KEY: &str = "5f3c1d0a9b7e42688c6a2f4eb1d97035ce8a41f60b9d723e5c17a8f2d4603be9";
    const SAFE: [(&str, &str); 3] =
        [("profile", "production"), ("security.master_key", KEY), ("server.public_url", "https://devskyy.example.org")];

    fn settings(set: &[(&str, &str)]) -> Settings {
        let flag = |(key, value): &(&str, &str)| Flag { name: "--set", key: (*key).into(), value: (*value).into() };
        let layers = Layers { flags: set.iter().map(flag).collect(), ..Layers::default() };
        Settings::from(&Effective::read(&layers).unwrap())
    }

    /// The refusal after one change to a safe configuration.
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
        assert_eq!(refusal("server.trusted_proxies", "10.0.0.0/8,2001:db8::/32,fc00::/7"), "");
        assert_eq!(refusal("egress.allow_private", "10.0.0.0/8,tracker:8080"), "");
    }

    #[test]
    fn a_key_for_a_provider_in_the_same_network_is_taken() {
        for host in ["127.0.0.1:11434", "[::1]:11434", "10.1.2.3", "ollama:11434", "models.example.internal"] {
            let url = format!("http://{host}/v1");
            let set = [SAFE.as_slice(), &[("models.gpu.base_url", &url), ("models.gpu.api_key", "some-key")]].concat();
            assert!(refuse_unsafe(&settings(&set)).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_key_that_goes_to_a_provider_in_the_clear_is_named() {
        for host in ["models.example.org", "9.9.9.9:8080"] {
            let url = format!("http://{host}/v1");
            let set = [SAFE.as_slice(), &[("models.gpu.base_url", &url), ("models.gpu.api_key", "some-key")]].concat();
            let told = refuse_unsafe(&settings(&set)).unwrap_err().to_string();
            assert!(told.starts_with("models.gpu.base_url") && told.lines().count() == 1, "{host}: {told}");
        }
    }

    #[test]
    fn every_unsafe_setting_is_named() {
        let unsafe_settings = [
            ("security.master_key", "00000000000000000000000000000000000000000000000000000000000000ff"),
            ("security.master_key", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
            ("server.public_url", "http://devskyy.example.org"),
            ("server.trusted_proxies", "0.0.0.0/0"),
            ("server.trusted_proxies", "10.0.0.0/8,::/0"),
            ("server.trusted_proxies", "0.0.0.0/1,128.0.0.0/1"),
            ("server.trusted_proxies", "2000::/3"),
            ("limits.reads", "0"),
            ("limits.writes", "0"),
            ("limits.anonymous", "0"),
            ("egress.allow_private", "0.0.0.0/0"),
            ("egress.allow_private", "tracker:8080,::/0"),
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
