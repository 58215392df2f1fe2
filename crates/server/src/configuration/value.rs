use std::net::IpAddr;

use chrono::{DateTime, Utc};
use devskyy_api::Network;
use devskyy_application::models::ProviderSecret;
use devskyy_domain::models::ProviderUrl;
use tracing_subscriber::EnvFilter;

/// The kind of values of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Non-empty text.
    Text,
    /// An IP address.
    Address,
    /// A URL that may contain a password.
    Url,
    /// A secret; never shown.
    Secret,
    /// A credential of an external service; never shown.
    Credential,
    /// An `http` or `https` URL without secrets.
    Place,
    /// An integer.
    Integer {
        /// The minimum.
        min: i64,
        /// The maximum.
        max: i64,
    },
    /// A boolean.
    Boolean,
    /// One of a fixed set of words.
    Choice(&'static [&'static str]),
    /// A list of texts.
    List,
    /// A list of networks and addresses.
    Networks,
    /// Scheme, host and port.
    Origin,
    /// A list of origins, or `*` for all.
    Origins,
    /// Log directives.
    Directives,
    /// A time in RFC 3339.
    Instant,
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Any text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
    /// A list of texts.
    List(Vec<String>),
}

impl Kind {
    /// Parses a value from the environment or a flag.
    ///
    /// # Errors
    /// A description of valid values.
    pub fn parse(self, raw: &str) -> Result<Value, String> {
        let value = match self {
            Self::Integer { .. } => raw.trim().parse().map(Value::Integer).map_err(|_| self.must_be())?,
            Self::Boolean => raw.trim().parse().map(Value::Boolean).map_err(|_| self.must_be())?,
            Self::List | Self::Networks | Self::Origins => {
                Value::List(raw.split(',').map(str::trim).filter(|item| !item.is_empty()).map(String::from).collect())
            }
            Self::Text
            | Self::Address
            | Self::Url
            | Self::Secret
            | Self::Credential
            | Self::Place
            | Self::Choice(_)
            | Self::Origin
            | Self::Directives
            | Self::Instant => Value::Text(raw.to_owned()),
        };
        self.check(value)
    }

    /// Converts a value from a file.
    ///
    /// # Errors
    /// A description of valid values.
    pub fn accept(self, raw: &toml::Value) -> Result<Value, String> {
        let value = match (self, raw) {
            (Self::Integer { .. }, toml::Value::Integer(number)) => Value::Integer(*number),
            (Self::Boolean, toml::Value::Boolean(truth)) => Value::Boolean(*truth),
            (Self::List | Self::Networks | Self::Origins, toml::Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map(String::from)).collect::<Option<Vec<_>>>();
                Value::List(texts.ok_or_else(|| self.must_be())?)
            }
            (Self::Integer { .. } | Self::Boolean | Self::List | Self::Networks | Self::Origins, _) => {
                return Err(self.must_be());
            }
            (_, toml::Value::String(text)) => Value::Text(text.clone()),
            (_, _) => return Err(self.must_be()),
        };
        self.check(value)
    }

    fn check(self, value: Value) -> Result<Value, String> {
        let fits = match (self, &value) {
            (Self::Integer { min, max }, Value::Integer(number)) => (min..=max).contains(number),
            (Self::Address, Value::Text(text)) => text.parse::<IpAddr>().is_ok(),
            (Self::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Self::Networks, Value::List(items)) => items.iter().all(|item| Network::parse(item).is_some()),
            (Self::Directives, Value::Text(text)) => !text.is_empty() && EnvFilter::try_new(text).is_ok(),
            (Self::Secret, Value::Text(text)) => text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            (Self::Url, Value::Text(text)) => {
                ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) || is_sqlite_file(text)
            }
            (Self::Instant, Value::Text(text)) => text.parse::<DateTime<Utc>>().is_ok(),
            (Self::Origin, Value::Text(text)) => is_origin(text),
            (Self::Origins, Value::List(items)) => items.iter().all(|item| item == "*" || is_origin(item)),
            (Self::Credential, Value::Text(text)) => ProviderSecret::parse(text).is_ok(),
            (Self::Place, Value::Text(text)) => ProviderUrl::parse(text).is_ok(),
            (Self::Text, Value::Text(text)) => !text.trim().is_empty(),
            _ => true,
        };
        if fits { Ok(value) } else { Err(self.must_be()) }
    }

    /// Describes the valid values.
    #[must_use]
    pub fn must_be(self) -> String {
        match self {
            Self::Text => "text that is not empty".to_owned(),
            Self::Address => "an IP address such as 127.0.0.1 or 0.0.0.0".to_owned(),
            Self::Url => "a postgres:// URL, or sqlite: and the path of a file without `?`, `#` and `%`".to_owned(),
            Self::Secret => "64 hexadecimal digits, for example from `openssl rand -hex 32`".to_owned(),
            Self::Credential => "1 to 4096 visible ASCII characters without spaces".to_owned(),
            Self::Place => "an http:// or https:// URL without user name, query and fragment".to_owned(),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Boolean => "true or false".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::List => "a list of strings".to_owned(),
            Self::Networks => "a list of addresses and networks such as 10.0.0.0/8".to_owned(),
            Self::Instant => "an RFC 3339 time, for example 2027-01-31T00:00:00Z".to_owned(),
            Self::Origin => {
                "scheme, host and port in lower case and no path, such as https://devskyy.example.org".to_owned()
            }
            Self::Origins => "a list of origins such as https://console.example.org, or `*`".to_owned(),
            Self::Directives => {
                "a level (error, warn, info, debug, trace) or directives such as info,sqlx=warn".to_owned()
            }
        }
    }

    /// The value for display: secrets are masked, and so are passwords in URLs.
    #[must_use]
    pub fn shown(self, value: &Value) -> Value {
        match (self, value) {
            (Self::Secret | Self::Credential, _) => Value::Text(MASK.to_owned()),
            (Self::Url, Value::Text(url)) => Value::Text(without_password(url)),
            _ => value.clone(),
        }
    }
}

