//! JSON Schema: checks of schemas, and validation of documents within limits.

mod meter;
mod survey;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::workflow::{SchemaViolation, Schemas};
use devskyy_domain::kernel::Json;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use self::{
    meter::{METER, metered},
    survey::{Survey, survey},
};
use super::{
    budget::{self, Exhausted, Limits},
    cache::Cache,
    threads::{Threads, Unanswered},
};

/// Number of threads for validation.
const COUNT: usize = 2;
/// Their stack size; only what is used takes memory.
const STACK: usize = 64 << 20;
/// Estimated maximum bytes of all compiled schemas.
const KEPT: usize = 128 << 20;
/// Maximum number of violations reported.
const MOST_VIOLATIONS: usize = 20;
/// Maximum characters of a message.
const MOST_MESSAGE: usize = 300;
/// Maximum bytes of a schema as text.
const MAX_SCHEMA: usize = 65_536;
/// Maximum size of a compiled regular expression.
const MAX_REGEX: usize = 1 << 18;
/// Maximum size of all regular expressions of a schema, divided among them.
const MAX_REGEXES: usize = 1 << 20;

/// The limits for finding out whether a document is valid.
const ANSWER: Limits = Limits { steps: 4_000_000, stack: 48 << 20, ..Limits::DEFAULT };
/// The limits for finding the violations. Each step may find several, and all of them are in memory until the last is
/// found.
const REASONS: Limits = Limits { steps: 200_000, ..ANSWER };
/// How long to wait for a result: it checks its own time limit only between two steps.
const PATIENCE: Duration = Duration::from_secs(40);

/// Validates against JSON Schema (draft 2020-12): references stay within the schema, patterns take linear time.
///
/// A schema that would validate one value against thousands of subschemas is refused when it is checked. Validation is
/// metered and aborted when it becomes too expensive.
pub struct JsonSchemas {
    compiled: Arc<Cache<Compiled>>,
    threads: Threads,
}

/// A compiled schema.
struct Compiled {
    validator: Validator,
    weight: usize,
}

impl JsonSchemas {
    /// Starts the threads; no schema is compiled yet.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start() -> std::io::Result<Self> {
        let compiled = Arc::new(Cache::weighing(KEPT, |compiled: &Compiled| compiled.weight));
        Ok(Self { compiled, threads: Threads::start("schemas", COUNT, STACK)? })
    }

    async fn there(
        &self,
        schema: &Json,
        job: impl FnOnce(&Compiled) -> Result<(), Vec<SchemaViolation>> + Send + 'static,
    ) -> Result<(), Vec<SchemaViolation>> {
        let (cache, schema) = (self.compiled.clone(), schema.clone());
        let answered = self.threads.run(PATIENCE, move || known(&cache, &schema).and_then(|it| job(&it))).await;
        answered.unwrap_or_else(|unanswered| {
            Err(whole(match unanswered {
                Unanswered::Failed => "it made the validator fail",
                Unanswered::Late => "it takes too long to check",
            }))
        })
    }
}

#[async_trait]
impl Schemas for JsonSchemas {
    async fn check(&self, schema: &Json) -> Result<(), Vec<SchemaViolation>> {
        self.there(schema, |_| Ok(())).await
    }

    async fn validate(&self, schema: &Json, document: &Json) -> Result<(), Vec<SchemaViolation>> {
        let document = document.clone();
        self.there(schema, move |compiled| {
            let document = serde_json::to_value(&document).map_err(|error| whole(error.to_string()))?;
            fits(&compiled.validator, &document)
        })
        .await
    }
}

fn known(cache: &Cache<Compiled>, schema: &Json) -> Result<Arc<Compiled>, Vec<SchemaViolation>> {
    let text = serde_json::to_string(schema).map_err(|error| whole(error.to_string()))?;
    if text.len() > MAX_SCHEMA {
        return Err(whole(format!("a schema may be at most {MAX_SCHEMA} bytes long")));
    }
    cache.get(&text, compile)
}

fn compile(text: &str) -> Result<Compiled, Vec<SchemaViolation>> {
    let mut schema: Value = serde_json::from_str(text).map_err(|error| whole(error.to_string()))?;
    let meta = jsonschema::draft202012::meta::validator();
    let violations: Vec<_> = meta.iter_errors(&schema).take(MOST_VIOLATIONS).map(|e| violation(&e)).collect();
    if !violations.is_empty() {
        return Err(violations);
    }
    let Survey { places, patterns } = survey(&schema).map_err(|found| vec![found])?;
    metered(&mut schema, &places);
    let share = MAX_REGEX.min(MAX_REGEXES / patterns.max(1));
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_keyword(METER, meter::keyword)
        .with_pattern_options(PatternOptions::regex().size_limit(share).dfa_size_limit(4 * share))
        .build(&schema)
        .map_err(|error| vec![violation(&error)])?;
    // A keyword takes some dozens of bytes per byte of its text; a pattern is compiled for both directions.
    Ok(Compiled { validator, weight: 64 * text.len() + 2 * share * patterns })
}

fn fits(validator: &Validator, document: &Value) -> Result<(), Vec<SchemaViolation>> {
    let unfinished = |what: &str, reason: Exhausted| whole(format!("{what}: {reason}"));
    match within(&ANSWER, || validator.is_valid(document)) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let found = within(&REASONS, || {
                validator.iter_errors(document).take(MOST_VIOLATIONS).map(|error| violation(&error)).collect()
            });
            Err(found.unwrap_or_else(|reason| unfinished("the schema is broken, but where was not found out", reason)))
        }
        Err(reason) => Err(unfinished("whether the schema is kept was not found out", reason)),
    }
}

/// Runs a metered function, and aborts it if it exceeds the limits.
fn within<T>(limits: &Limits, run: impl FnOnce() -> T) -> Result<T, Exhausted> {
    let run = AssertUnwindSafe(|| {
        budget::start(limits);
        run()
    });
    std::panic::catch_unwind(run).map_err(|stopped| match stopped.downcast::<Exhausted>() {
        Ok(reason) => *reason,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn whole(message: impl Into<String>) -> Vec<SchemaViolation> {
    vec![SchemaViolation { pointer: String::new(), message: message.into() }]
}

/// Describes a violation without repeating the value, which may be secret or huge; the pointer identifies it.
fn violation(error: &ValidationError<'_>) -> SchemaViolation {
    let message = error.masked().to_string().chars().take(MOST_MESSAGE).collect();
    SchemaViolation { pointer: error.instance_path().to_string(), message }
}
