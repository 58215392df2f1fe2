//! A session with a server, from the handshake to its end. There is one per call, so that no session has to outlive a
//! process in which a run is executed.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_application::workflow::{ToolDescription, ToolError};
use devskyy_domain::{
    kernel::{Json, ids::ProjectId},
    workflow::{Effect, McpServer},
};
use rmcp::{
    RoleClient,
    model::{ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, ProtocolVersion},
    service::{ClientLifecycleMode, RunningService, serve_client_with_lifecycle},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};

use super::{
    super::{builtin::permanent, injection::Injection, redaction::Redaction, request::parse_url},
    MAX_MESSAGE, Reach, document, failure,
};

/// Timeout for closing a session.
const GOODBYE: Duration = Duration::from_secs(1);
/// Maximum number of pages of a tool list.
const MAX_PAGES: usize = 20;
/// Maximum bytes of an error that are read: more than is shown plus the longest secret, so that no secret is cut.
const MAX_FAULT: usize = 64 << 10;
/// Maximum characters of a description.
const MAX_DESCRIPTION: usize = 4_096;

pub(super) struct Session {
    pub(super) service: RunningService<RoleClient, ClientConfig>,
    pub(super) redaction: Redaction,
}

impl Session {
    /// Connects and negotiates a revision: the current one, or the one before.
    pub(super) async fn open(reach: &Reach<'_>, project: ProjectId, server: &McpServer) -> Result<Self, ToolError> {
        let url = parse_url(&server.url)?;
        let client = reach.http.client(&url)?.clone();
        let mut injection = Injection::new(reach.expressions, reach.secrets, project, &url);
        let (mut headers, nothing) = (HashMap::new(), Json::Object(Default::default()));
        for (name, template) in &server.headers {
            let (name, value) = injection.header(name, template, &nothing).await?;
            headers.insert(name, value);
        }
        let redaction = injection.done();
        let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
            .custom_headers(headers)
            .max_sse_event_size(MAX_MESSAGE)
            .max_json_response_size(MAX_MESSAGE)
            .max_error_response_size(MAX_FAULT);
        let transport = StreamableHttpClientTransport::with_client(client, config);
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: Some(ProtocolVersion::V_2025_11_25),
        };
        let own = Implementation::new("devskyy", env!("CARGO_PKG_VERSION"));
        let own = ClientConfig::new(ClientCapabilities::default(), own);
        match serve_client_with_lifecycle(own, transport, lifecycle).await {
            Ok(service) => Ok(Self { service, redaction }),
            Err(error) => Err(failure::opening(&error, &redaction, reach.now)),
        }
    }

    /// The server's description of a tool.
    pub(super) async fn describe(&self, name: &str, now: DateTime<Utc>) -> Result<ToolDescription, ToolError> {
        let mut page = None;
        for _ in 0..MAX_PAGES {
            let listed = self.service.list_tools(page).await;
            let failed = |error| failure::calling(&error, Effect::ReadOnly, &self.redaction, now);
            let listed = listed.map_err(failed)?;
            if let Some(tool) = listed.tools.into_iter().find(|tool| tool.name == name) {
                let said = tool.description.map(Cow::into_owned);
                let description = said.map(|text| self.redaction.text(text).chars().take(MAX_DESCRIPTION).collect());
                let input_schema = document(&*tool.input_schema, Effect::ReadOnly, &self.redaction)?;
                return Ok(ToolDescription { description, input_schema });
            }
            let Some(next) = listed.next_cursor else { break };
            page = Some(PaginatedRequestParams::default().with_cursor(Some(next)));
        }
        Err(permanent("tool.mcp_tool_unknown", format!("the server has no tool `{name}`")))
    }

    /// Closes the session; errors of the server are only logged.
    pub(super) async fn close(mut self) {
        if let Err(error) = self.service.close_with_timeout(GOODBYE).await {
            tracing::debug!(%error, "a session with a server of tools did not end well");
        }
    }
}
