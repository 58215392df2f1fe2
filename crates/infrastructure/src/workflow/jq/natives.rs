//! The native functions of programs: only pure ones, without access to the machine or the time, and none that prints or
//! ends the process.

use devskyy_domain::kernel::Json;
use jaq_core::{
    Cv, DataT, Error, RunPtr, ValR,
    native::{Filter, Fun, bome, run, unary, v},
};

use super::{
    budget,
    regex::{Parts, matches},
    value::Value,
};

/// Functions of the interpreter's library that programs may call. Excluded on purpose: `env`, `now`, `halt`, `input`,
/// `debug`, `stderr`, everything that uses the local time zone, and its regular expressions.
const PURE: &str = "acos acosh ascii_downcase ascii_upcase asin asinh atan atan2 atanh cbrt ceil copysign cos cosh \
    decode_base64 decode_uri encode_base64 encode_uri endswith erf erfc escape_html escape_sh exp exp10 exp2 expm1 \
    explode fabs fdim floor fma fmax fmin fmod frexp fromdateiso8601 gmtime group_by hypot ilogb implode ldexp lgamma \
    log log10 log1p log2 ltrim ltrimstr max_by_or_empty min_by_or_empty mktime modf nearbyint nextafter pow remainder \
    reverse rint round rtrim rtrimstr scalbln sin sinh sort sort_by sqrt startswith strftime tan tanh tgamma \
    todateiso8601 trim trunc unescape_html utf8bytelength";

/// Definitions of the interpreter's library that need excluded functions.
pub(super) const IMPURE_DEFINITIONS: &[&str] = &["debug", "halt", "halt_error", "stderr"];

/// All native functions.
pub(super) fn all<D: for<'a> DataT<V<'a> = Value>>() -> impl Iterator<Item = Fun<D>> {
    let library = jaq_std::base_funs().chain(jaq_std::extra_funs());
    let pure = library.filter(|(name, _, _): &Fun<D>| PURE.split_ascii_whitespace().any(|pure| pure == *name));
    jaq_core::funs().chain(pure).chain(own().into_iter().map(run))
}

fn own<D: for<'a> DataT<V<'a> = Value>>() -> Vec<Filter<RunPtr<D>>> {
    vec![
        ("tojson", v(0), |cv| bome(Ok(Value::text(cv.1.to_json_text())))),
        ("fromjson", v(0), |cv| bome(from_json(&cv.1))),
        ("length", v(0), |cv| bome(length(&cv.1))),
        ("contains", v(1), |cv| unary(cv, |value, part| Ok(Value::Bool(contains(&value, &part))))),
        ("has", v(1), |cv| unary(cv, |value, key| has(&value, &key))),
        ("indices", v(1), |cv| unary(cv, |value, part| value.indices(&part).ok_or_else(|| Error::index(value, part)))),
        ("bsearch", v(1), |cv| unary(cv, |value, wanted| search(value, &wanted))),
        ("matches", v(2), |cv| bome(find(cv, Parts::MATCHES))),
        ("split_matches", v(2), |cv| bome(find(cv, Parts::BOTH))),
        ("split_", v(2), |cv| bome(find(cv, Parts::BETWEEN))),
    ]
}

fn find<D: for<'a> DataT<V<'a> = Value>>(mut cv: Cv<'_, D>, parts: Parts) -> ValR<Value> {
    let flags = cv.0.pop_var();
    let pattern = cv.0.pop_var();
    let text = |value: &Value| value.as_text().map(str::to_owned).ok_or_else(|| Error::typ(value.clone(), "string"));
    matches(&text(&cv.1)?, &text(&pattern)?, &text(&flags)?, parts).map_err(Error::str)
}

fn from_json(value: &Value) -> ValR<Value> {
    let text = value.as_text().ok_or_else(|| Error::typ(value.clone(), "string"))?;
    budget::step(text.len() as u64 / 4);
    let document: Json = serde_json::from_str(text).map_err(|error| Error::str(format_args!("not JSON: {error}")))?;
    Ok(Value::from_json(&document))
}

fn length(value: &Value) -> ValR<Value> {
    Ok(match value {
        Value::Null(_) => Value::whole(0),
        Value::Number(_) if *value < Value::whole(0) => return -value.clone(),
        Value::Number(_) => value.clone(),
        Value::Text(text) => {
            budget::step(text.as_str().len() as u64 / 32);
            Value::from(text.as_str().chars().count())
        }
        Value::Array(array) => Value::from(array.items().len()),
        Value::Object(object) => Value::from(object.members().len()),
        Value::Bool(_) => return Err(Error::str(format_args!("{value} has no length"))),
    })
}

/// Whether a value contains another: a substring, elements that contain its elements, members that contain its members.
fn contains(value: &Value, part: &Value) -> bool {
    budget::step(1);
    match (value, part) {
        (Value::Text(text), Value::Text(part)) => {
            budget::step(text.as_str().len() as u64 / 16);
            text.as_str().contains(part.as_str())
        }
        (Value::Array(items), Value::Array(parts)) => {
            parts.items().iter().all(|part| items.items().iter().any(|item| contains(item, part)))
        }
        (Value::Object(members), Value::Object(parts)) => {
            let has = |(name, part)| members.members().get(name).is_some_and(|value| contains(value, part));
            parts.members().iter().all(has)
        }
        (value, part) => value == part,
    }
}

fn has(value: &Value, key: &Value) -> ValR<Value> {
    match (value, key) {
        (Value::Object(object), Value::Text(name)) => Ok(Value::Bool(object.members().contains_key(name.as_str()))),
        (Value::Array(array), Value::Number(_)) => {
            Ok(Value::Bool(*key >= Value::whole(0) && *key < Value::from(array.items().len())))
        }
        (value, key) => Err(Error::index(value.clone(), key.clone())),
    }
}

fn search(value: Value, wanted: &Value) -> ValR<Value> {
    let Value::Array(array) = &value else { return Err(Error::typ(value, "array")) };
    Ok(match array.items().binary_search(wanted) {
        Ok(at) => Value::from(at),
        Err(at) => Value::whole(-1 - at as i128),
    })
}
