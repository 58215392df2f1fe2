//! Where secrets are inserted: into the headers and bodies of what tools send, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    computed::{Computed, member, within},
    definition::{HttpRequest, Tool, Workflow},
    mcp::McpServer,
};
use crate::{kernel::Json, secrets::SecretName};

const WORD: &str = "secrets";

/// A secret is used in another way than by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret stands alone in the template of a header or of a value in a body, as `{{{{ secrets.name }}}}`")]
pub struct SecretMisused;

/// What a tool sends, as templates.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent<'a> {
    /// JSON pointer to the object that holds the two.
    pub pointer: String,
    /// Where to.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a BTreeMap<String, String>,
    /// Its body, where it has one of its own.
    pub body: Option<&'a Json>,
}

impl<'a> Sent<'a> {
    /// What the `http` tool of a name sends.
    pub(crate) fn request(name: &str, request: &'a HttpRequest) -> Self {
        let HttpRequest { url, headers, body, .. } = request;
        Self { pointer: member("/tools", name) + "/request", url, headers, body: body.as_ref() }
    }

    /// What is sent to the server of an `mcp` tool.
    pub(crate) fn server(name: &str, server: &'a McpServer) -> Self {
        Self { pointer: member("/tools", name) + "/server", url: &server.url, headers: &server.headers, body: None }
    }

    /// Templates that may insert secrets, each with its JSON pointer: those of its headers, and those within its body.
    #[must_use]
    pub fn templates(&self) -> Vec<(String, &'a str)> {
        let at = format!("{}/headers", self.pointer);
        let headers = self.headers.iter().map(|(name, template)| (member(&at, name), template.as_str()));
        let body = self.body.into_iter().flat_map(|body| within(format!("{}/body", self.pointer), body).0);
        let body = body.filter_map(|(pointer, computed)| match computed {
            Computed::Template(template) => Some((pointer, template)),
            Computed::Program(_) => None,
        });
        headers.chain(body).collect()
    }
}

impl Workflow {
    /// What its tools send.
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
/// Each stands alone, so that what is sent is the value itself, which can be recognised where a service repeats it.
///
/// # Errors
/// [`SecretMisused`] where the word is used in any other way.
pub fn secrets_in(template: &str) -> Result<BTreeSet<&str>, SecretMisused> {
    let (names, others) = inserted(template);
    if others.iter().any(|text| mentions(text)) { Err(SecretMisused) } else { Ok(names) }
}

/// Names of the secrets that the template of an address would insert; there must be none.
#[must_use]
pub fn secrets_in_url(template: &str) -> BTreeSet<&str> {
    inserted(template).0
}

/// Names within `{{ secrets.name }}`, and the text around.
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

/// Whether the word stands by itself somewhere; as a member of something else it means nothing here.
fn mentions(text: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(WORD).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + WORD.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(|c| letter(c) || c == '.') && !after.is_some_and(letter)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SecretMisused, secrets_in, secrets_in_url};

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
    fn an_address_may_speak_of_secrets_without_inserting_one() {
        assert_eq!(secrets_in_url("https://vault.example.org/secrets/{{ arguments.name }}"), BTreeSet::new());
    }
}
