//! Access to values and updates in place: the interpreter's view of [`Value`].

use std::{ops::Range, rc::Rc};

use jaq_core::{Error, Exn, ValR, ValX, path::Opt};

use super::{
    budget::{self, Exhausted, MAX_DEPTH},
    value::{Array, Key, Object, Text, Value},
};

type Outcome = Result<Value, Error<Value>>;
type Items = Box<dyn Iterator<Item = Outcome>>;

impl jaq_core::ValT for Value {
    fn from_num(number: &str) -> ValR<Self> {
        let fraction = || number.parse().map(Self::fraction);
        number.parse().map(Self::whole).or_else(|_| fraction()).map_err(Error::str)
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(members: I) -> ValR<Self> {
        let mut object = Object::new();
        for (name, value) in members {
            let Self::Text(name) = name else { return Err(Error::typ(name, "name of a member")) };
            object.insert(Key(name), value);
        }
        Ok(Self::Object(Rc::new(object)))
    }

    fn key_values(self) -> Box<dyn Iterator<Item = ValR<(Self, Self), Self>>> {
        budget::descend();
        match self {
            Self::Array(array) => {
                let items = unshared(array).into_items().into_iter().enumerate();
                Box::new(items.map(|(index, item)| Ok((Self::from(index), item))))
            }
            Self::Object(object) => {
                let members: Vec<_> = object.members().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                Box::new(members.into_iter().map(|(name, value)| Ok((Self::Text(name.0), value))))
            }
            other => Box::new(std::iter::once(Err(Error::typ(other, "array or object")))),
        }
    }

    fn values(self) -> Items {
        budget::descend();
        match self {
            Self::Array(array) => Box::new(unshared(array).into_items().into_iter().map(Ok)),
            Self::Object(object) => {
                let values: Vec<_> = object.members().values().cloned().collect();
                Box::new(values.into_iter().map(Ok))
            }
            other => Box::new(std::iter::once(Err(Error::typ(other, "array or object")))),
        }
    }

    fn index(self, index: &Self) -> ValR<Self> {
        match self.lookup(index) {
            Some(found) => Ok(found?.unwrap_or(Self::Null(0))),
            None => Err(Error::index(self, index.clone())),
        }
    }

    fn range(self, range: Range<Option<&Self>>) -> ValR<Self> {
        match &self {
            Self::Null(depth) => Ok(missing(*depth)),
            Self::Text(text) => {
                let length = text.as_str().chars().count();
                let (from, to) = bounds(&range, length)?;
                budget::step(text.as_str().len() as u64 / 32);
                Ok(Self::text(text.as_str().chars().skip(from).take(to - from).collect::<String>()))
            }
            Self::Array(array) => {
                let (from, to) = bounds(&range, array.items().len())?;
                Ok(Self::array(array.items().get(from..to).unwrap_or_default().iter().cloned()))
            }
            _ => Err(Error::typ(self, "array or string")),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(self, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a, Self> {
        budget::descend();
        match self {
            Self::Array(array) => {
                let mut changed = Array::collect([]);
                for item in unshared(array).into_items() {
                    for item in f(item) {
                        changed.push(item?);
                    }
                }
                Ok(Self::Array(Rc::new(changed)))
            }
            Self::Object(object) => {
                let mut changed = Object::new();
                for (name, value) in object.members() {
                    if let Some(value) = f(value.clone()).next() {
                        changed.insert(name.clone(), value?);
                    }
                }
                Ok(Self::Object(Rc::new(changed)))
            }
            other => opt.fail(other, |other| Exn::from(Error::typ(other, "array or object"))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        budget::descend();
        if let Self::Object(range) = index {
            let (from, to) = (range.members().get("start"), range.members().get("end"));
            return self.map_range(from..to, opt, f);
        }
        match (self, index) {
            (Self::Null(_), Self::Text(name)) => change_member(Rc::new(Object::new()), name, f),
            (Self::Null(_), Self::Number(_)) => change_item(Rc::new(Array::collect([])), index, opt, f),
            (Self::Object(object), Self::Text(name)) => change_member(object, name, f),
            (Self::Array(array), Self::Number(_)) => change_item(array, index, opt, f),
            (other, index) => opt.fail(other, |other| Exn::from(Error::index(other, index.clone()))),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<Option<&Self>>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        budget::descend();
        let mut array = match self {
            Self::Null(_) => Rc::new(Array::collect([])),
            Self::Array(array) => array,
            other => return opt.fail(other, |other| Exn::from(Error::typ(other, "array"))),
        };
        let (from, to) = match bounds(&range, array.items().len()) {
            Ok(bounds) => bounds,
            Err(error) => return opt.fail(Self::Array(array), |_| Exn::from(error)),
        };
        let part = Self::array(array.items().get(from..to).unwrap_or_default().iter().cloned());
        let with = match f(part).next().transpose()? {
            None => Rc::new(Array::collect([])),
            Some(Self::Array(with)) => with,
            Some(other) => return Err(Exn::from(Error::typ(other, "array"))),
        };
        Rc::make_mut(&mut array).splice(from, to, with.items());
        Ok(Self::Array(array))
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Self::Null(_) | Self::Bool(false))
    }

    fn into_string(self) -> Self {
        match self {
            Self::Text(_) => self,
            other => Self::text(other.to_json_text()),
        }
    }
}

impl Value {
    /// The value at an index; `None` if this kind of value has no such index.
    pub(super) fn lookup(&self, index: &Self) -> Option<Result<Option<Self>, Error<Self>>> {
        use jaq_core::ValT as _;
        budget::step(1);
        Some(Ok(match (self, index) {
            (Self::Null(depth), Self::Text(_) | Self::Number(_) | Self::Null(_)) => Some(missing(*depth)),
            (Self::Object(object), Self::Text(name)) => object.members().get(name.as_str()).cloned(),
            (Self::Array(array), Self::Number(_)) => {
                position(index, array.items().len()).and_then(|at| array.items().get(at)).cloned()
            }
            (Self::Array(_), Self::Array(_)) => return self.indices(index).map(|found| Ok(Some(found))),
            (Self::Null(_) | Self::Array(_) | Self::Text(_), Self::Object(range)) => {
                let (from, to) = (range.members().get("start"), range.members().get("end"));
                return Some(self.clone().range(from..to).map(Some));
            }
            _ => return None,
        }))
    }

    /// The positions of another value in this one; `None` if it cannot contain it.
    pub(super) fn indices(&self, wanted: &Self) -> Option<Self> {
        let occurrences = match (self, wanted) {
            (Self::Null(_), _) => return Some(Self::Null(0)),
            (Self::Text(text), Self::Text(part)) => text_indices(text.as_str(), part.as_str()),
            (Self::Array(array), Self::Array(part)) if part.items().is_empty() => {
                budget::step(array.items().len() as u64 / 32);
                Vec::new()
            }
            (Self::Array(array), Self::Array(part)) => {
                let windows = array.items().windows(part.items().len()).enumerate();
                windows.filter(|(_, window)| *window == part.items()).map(|(at, _)| at).collect()
            }
            (Self::Array(array), _) => {
                array.items().iter().enumerate().filter(|(_, item)| *item == wanted).map(|(at, _)| at).collect()
            }
            _ => return None,
        };
        Some(Self::array(occurrences.into_iter().map(Self::from)))
    }
}

/// Positions of a part of a text, in characters; occurrences may overlap.
fn text_indices(text: &str, part: &str) -> Vec<usize> {
    if part.is_empty() {
        return Vec::new();
    }
    budget::step(text.len() as u64 / 8);
    let starts = text.char_indices().enumerate();
    starts.filter(|(_, (at, _))| text.get(*at..).is_some_and(|rest| rest.starts_with(part))).map(|(n, _)| n).collect()
}

/// `null` for something missing below `null`.
fn missing(depth: u16) -> Value {
    if depth >= MAX_DEPTH {
        budget::stop(Exhausted::Depth);
    }
    Value::Null(depth + 1)
}

fn unshared(array: Rc<Array>) -> Array {
    Rc::try_unwrap(array).unwrap_or_else(|shared| Array::clone(&shared))
}

/// The element at an index, counted from the end if it is negative.
fn position(index: &Value, length: usize) -> Option<usize> {
    let index = floor(index)?;
    let length = i128::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, which is out of every range")]
fn floor(number: &Value) -> Option<i128> {
    number.as_whole().or_else(|| number.as_fraction().map(|number| number.floor() as i128))
}

/// The bounds of a range in a sequence.
fn bounds(range: &Range<Option<&Value>>, length: usize) -> Result<(usize, usize), Error<Value>> {
    let bound = |at: Option<&Value>, open: usize| match at {
        None | Some(Value::Null(_)) => Ok(open),
        Some(at @ Value::Number(_)) => {
            let negative = floor(at).is_some_and(|at| at < 0);
            Ok(position(at, length).map_or(if negative { 0 } else { length }, |at| at.min(length)))
        }
        Some(other) => Err(Error::typ(other.clone(), "number")),
    };
    let (from, to) = (bound(range.start, 0)?, bound(range.end, length)?);
    Ok((from, to.max(from)))
}

fn change_member<'a, I: Iterator<Item = ValX<'a, Value>>>(
    mut object: Rc<Object>,
    name: &Rc<Text>,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    let members = Rc::make_mut(&mut object);
    match f(members.take(name.as_str())).next() {
        Some(value) => members.insert(Key(name.clone()), value?),
        None => members.remove(name.as_str()),
    }
    Ok(Value::Object(object))
}

fn change_item<'a, I: Iterator<Item = ValX<'a, Value>>>(
    mut array: Rc<Array>,
    index: &Value,
    opt: Opt,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    let length = array.items().len();
    let Some(at) = position(index, length) else {
        let error = Error::str(format_args!("index {index} is before the start of the array"));
        return opt.fail(Value::Array(array), |_| Exn::from(error));
    };
    let items = Rc::make_mut(&mut array);
    match f(items.take(at)).next() {
        Some(value) => items.put(at, value?),
        None if at < length => items.remove(at),
        None => {}
    }
    Ok(Value::Array(array))
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<isize> for Value {
    fn from(number: isize) -> Self {
        Self::whole(number as i128)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::whole(number as i128)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::fraction(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// A slice as the key of a path.
impl From<Range<Option<Self>>> for Value {
    fn from(range: Range<Option<Self>>) -> Self {
        budget::slice_in_path();
        let bounds = [("start", range.start), ("end", range.end)];
        Self::object(bounds.into_iter().filter_map(|(name, at)| Some((Key(Text::new(name.to_owned())), at?))))
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::array(items)
    }
}

impl jaq_std::ValT for Value {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Self::Array(array) => Ok(unshared(array).into_items().into_iter().collect()),
            other => Err(other),
        }
    }

    fn is_int(&self) -> bool {
        self.as_whole().is_some()
    }

    fn as_isize(&self) -> Option<isize> {
        // The smallest integer is excluded: its negation overflows.
        self.as_whole().and_then(|number| isize::try_from(number).ok()).filter(|number| *number != isize::MIN)
    }

    fn as_f64(&self) -> Option<f64> {
        self.as_fraction()
    }

    fn is_utf8_str(&self) -> bool {
        self.as_text().is_some()
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.as_text().map(str::as_bytes)
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        Self::text(String::from_utf8_lossy(part))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::text(String::from_utf8_lossy(bytes.as_ref()))
    }
}
