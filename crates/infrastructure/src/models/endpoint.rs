use std::time::Duration;

use devskyy_domain::models::ProviderKind;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

/// The version of Anthropic's API (header `anthropic-version`).
const ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The endpoint of a provider.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its API.
    pub kind: ProviderKind,
    /// Its base URL, without a trailing slash.
    pub base_url: String,
    /// Its API key; local servers need none.
    pub key: Option<SecretString>,
    /// Whether the address is from the operator's configuration; the egress policy applies to all others.
    pub trusted: bool,
    /// Timeout of the first byte of an answer; the default if `None`.
    pub first_byte: Option<Duration>,
}

/// Timeouts of a provider's silence.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until the first byte of an answer; long, because a local server first processes the whole conversation.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(180), idle: Duration::from_secs(60) }
    }
}

impl Endpoint {
    /// The URL of requests.
    pub(super) fn questions(&self) -> String {
        match self.kind {
            ProviderKind::OpenAi => format!("{}/chat/completions", self.base_url),
            ProviderKind::Anthropic => format!("{}/v1/messages", self.anthropic_root()),
        }
    }

    /// The URL of the list of models.
    pub(super) fn models(&self) -> String {
        match self.kind {
            ProviderKind::OpenAi => format!("{}/models", self.base_url),
            ProviderKind::Anthropic => format!("{}/v1/models", self.anthropic_root()),
        }
    }

    /// Base URLs are configured with and without the version.
    fn anthropic_root(&self) -> &str {
        self.base_url.strip_suffix("/v1").unwrap_or(&self.base_url)
    }

    /// The authentication headers; `None` if the key is not a valid header value.
    pub(super) fn credentials(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        if self.kind == ProviderKind::Anthropic {
            headers.insert(HeaderName::from_static("anthropic-version"), ANTHROPIC_VERSION);
        }
        if let Some(key) = &self.key {
            let key = key.expose_secret();
            let (name, text) = match self.kind {
                ProviderKind::OpenAi => (AUTHORIZATION, format!("Bearer {key}")),
                ProviderKind::Anthropic => (HeaderName::from_static("x-api-key"), key.to_owned()),
            };
            let mut value = HeaderValue::from_str(&text).ok()?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Some(headers)
    }

    /// A text from the provider, shortened and with the key removed.
    pub(super) fn told(&self, text: &str) -> String {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        let text = match &self.key {
            Some(key) if !key.expose_secret().is_empty() => text.replace(key.expose_secret(), "********"),
            Some(_) | None => text,
        };
        text.chars().take(300).collect()
    }
}
