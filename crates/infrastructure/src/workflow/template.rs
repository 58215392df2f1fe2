//! Sandboxed templates: no files, no other templates, errors for unknown names, and metered work.

use devskyy_application::workflow::{EvaluationError, SyntaxError};
use devskyy_domain::kernel::Json;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior,
    syntax::SyntaxConfig,
    value::{Serde, Value},
};

use crate::percent::percent_encoded;

/// Maximum bytes of a template.
const MAX_TEMPLATE: usize = 65_536;
/// The fuel of one rendering: an instruction costs one unit, and so do 64 bytes of data.
const FUEL: u64 = 1_000_000;
const NAME: &str = "template";

/// Characters besides letters and digits that are literal in every part of a URL (RFC 3986, section 2.3).
const UNRESERVED: &[u8] = b"-._~";

/// How values are inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insertion {
    /// Unchanged.
    Plain,
    /// Percent-encoded, so that they stay within their part of the URL.
    Url,
}

/// A compiled template.
pub(super) struct Template {
    environment: Environment<'static>,
}

impl Template {
    /// Compiles a template.
    pub(super) fn compile(source: &str, insertion: Insertion) -> Result<Self, SyntaxError> {
        if source.len() > MAX_TEMPLATE {
            return Err(SyntaxError { message: format!("a template may be at most {MAX_TEMPLATE} bytes long") });
        }
        let unreadable = |error: &Error| SyntaxError { message: describe(error) };
        let mut environment = Environment::new();
        // Trailing newlines are kept.
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build().map_err(|error| unreadable(&error))?;
        environment.set_syntax(syntax);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_recursion_limit(64);
        environment.set_fuel(Some(FUEL));
        environment.remove_global("debug");
        if insertion == Insertion::Url {
            environment.set_formatter(|out, _, value| {
                let text = if value.is_none() { String::new() } else { value.to_string() };
                out.write_str(&percent_encoded(&text, UNRESERVED)).map_err(Error::from)
            });
        }
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| unreadable(&error))?;
        refuse_unknown_filters(&environment, source)?;
        Ok(Self { environment })
    }

    /// Renders the template over the members of a document.
    pub(super) fn render(&self, context: &Json, most: usize) -> Result<String, EvaluationError> {
        let failed = |message| EvaluationError { message };
        let template = self.environment.get_template(NAME).map_err(|error| failed(describe(&error)))?;
        let text = template.render(Value::from(Serde(context))).map_err(|error| failed(describe(&error)))?;
        if text.len() > most {
            return Err(failed(format!("the text is longer than {most} bytes")));
        }
        Ok(text)
    }
}

/// Refuses unknown filters, which the engine would only report when it evaluates them.
fn refuse_unknown_filters(environment: &Environment<'_>, source: &str) -> Result<(), SyntaxError> {
    if source.contains("raw") {
        return Ok(());
    }
    for (line, name) in filters(source) {
        let known = environment
            .compile_expression("name is filter")
            .and_then(|known| known.eval(Value::from_pairs([("name", name)])))
            .is_ok_and(|known| known.is_true());
        if !known {
            return Err(SyntaxError { message: format!("line {line}: there is no filter `{name}`") });
        }
    }
    Ok(())
}

/// Names after a pipe inside `{{ … }}` and `{% … %}`, outside of strings, with their lines.
fn filters(source: &str) -> Vec<(usize, &str)> {
    let (mut found, mut inside, mut quote, mut line) = (Vec::new(), false, None, 1);
    let mut characters = source.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        line += usize::from(c == '\n');
        match (quote, c) {
            (Some(_), '\\') => _ = characters.next(),
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') if inside => quote = Some(c),
            (None, '{') if matches!(next, Some('{' | '%')) => inside = true,
            (None, '}' | '%') if next == Some('}') => inside = false,
            (None, '|') if inside => {
                let rest = source.get(at + 1..).unwrap_or_default().trim_start();
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                found.push((line, rest.get(..end).unwrap_or_default()));
            }
            _ => {}
        }
    }
    found
}

fn describe(error: &Error) -> String {
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "the template was stopped: it takes too many steps or makes too much text".to_owned(),
        ErrorKind::UndefinedError => error.detail().map_or_else(
            || "a name in the template is not defined".to_owned(),
            |detail| format!("a name in the template is not defined: {detail}"),
        ),
        kind => error.detail().map_or_else(|| kind.to_string(), str::to_owned),
    };
    let mut what = match error.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    };
    if let Some(short) = what.char_indices().nth(400).map(|(end, _)| end) {
        what.truncate(short);
    }
    what
}
