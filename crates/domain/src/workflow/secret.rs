//! The places where secrets may be inserted: headers and bodies of tool requests, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    computed::{Computed, member, within},
    definition::{HttpRequest, Tool, Workflow},
    mcp::McpServer,
};
use crate::{kernel::Json, secrets::SecretName};

const WORD: &str = "secrets";

/// A secret is used other than by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write exactly `{{{{ secrets.name }}}}`, in the template of a header or of a value in a body")]
pub struct SecretMisused;

/// A tool's request with its templates.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent<'a> {
    /// JSON pointer to the object that contains the URL, the headers and the body.
    pub pointer: String,
    /// The URL.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a BTreeMap<String, String>,
    /// Its own body, if it has one.
    pub body: Option<&'a Json>,
}

impl<'a> Sent<'a> {
    /// The request of an `http` tool.
    pub(crate) fn request(name: &str, request: &'a HttpRequest) -> Self {
        let HttpRequest { url, headers, body, .. } = request;
        Self { pointer: member("/tools", name) + "/request", url, headers, body: body.as_ref() }
    }

    /// The request to the server of an `mcp` tool.
    pub(crate) fn server(name: &str, server: &'a McpServer) -> Self {
        Self { pointer: member("/tools", name) + "/server", url: &server.url, headers: &server.headers, body: None }
    }

    /// The computed texts in its headers and body, each with its JSON pointer.
    #[must_use]
    pub fn computed(&self) -> Vec<(String, Computed<'a>)> {
        let at = format!("{}/headers", self.pointer);
        let headers = self.headers.iter().map(|(name, template)| (member(&at, name), Computed::Template(template)));
        let body = self.body.into_iter().flat_map(|body| within(format!("{}/body", self.pointer), body).0);
        headers.chain(body).collect()
    }
}

impl<'a> Computed<'a> {
    /// Names of the secrets it inserts, as part of a header or body.
    ///
    /// # Errors
    /// [`SecretMisused`] if a template uses a secret in any other way, or a program mentions them: it sees none.
    pub fn secrets(self) -> Result<BTreeSet<&'a str>, SecretMisused> {
        match self {
            Self::Template(template) => secrets_in(template),
            Self::Program(program) if program_mentions(program) => Err(SecretMisused),
            Self::Program(_) => Ok(BTreeSet::new()),
        }
    }
}

impl Workflow {
    /// The requests that its tools send.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent<'_>> {
        let sent = self.tools.iter().filter_map(|(name, tool)| match tool {
            Tool::Http { request, .. } => Some(Sent::request(name, request)),
            Tool::Mcp { server, .. } => Some(Sent::server(name, server)),
            Tool::Builtin { .. } => None,
        });
        sent.collect()
    }
}

/// Names of the secrets that the template of a header, or of a value in a body, inserts.
///
/// Each must stand alone, so that the value is sent unchanged and can be recognised in a response.
///
/// # Errors
/// [`SecretMisused`] if the word is used in any other way.
pub fn secrets_in(template: &str) -> Result<BTreeSet<&str>, SecretMisused> {
    let (names, others) = inserted(template);
    if others.iter().any(|text| mentions(text)) { Err(SecretMisused) } else { Ok(names) }
}

/// Names of the secrets that the template of a URL would insert; there must be none.
#[must_use]
pub fn secrets_in_url(template: &str) -> BTreeSet<&str> {
    inserted(template).0
}

/// Names within `{{ secrets.name }}`, and the texts around them.
fn inserted(template: &str) -> (BTreeSet<&str>, Vec<&str>) {
    let (mut names, mut others, mut rest) = (BTreeSet::new(), Vec::new(), template);
    while let Some((before, opened)) = rest.split_once("{{") {
        others.push(before);
        let plain = opened.split_once("}}").and_then(|(inner, after)| Some((name(inner)?, after)));
        rest = match plain {
            Some((name, after)) => {
                names.insert(name);
                after
            }
            None => opened,
        };
    }
    others.push(rest);
    (names, others)
}

fn name(inner: &str) -> Option<&str> {
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    let inner = inner.strip_suffix(['-', '+']).unwrap_or(inner);
    let name = inner.trim().strip_prefix(WORD)?.strip_prefix('.')?;
    SecretName::parse(name).is_ok().then_some(name)
}

/// Whether the word occurs on its own; as a member of something else it does not count.
fn mentions(text: &str) -> bool {
    before_the_word(text).any(|before| !before.ends_with('.'))
}

/// The same for a jq program, in which a member of the input also begins with a point: `.secrets`.
fn program_mentions(program: &str) -> bool {
    let named = |c: char| letter(c) || matches!(c, ']' | ')' | '?' | '"');
    before_the_word(program).any(|before| before.strip_suffix('.').is_none_or(|of| !of.ends_with(named)))
}

/// The text before each occurrence of the word.
fn before_the_word(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(WORD).filter_map(|(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + WORD.len()..)?);
        (!before.ends_with(letter) && !after.starts_with(letter)).then_some(before)
    })
}

fn letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Computed, SecretMisused, secrets_in, secrets_in_url};

    #[test]
    fn secrets_are_named_by_the_templates_that_insert_them() {
        let template = "Basic {{ secrets.user }}:{{-secrets.pass_2 -}} for {{ arguments.secrets }}";
        assert_eq!(secrets_in(template), Ok(BTreeSet::from(["user", "pass_2"])));
    }

    #[test]
    fn a_secret_in_an_expression_is_refused() {
        for template in [
            "{{ secrets.key | upper }}",
            "{{ secrets['key'] }}",
            "{{ secrets }}",
            "{% set it = secrets %}{{ it.key }}",
            "{{ \"}}\" ~ secrets.key }}",
            "{{ secrets.key.first }}",
            "{% for it in [secrets] %}{{ it.key }}{% endfor %}",
        ] {
            assert_eq!(secrets_in(template), Err(SecretMisused), "{template}");
        }
    }

    #[test]
    fn a_program_that_reads_secrets_is_refused() {
        for program in [
            ".secrets.tracker",
            "\"Bearer \" + .secrets.tracker",
            "{key: .secrets}",
            ". | .secrets",
            ".[\"secrets\"]",
            ".\"secrets\".tracker",
            "$secrets",
        ] {
            assert_eq!(Computed::Program(program).secrets(), Err(SecretMisused), "{program}");
        }
    }

    #[test]
    fn a_program_may_read_a_member_of_its_arguments_that_is_called_so() {
        for program in [".arguments.secrets", ".arguments[0].secrets", ".arguments.mysecrets", ".secretsof"] {
            assert_eq!(Computed::Program(program).secrets(), Ok(BTreeSet::new()), "{program}");
        }
    }

    #[test]
    fn an_address_may_speak_of_secrets_without_inserting_one() {
        assert_eq!(secrets_in_url("https://vault.example.org/secrets/{{ arguments.name }}"), BTreeSet::new());
    }
}
