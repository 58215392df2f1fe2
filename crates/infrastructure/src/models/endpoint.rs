use std::time::Duration;

use devskyy_domain::models::ProviderKind;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

/// The version of Anthropic's interface that is spoken (its header `anthropic-version`).
const ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// A provider as it is reached.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// What it speaks.
    pub kind: ProviderKind,
    /// Where it listens, without a slash at the end.
    pub base_url: String,
    /// With what it is paid; a local server wants none.
    pub key: Option<SecretString>,
    /// Whether the operator named the place, in the configuration file; the rules for requests hold for all others.
    pub trusted: bool,
    /// How long it may keep silent before the first byte of an answer; as long as any provider, where nobody said.
    pub first_byte: Option<Duration>,
}

/// How long a provider may keep silent.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Before the first byte of an answer; long, because a local server reads the whole conversation first.
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
    /// Where questions go.
    pub(super) fn questions(&self) -> String {
        match self.kind {
            ProviderKind::OpenAi => format!("{}/chat/completions", self.base_url),
            ProviderKind::Anthropic => format!("{}/v1/messages", self.anthropic_root()),
        }
    }

    /// Where the models are listed.
    pub(super) fn models(&self) -> String {
        match self.kind {
            ProviderKind::OpenAi => format!("{}/models", self.base_url),
            ProviderKind::Anthropic => format!("{}/v1/models", self.anthropic_root()),
        }
    }

    /// People write the address with and without the version.
    fn anthropic_root(&self) -> &str {
        self.base_url.strip_suffix("/v1").unwrap_or(&self.base_url)
    }

    /// The headers that say who asks; `None` where the key cannot stand in a header.
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

    /// A text of the provider's, short and without the key.
    pub(super) fn told(&self, text: &str) -> String {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        let text = match &self.key {
            Some(key) if !key.expose_secret().is_empty() => text.replace(key.expose_secret(), "********"),
            Some(_) | None => text,
        };
        text.chars().take(300).collect()
    }
}
