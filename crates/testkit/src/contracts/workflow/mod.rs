//! The contract of the workflow language: expressions, schemas, tools and destinations.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

mod destinations;
mod expressions;
mod schemas;
mod tools;

use std::{collections::BTreeMap, sync::Arc};

pub use destinations::*;
use devskyy_application::workflow::{Destinations, Expressions, Schemas, ToolDescriptions, ToolExecutor};
use devskyy_domain::{
    kernel::Json,
    workflow::{McpServer, Tool},
};
pub use expressions::*;
pub use schemas::*;
pub use tools::*;

use crate::fakes::{NamedDestinations, PathExpressions, PlainSchemas, ScriptedTools};

/// The adapters of the workflow language.
pub struct WorkflowUnderTest {
    /// Programs and templates.
    pub expressions: Arc<dyn Expressions>,
    /// JSON Schema.
    pub schemas: Arc<dyn Schemas>,
    /// Egress rules.
    pub destinations: Arc<dyn Destinations>,
    /// Tools.
    pub tools: Arc<dyn ToolExecutor>,
    /// Descriptions of servers' tools.
    pub descriptions: Arc<dyn ToolDescriptions>,
    /// The kind of tool that calls the services.
    pub kind: fn(&str, Option<Json>) -> Tool,
    /// A server with a tool called `find`.
    pub server: McpServer,
    /// The URLs of services with known behaviour.
    pub services: Services,
    /// Number of requests that have reached the services.
    pub asked: Arc<dyn Fn() -> usize + Send + Sync>,
}

impl WorkflowUnderTest {
    /// The in-memory adapters.
    #[must_use]
    pub fn in_memory() -> Self {
        let tools = Arc::new(ScriptedTools::default());
        let counted = tools.clone();
        Self {
            expressions: Arc::new(PathExpressions),
            schemas: Arc::new(PlainSchemas),
            destinations: Arc::new(NamedDestinations),
            tools: tools.clone(),
            descriptions: tools,
            kind: http,
            server: McpServer { url: "echo".into(), tool: "find".into(), headers: BTreeMap::new(), timeout_s: 1 },
            services: Services {
                answers: "echo".into(),
                refuses: "broken".into(),
                overloaded: "flaky".into(),
                away: "down".into(),
                silent: "lost".into(),
                forbidden: "forbidden".into(),
            },
            asked: Arc::new(move || counted.made().len()),
        }
    }
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// Creates a test for each promise of the workflow language.
#[macro_export]
macro_rules! workflow_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) workflow] =>
            a_path_leads_to_a_member,
            a_missing_member_is_null,
            a_comparison_is_true_or_false,
            a_sound_program_is_accepted,
            a_program_that_does_not_parse_is_refused,
            a_program_that_does_not_parse_is_not_run,
            a_program_that_fails_says_so,
            a_program_without_a_result_fails,
            a_program_with_several_results_fails,
            a_template_is_filled_in,
            a_sound_template_is_accepted,
            a_template_that_does_not_parse_is_refused,
            an_unknown_name_in_a_template_fails,
            a_document_that_fits_its_schema_passes,
            a_schema_without_rules_takes_everything,
            a_missing_member_is_told_at_its_object,
            a_wrong_type_is_told_at_its_member,
            what_is_no_schema_is_refused_at_its_place,
            violations_are_few_and_short,
            a_public_name_over_https_may_be_reached,
            an_address_that_is_not_public_is_refused,
            plain_http_is_refused,
            credentials_in_an_address_are_refused,
            what_is_no_address_is_refused,
            what_is_not_written_out_is_left_open,
            an_answer_is_given_back,
            a_refusal_is_permanent,
            a_server_says_what_its_tool_is,
            a_tool_the_server_does_not_have_is_not_described,
            an_overload_passes_and_tells_when,
            a_service_that_is_away_may_come_back,
            without_an_answer_the_outcome_is_unknown,
            a_forbidden_destination_is_not_asked,
            arguments_that_break_the_schema_are_not_sent,
            a_builtin_template_is_filled_in,
        }
    };
}
