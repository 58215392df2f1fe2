//! Sandboxed jq programs: no access to files, network, environment or clock, and nothing unbounded.

mod access;
mod arithmetic;
mod natives;
mod regex;
mod syntax;
mod text;
mod value;

use std::{panic::AssertUnwindSafe, sync::LazyLock};

use devskyy_application::workflow::{EvaluationError, SyntaxError};
use devskyy_domain::kernel::Json;
use jaq_core::{
    Compiler, Ctx, DataT, Filter, Lut, Vars,
    data::HasLut,
    load::{Arena, File, Loader, parse::Def},
};

use super::budget::{self, Exhausted, Limits, Suspended};
use value::Value;

/// Longest program, in bytes.
const MAX_PROGRAM: usize = 8_192;

static PRELUDE: LazyLock<Vec<Def<&'static str>>> = LazyLock::new(|| {
    let own = jaq_core::load::parse(include_str!("defs.jq"), |parser| parser.defs()).unwrap_or_default();
    let library = jaq_core::defs().chain(jaq_std::defs());
    library.filter(|def| !natives::IMPURE_DEFINITIONS.contains(&def.name)).chain(own).collect()
});

/// The data types of programs.
struct Jq;

impl DataT for Jq {
    type V<'a> = Value;
    type Data<'a> = Context<'a>;
}

/// The context of a suspended computation.
#[derive(Clone)]
struct Context<'a> {
    table: &'a Lut<Jq>,
    _alive: Suspended,
}

impl<'a> HasLut<'a, Jq> for Context<'a> {
    /// Called before each step of a program, so steps are counted here.
    fn lut(&self) -> &'a Lut<Jq> {
        budget::descend();
        self.table
    }
}

/// A compiled program.
pub(super) struct Program(Filter<Jq>);

impl Program {
    /// Compiles a program. Needs a thread with a large stack: nesting recurses.
    pub(super) fn compile(code: &str) -> Result<Self, SyntaxError> {
        if code.len() > MAX_PROGRAM {
            return Err(syntax::error(format!("a program may be at most {MAX_PROGRAM} bytes long")));
        }
        syntax::refuse_deep_nesting(code)?;
        syntax::refuse_growing_recursion(code)?;
        let arena = Arena::default();
        let modules = Loader::new(PRELUDE.iter().cloned())
            .load(&arena, File { code, path: () })
            .map_err(|errors| syntax::unreadable(code, &errors))?;
        let filter = Compiler::default()
            .with_funs(natives::all())
            .compile(modules)
            .map_err(|errors| syntax::undefined(code, &errors))?;
        Ok(Self(filter))
    }

    /// Runs the program on a document; it must return exactly one result.
    pub(super) fn run(&self, input: &Json, limits: &Limits) -> Result<Json, EvaluationError> {
        let run = AssertUnwindSafe(|| {
            budget::start(limits);
            self.only_result(input, limits)
        });
        let outcome = std::panic::catch_unwind(run).unwrap_or_else(|stopped| {
            Err(match stopped.downcast_ref::<Exhausted>() {
                Some(reason) => format!("the program was stopped: {reason}"),
                None => "the program made the interpreter fail".to_owned(),
            })
        });
        outcome.map_err(|message| EvaluationError { message })
    }

    fn only_result(&self, input: &Json, limits: &Limits) -> Result<Json, String> {
        let context = Context { table: &self.0.lut, _alive: Suspended::new() };
        let context = Ctx::<Jq>::new(context, Vars::new([]));
        let mut results = self.0.id.run((context, Value::from_json(input)));
        let result = results.next().ok_or("the program gives no result; exactly one is expected")?;
        let value = result.map_err(|exception| match exception.get_err() {
            Ok(error) => error.to_string(),
            Err(_) => "the program breaks out of nothing".to_owned(),
        })?;
        if results.next().is_some() {
            return Err("the program gives several results; exactly one is expected".to_owned());
        }
        value.to_json(&mut limits.output.clone())
    }
}
