//! Syntax errors of programs, written for their author.

use devskyy_application::workflow::SyntaxError;
use jaq_core::{
    compile,
    load::{
        self, lex,
        lex::StrPart,
        parse::{BinaryOp, Def, Pattern, Term},
    },
    path::{Part, Path},
};

pub(super) fn error(message: String) -> SyntaxError {
    SyntaxError { message }
}

/// `line 2, column 5: …`
fn at(code: &str, part: &str, what: &str) -> String {
    let start = (part.as_ptr().addr()).checked_sub(code.as_ptr().addr()).unwrap_or(code.len());
    let before = code.get(..start).unwrap_or(code);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {what}")
}

pub(super) fn unreadable(code: &str, errors: &load::Errors<&str, ()>) -> SyntaxError {
    let describe = |error: &load::Error<&str>| match error {
        load::Error::Lex(errors) => errors
            .first()
            .map(|(expected, found): &lex::Error<&str>| at(code, found, &format!("expected {}", expected.as_str()))),
        load::Error::Parse(errors) => errors.first().map(|(expected, found)| {
            let found_text: String = found.chars().take(30).collect();
            let instead = if found_text.is_empty() { "the end".to_owned() } else { format!("`{found_text}`") };
            at(code, found, &format!("expected {}, found {instead}", expected.as_str()))
        }),
        load::Error::Io(errors) => errors.first().map(|(path, _)| at(code, path, "modules cannot be loaded here")),
    };
    let message = errors.iter().find_map(|(_, error)| describe(error));
    error(message.unwrap_or_else(|| "this is not a jq program".to_owned()))
}

pub(super) fn undefined(code: &str, errors: &compile::Errors<&str, ()>) -> SyntaxError {
    let first = errors.iter().flat_map(|(_, errors)| errors).next();
    error(first.map_or_else(
        || "this is not a jq program".to_owned(),
        |(name, kind)| {
            let arguments = match kind {
                compile::Undefined::Filter(arity) => format!("/{arity}"),
                _ => String::new(),
            };
            at(code, name, &format!("there is no {} `{name}{arguments}` here", kind.as_str()))
        },
    ))
}

/// Maximum nesting of brackets or signs; parsing recurses for each.
const MAX_NESTING: usize = 200;

/// Refuses programs that are nested deeper than any reasonable program.
pub(super) fn refuse_deep_nesting(code: &str) -> Result<(), SyntaxError> {
    let (mut depth, mut signs) = (0_usize, 0_usize);
    for (place, symbol) in code.char_indices() {
        match symbol {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        signs = match symbol {
            '-' => signs + 1,
            symbol if symbol.is_whitespace() => signs,
            _ => 0,
        };
        if depth.max(signs) > MAX_NESTING {
            let here = code.get(place..).unwrap_or_default();
            return Err(error(at(code, here, &format!("nested deeper than {MAX_NESTING} levels"))));
        }
    }
    Ok(())
}

/// Refuses recursive filters with filter arguments.
///
/// Each recursive call would wrap the argument once more. The chain grows with the running time, and dropping it
/// recurses through its whole length, which overflows any stack. Value arguments (`$name`) are evaluated first and do
/// not chain.
pub(super) fn refuse_growing_recursion(code: &str) -> Result<(), SyntaxError> {
    let Some(term) = load::parse(code, |parser| parser.term()) else { return Ok(()) };
    let mut search = Search { code, within: Vec::new(), found: None };
    search.term(&term);
    search.found.map_or(Ok(()), |message| Err(error(message)))
}

struct Search<'a> {
    code: &'a str,
    /// Enclosing definitions of filters with filter arguments.
    within: Vec<(&'a str, usize)>,
    found: Option<String>,
}

impl<'a> Search<'a> {
    fn def(&mut self, def: &Def<&'a str>) {
        let takes_filters = def.args.iter().any(|argument| !argument.starts_with('$'));
        let enclosing = self.within.len();
        if takes_filters {
            self.within.push((def.name, def.args.len()));
        }
        self.term(&def.body);
        self.within.truncate(enclosing);
    }

    fn call(&mut self, name: &'a str, arguments: &[Term<&'a str>]) {
        if self.within.contains(&(name, arguments.len())) {
            let advice = "calls itself and takes filters as arguments; take values (`$name`) instead";
            self.found.get_or_insert_with(|| at(self.code, name, &format!("`{name}` {advice}")));
        }
        arguments.iter().for_each(|argument| self.term(argument));
    }

    fn terms<'b>(&mut self, terms: impl IntoIterator<Item = &'b Term<&'a str>>)
    where
        'a: 'b,
    {
        terms.into_iter().for_each(|term| self.term(term));
    }

    fn term(&mut self, term: &Term<&'a str>) {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => {}
            Term::Str(_, parts) => self.terms(parts.iter().filter_map(inserted)),
            Term::Arr(Some(term)) | Term::Neg(term) | Term::Label(_, term) => self.term(term),
            Term::Obj(members) => members.iter().for_each(|(name, value)| {
                self.term(name);
                self.terms(value);
            }),
            Term::BinOp(left, operator, right) => {
                self.terms([&**left, &**right]);
                if let BinaryOp::Pipe(Some(pattern)) = operator {
                    self.pattern(pattern);
                }
            }
            Term::Fold(_, over, pattern, rest) => {
                self.term(over);
                self.pattern(pattern);
                self.terms(rest);
            }
            Term::TryCatch(tried, caught) => {
                self.term(tried);
                self.terms(caught.as_deref());
            }
            Term::IfThenElse(branches, otherwise) => {
                branches.iter().for_each(|(condition, then)| self.terms([condition, then]));
                self.terms(otherwise.as_deref());
            }
            Term::Def(defs, rest) => {
                defs.iter().for_each(|def| self.def(def));
                self.term(rest);
            }
            Term::Call(name, arguments) => self.call(name, arguments),
            Term::Path(base, path) => {
                self.term(base);
                self.path(path);
            }
        }
    }

    fn path(&mut self, path: &Path<Term<&'a str>>) {
        for (part, _) in &path.0 {
            match part {
                Part::Index(index) => self.term(index),
                Part::Range(from, to) => self.terms(from.iter().chain(to)),
            }
        }
    }

    fn pattern(&mut self, pattern: &Pattern<&'a str>) {
        match pattern {
            Pattern::Var(_) => {}
            Pattern::Arr(patterns) => patterns.iter().for_each(|pattern| self.pattern(pattern)),
            Pattern::Obj(members) => members.iter().for_each(|(name, pattern)| {
                self.term(name);
                self.pattern(pattern);
            }),
        }
    }
}

/// The program in a part of an interpolated string, if it is one.
const fn inserted<'b, 'a>(part: &'b StrPart<&'a str, Term<&'a str>>) -> Option<&'b Term<&'a str>> {
    match part {
        StrPart::Term(term) => Some(term),
        StrPart::Str(_) | StrPart::Char(_) => None,
    }
}
