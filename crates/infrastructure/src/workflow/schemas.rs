use std::sync::Arc;

use devskyy_application::workflow::{SchemaViolation, Schemas};
use devskyy_domain::kernel::Json;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};

use super::cache::Cache;

/// Schemas kept compiled.
const KEPT: usize = 512;
/// Violations reported at most.
const MOST_VIOLATIONS: usize = 20;
/// Characters of a message.
const MOST_MESSAGE: usize = 300;
/// Bytes of a schema as text.
const MAX_SCHEMA: usize = 65_536;
/// Size of a compiled regular expression.
const MAX_REGEX: usize = 1 << 18;

/// Knows JSON Schema (draft 2020-12): references stay within the schema, patterns take time linear in the text.
pub struct JsonSchemas {
    compiled: Cache<Validator>,
}

impl Default for JsonSchemas {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonSchemas {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { compiled: Cache::new(KEPT) }
    }

    fn compiled(&self, schema: &Json) -> Result<Arc<Validator>, Vec<SchemaViolation>> {
        let text = serde_json::to_string(schema).map_err(|error| whole(error.to_string()))?;
        if text.len() > MAX_SCHEMA {
            return Err(whole(format!("a schema may be at most {MAX_SCHEMA} bytes long")));
        }
        self.compiled.get(&text, |text| {
            let schema: serde_json::Value = serde_json::from_str(text).map_err(|error| whole(error.to_string()))?;
            let meta = jsonschema::draft202012::meta::validator();
            let violations: Vec<_> = meta.iter_errors(&schema).take(MOST_VIOLATIONS).map(|e| violation(&e)).collect();
            if !violations.is_empty() {
                return Err(violations);
            }
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .offline()
                .with_pattern_options(PatternOptions::regex().size_limit(MAX_REGEX).dfa_size_limit(4 * MAX_REGEX))
                .build(&schema)
                .map_err(|error| vec![violation(&error)])
        })
    }
}

impl Schemas for JsonSchemas {
    fn check(&self, schema: &Json) -> Result<(), Vec<SchemaViolation>> {
        self.compiled(schema).map(drop)
    }

    fn validate(&self, schema: &Json, document: &Json) -> Result<(), Vec<SchemaViolation>> {
        let validator = self.compiled(schema)?;
        let document = serde_json::to_value(document).map_err(|error| whole(error.to_string()))?;
        let violations: Vec<_> =
            validator.iter_errors(&document).take(MOST_VIOLATIONS).map(|error| violation(&error)).collect();
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }
}

fn whole(message: String) -> Vec<SchemaViolation> {
    vec![SchemaViolation { pointer: String::new(), message }]
}

/// Says what is wrong without repeating the value: it may be secret or huge, and the pointer names it.
fn violation(error: &ValidationError<'_>) -> SchemaViolation {
    let message = error.masked().to_string().chars().take(MOST_MESSAGE).collect();
    SchemaViolation { pointer: error.instance_path().to_string(), message }
}