/// Whether a text is `sqlite:` or `sqlite://` followed by a file's path. Parameters and escapes would become part of
/// the path and select another, empty database.
fn is_sqlite_file(text: &str) -> bool {
    let Some(path) = text.strip_prefix("sqlite:") else { return false };
    let path = path.strip_prefix("//").unwrap_or(path);
    !path.is_empty()
        && ![":memory:", "file:"].iter().any(|other| path.starts_with(other))
        && !path.contains(['?', '#', '%'])
}

/// Whether a text is a serialised origin (RFC 6454): only scheme, host and port.
fn is_origin(text: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(text) else { return false };
    matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
}

const MASK: &str = "********";

/// A URL with its password masked, also in a parameter.
#[must_use]
pub fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, tail) = rest.find(['/', '?']).map_or((rest, ""), |end| rest.split_at(end));
    let authority = match authority.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:{MASK}@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let tail = match tail.split_once("password=") {
        Some((before, after)) => {
            let kept = after.find('&').map_or("", |end| &after[end..]);
            format!("{before}password={MASK}{kept}")
        }
        None => tail.to_owned(),
    };
    if scheme.is_empty() { format!("{authority}{tail}") } else { format!("{scheme}://{authority}{tail}") }
}

#[cfg(test)]
mod tests {
    use super::{is_origin, is_sqlite_file, without_password};

    #[test]
    fn a_path_is_what_a_sqlite_url_names() {
        assert!(["sqlite:///var/lib/a.db", "sqlite:a.db", "sqlite://./a b.db"].into_iter().all(is_sqlite_file));
    }

    #[test]
    fn what_would_name_another_database_than_it_seems_to_is_no_sqlite_url() {
        let wrong = [
            "sqlite:///a.db?mode=ro",
            "sqlite:///a.db#x",
            "sqlite:///a%20b.db",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:file:a.db",
            "sqlite:",
            "sqlite://",
        ];
        for text in wrong {
            assert!(!is_sqlite_file(text), "{text}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_do() {
        assert!(is_origin("https://a.example.org") && is_origin("http://127.0.0.1:3000"));
    }

    #[test]
    fn what_browsers_never_send_is_no_origin() {
        for text in ["https://a.example.org/", "https://A.example.org", "https://a.example.org:443", "null", "ftp://a"]
        {
            assert!(!is_origin(text), "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_masked_wherever_it_stands() {
        assert_eq!(without_password("postgres://ada:p@ss@db:5432/sky"), "postgres://ada:********@db:5432/sky");
        assert_eq!(without_password("postgres://db/sky?password=x&a=b"), "postgres://db/sky?password=********&a=b");
    }

    #[test]
    fn a_url_without_a_password_stays_as_it_is() {
        assert_eq!(without_password("sqlite:///tmp/a.db"), "sqlite:///tmp/a.db");
    }
}
