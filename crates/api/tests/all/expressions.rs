//! Stand-ins for jq, templates and JSON Schema: anything that contains the word `broken` is refused.

use async_trait::async_trait;
use devskyy_application::workflow::{EvaluationError, Expressions, SchemaViolation, Schemas, SyntaxError};
use devskyy_domain::kernel::Json;

pub(crate) struct Plain;

fn syntax(text: &str) -> Result<(), SyntaxError> {
    if text.contains("broken") { Err(SyntaxError { message: "it is broken".to_owned() }) } else { Ok(()) }
}

#[async_trait]
impl Expressions for Plain {
    async fn check_program(&self, program: &str) -> Result<(), SyntaxError> {
        syntax(program)
    }

    async fn check_template(&self, template: &str) -> Result<(), SyntaxError> {
        syntax(template)
    }

    async fn evaluate(&self, _program: &str, input: &Json) -> Result<Json, EvaluationError> {
        Ok(input.clone())
    }

    async fn render(&self, template: &str, _context: &Json) -> Result<String, EvaluationError> {
        Ok(template.to_owned())
    }
}

#[async_trait]
impl Schemas for Plain {
    async fn check(&self, schema: &Json) -> Result<(), Vec<SchemaViolation>> {
        let text = serde_json::to_string(schema).unwrap_or_default();
        let violation = |error: SyntaxError| SchemaViolation { pointer: String::new(), message: error.message };
        syntax(&text).map_err(|error| vec![violation(error)])
    }

    /// Supports one rule: a schema with `required` requires those members.
    async fn validate(&self, schema: &Json, document: &Json) -> Result<(), Vec<SchemaViolation>> {
        let wanted = schema.get("required").and_then(Json::as_array).unwrap_or_default();
        let missing = wanted.iter().filter_map(Json::as_str).filter(|name| document.get(name).is_none());
        let violations: Vec<_> = missing
            .map(|name| SchemaViolation { pointer: String::new(), message: format!("`{name}` is required") })
            .collect();
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }
}
