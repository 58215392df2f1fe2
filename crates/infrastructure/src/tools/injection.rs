//! Filling headers and bodies in: the only place where a secret meets a template.

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

/// Fills in what goes to one address.
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

    /// Fills one header in.
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

    /// Computes a value of the body. Its templates may insert secrets; its programs see none.
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

    /// A text with everything inserted, and whether a secret is in it.
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

    /// What to look out for in the answer.
    pub(super) fn done(self) -> Redaction {
        self.redaction
    }
}
