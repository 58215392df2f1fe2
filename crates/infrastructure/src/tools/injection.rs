//! Rendering of headers and bodies: the only place where templates see secrets.

use std::collections::BTreeMap;

use devskyy_application::workflow::{Expressions as _, ToolError, ToolSecrets};
use devskyy_domain::{
    kernel::{Json, ids::ProjectId},
    workflow::{Computed, computed, filled, secrets_in},
};
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};

use super::{builtin::permanent, redaction::Redaction, request::header};
use crate::workflow::SandboxedExpressions;

/// Renders the parts of a request to one URL.
pub(super) struct Injection<'a> {
    expressions: &'a SandboxedExpressions,
    secrets: &'a dyn ToolSecrets,
    project: ProjectId,
    url: &'a Url,
    redaction: Redaction,
}

impl<'a> Injection<'a> {
    pub(super) fn new(
        expressions: &'a SandboxedExpressions,
        secrets: &'a dyn ToolSecrets,
        project: ProjectId,
        url: &'a Url,
    ) -> Self {
        Self { expressions, secrets, project, url, redaction: Redaction::default() }
    }

    /// Renders one header.
    pub(super) async fn header(
        &mut self,
        name: &str,
        template: &str,
        context: &Json,
    ) -> Result<(HeaderName, HeaderValue), ToolError> {
        let (rendered, secret) = self.rendered(&format!("the header `{name}`"), template, context).await?;
        let (name, mut value) = header(name, &rendered)?;
        value.set_sensitive(secret);
        Ok((name, value))
    }

    /// Computes a value of the body. Its templates may insert secrets; its programs cannot see them.
    pub(super) async fn value(&mut self, value: &Json, context: &Json) -> Result<Json, ToolError> {
        let mut results = Vec::new();
        for computed in computed(value) {
            results.push(match computed {
                Computed::Program(program) => {
                    let result = self.expressions.evaluate(program, context).await;
                    result.map_err(|error| permanent("tool.jq", format!("the body: {}", error.message)))?
                }
                Computed::Template(template) => Json::from(self.rendered("the body", template, context).await?.0),
            });
        }
        Ok(filled(value, &mut results.into_iter()))
    }

    /// The rendered text, and whether it contains a secret.
    async fn rendered(&mut self, what: &str, template: &str, context: &Json) -> Result<(String, bool), ToolError> {
        let wrong = |why: &str| permanent("tool.template", format!("{what}: {why}"));
        let names = secrets_in(template).map_err(|misused| wrong(&misused.to_string()))?;
        let rendered = if names.is_empty() {
            self.expressions.render(template, context).await
        } else {
            let mut opened = BTreeMap::new();
            for name in &names {
                opened.insert((*name).to_owned(), Json::from(self.open(name).await?));
            }
            let mut members = context.as_object().cloned().unwrap_or_default();
            members.insert("secrets".to_owned(), Json::Object(opened));
            self.expressions.render(template, &Json::Object(members)).await
        };
        Ok((rendered.map_err(|error| wrong(&error.message))?, !names.is_empty()))
    }

    async fn open(&mut self, name: &str) -> Result<String, ToolError> {
        let found = self.secrets.open(self.project, name).await.map_err(|error| {
            tracing::warn!(%error, "a secret cannot be opened");
            let (code, message) = ("tool.secret_unavailable".to_owned(), format!("the secret `{name}` cannot be read"));
            ToolError::Transient { code, message, retry_after: None }
        })?;
        let missing = || permanent("tool.secret_unknown", format!("the project has no secret `{name}`"));
        let secret = found.ok_or_else(missing)?;
        let host = self.url.host_str().unwrap_or_default();
        if !secret.hosts.allow(host, self.url.port()) {
            return Err(permanent("tool.secret_host", format!("the secret `{name}` may not be sent to `{host}`")));
        }
        let text = secret.value.expose().to_owned();
        self.redaction.add(name, &secret.value);
        Ok(text)
    }

    /// The redaction to apply to the response.
    pub(super) fn done(self) -> Redaction {
        self.redaction
    }
}
