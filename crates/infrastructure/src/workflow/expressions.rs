use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::workflow::{EvaluationError, Expressions, SyntaxError};
use devskyy_domain::kernel::Json;

use super::{
    budget::Limits,
    cache::Cache,
    jq::Program,
    template::{Insertion, Template},
    threads::{Threads, Unanswered},
};

/// Stack size of the evaluating threads; only what is used takes memory.
const STACK: usize = 64 << 20;
/// Maximum number of compiled programs, and of templates.
const KEPT: usize = 512;
/// Additional time to wait for an evaluation: it checks its own time limit only between two steps.
const SLACK: Duration = Duration::from_secs(30);
/// Timeout for compiling a text.
const CHECK: Duration = Duration::from_secs(30);

/// Evaluates jq programs and templates on its own threads, within limits and without any I/O.
///
/// The same program on the same document gives the same result: a program has access to nothing that differs between
/// two evaluations.
pub struct SandboxedExpressions {
    compiled: Arc<Compiled>,
    evaluators: Threads,
    checker: Threads,
    limits: Limits,
}

struct Compiled {
    programs: Cache<Program>,
    templates: Cache<Template>,
    urls: Cache<Template>,
}

impl Compiled {
    fn template(&self, source: &str) -> Result<Arc<Template>, SyntaxError> {
        self.templates.get(source, |source| Template::compile(source, Insertion::Plain))
    }

    fn url(&self, source: &str) -> Result<Arc<Template>, SyntaxError> {
        self.urls.get(source, |source| Template::compile(source, Insertion::Url))
    }
}

impl SandboxedExpressions {
    /// Starts the threads: one per processor, at least two and at most eight.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(limits: Limits) -> std::io::Result<Self> {
        let count = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
        Ok(Self {
            compiled: Arc::new(Compiled {
                programs: Cache::new(KEPT),
                templates: Cache::new(KEPT),
                urls: Cache::new(KEPT),
            }),
            evaluators: Threads::start("expressions", count, STACK)?,
            checker: Threads::start("expressions-check", 1, STACK)?,
            limits,
        })
    }

    /// Renders the template of a URL: inserted values are percent-encoded.
    ///
    /// # Errors
    /// [`EvaluationError`] when it fails or takes too long.
    pub async fn render_url(&self, template: &str, context: &Json) -> Result<String, EvaluationError> {
        let (source, context) = (template.to_owned(), context.clone());
        self.evaluate_there(move |compiled, limits| {
            compiled.url(&source).map_err(unreadable)?.render(&context, limits.output)
        })
        .await
    }

    /// Compiles on a thread with a large stack: compilation recurses on nested text.
    async fn check(
        &self,
        text: &str,
        compile: impl FnOnce(&Compiled, &str) -> Result<(), SyntaxError> + Send + 'static,
    ) -> Result<(), SyntaxError> {
        let (compiled, text) = (self.compiled.clone(), text.to_owned());
        let checked = self.checker.run(CHECK, move || compile(&compiled, &text)).await;
        checked.unwrap_or_else(|unanswered| Err(SyntaxError { message: told(unanswered).to_owned() }))
    }

    async fn evaluate_there<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Compiled, &Limits) -> Result<T, EvaluationError> + Send + 'static,
    ) -> Result<T, EvaluationError> {
        let (compiled, limits) = (self.compiled.clone(), self.limits);
        let evaluated = self.evaluators.run(SLACK + limits.time, move || job(&compiled, &limits)).await;
        evaluated.unwrap_or_else(|unanswered| Err(EvaluationError { message: told(unanswered).to_owned() }))
    }
}

const fn told(unanswered: Unanswered) -> &'static str {
    match unanswered {
        Unanswered::Failed => "it made the interpreter fail",
        Unanswered::Late => "it takes too long",
    }
}

#[async_trait]
impl Expressions for SandboxedExpressions {
    async fn check_program(&self, program: &str) -> Result<(), SyntaxError> {
        self.check(program, |compiled, code| compiled.programs.get(code, Program::compile).map(drop)).await
    }

    async fn check_template(&self, template: &str) -> Result<(), SyntaxError> {
        self.check(template, |compiled, source| compiled.template(source).map(drop)).await
    }

    async fn evaluate(&self, program: &str, input: &Json) -> Result<Json, EvaluationError> {
        let (code, input) = (program.to_owned(), input.clone());
        self.evaluate_there(move |compiled, limits| {
            let program = compiled.programs.get(&code, Program::compile).map_err(unreadable)?;
            program.run(&input, limits)
        })
        .await
    }

    async fn render(&self, template: &str, context: &Json) -> Result<String, EvaluationError> {
        let (source, context) = (template.to_owned(), context.clone());
        self.evaluate_there(move |compiled, limits| {
            let template = compiled.template(&source).map_err(unreadable)?;
            template.render(&context, limits.output)
        })
        .await
    }
}

fn unreadable(error: SyntaxError) -> EvaluationError {
    EvaluationError { message: error.message }
}
