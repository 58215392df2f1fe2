//! Values of programs: JSON with exact integers and metered memory.

use std::{borrow::Borrow, collections::BTreeMap, rc::Rc};

use devskyy_domain::kernel::{Json, Number};

use super::budget::{self, Exhausted, MAX_DEPTH};

/// Bytes charged for a value besides its content.
const OVERHEAD: usize = 48;
/// Bytes charged for an element of an array.
const ELEMENT: usize = size_of::<Value>();
/// Bytes charged for a member of an object.
const MEMBER: usize = 64;

/// A value.
#[derive(Debug, Clone)]
pub(in crate::workflow) enum Value {
    /// `null`, and the number of missing members on the path to it.
    Null(u16),
    Bool(bool),
    Number(Number),
    Text(Rc<Text>),
    Array(Rc<Array>),
    Object(Rc<Object>),
}

/// A string.
#[derive(Debug)]
pub(in crate::workflow) struct Text {
    text: String,
    charged: usize,
}

impl Text {
    pub(super) fn new(text: String) -> Rc<Self> {
        let charged = budget::allocate(OVERHEAD + text.len());
        Rc::new(Self { text, charged })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        budget::release(self.charged);
    }
}

/// A member's name.
#[derive(Debug, Clone)]
pub(in crate::workflow) struct Key(pub(super) Rc<Text>);

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.as_str().cmp(other.0.as_str())
    }
}

/// An array.
#[derive(Debug, Default)]
pub(in crate::workflow) struct Array {
    items: Vec<Value>,
    depth: u16,
    charged: usize,
}

impl Array {
    pub(super) fn collect(items: impl IntoIterator<Item = Value>) -> Self {
        let mut array = Self { items: Vec::new(), depth: 1, charged: budget::allocate(OVERHEAD) };
        for item in items {
            array.push(item);
        }
        array
    }

    pub(super) fn items(&self) -> &[Value] {
        &self.items
    }

    pub(super) fn push(&mut self, item: Value) {
        self.charged += budget::allocate(ELEMENT);
        self.depth = deeper(self.depth, &item);
        self.items.push(item);
    }

    pub(super) fn put(&mut self, index: usize, item: Value) {
        self.depth = deeper(self.depth, &item);
        match self.items.get_mut(index) {
            Some(place) => *place = item,
            None => {
                self.charged += budget::allocate((index - self.items.len()).saturating_mul(ELEMENT));
                self.items.resize(index, Value::Null(0));
                self.push(item);
            }
        }
    }

    pub(super) fn take(&mut self, index: usize) -> Value {
        self.items.get_mut(index).map_or(Value::Null(0), |place| std::mem::replace(place, Value::Null(0)))
    }

    pub(super) fn remove(&mut self, index: usize) {
        budget::step(self.items.len() as u64 / 32);
        self.items.remove(index);
    }

    pub(super) fn splice(&mut self, from: usize, to: usize, with: &[Value]) {
        self.charged += budget::allocate(with.len() * ELEMENT);
        self.depth = with.iter().fold(self.depth, deeper);
        self.items.splice(from..to, with.iter().cloned());
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Value) -> bool) {
        self.items.retain(keep);
    }

    pub(super) fn into_items(mut self) -> Vec<Value> {
        std::mem::take(&mut self.items)
    }
}

impl Clone for Array {
    fn clone(&self) -> Self {
        let charged = budget::allocate(OVERHEAD + self.items.len() * ELEMENT);
        Self { items: self.items.clone(), depth: self.depth, charged }
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        budget::release(self.charged);
    }
}

/// An object; members are ordered by name.
#[derive(Debug, Default)]
pub(in crate::workflow) struct Object {
    members: BTreeMap<Key, Value>,
    depth: u16,
    charged: usize,
}

impl Object {
    pub(super) fn new() -> Self {
        Self { members: BTreeMap::new(), depth: 1, charged: budget::allocate(OVERHEAD) }
    }

    pub(super) fn members(&self) -> &BTreeMap<Key, Value> {
        &self.members
    }

    pub(super) fn insert(&mut self, name: Key, value: Value) {
        self.charged += budget::allocate(MEMBER);
        self.depth = deeper(self.depth, &value);
        self.members.insert(name, value);
    }

    pub(super) fn take(&mut self, name: &str) -> Value {
        self.members.get_mut(name).map_or(Value::Null(0), |place| std::mem::replace(place, Value::Null(0)))
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.members.remove(name);
    }

    /// Inserts the members of another object; two objects under the same name are merged recursively.
    pub(super) fn merge(&mut self, other: &Self) {
        for (name, value) in &other.members {
            let merged = match (self.members.get(name.borrow() as &str), value) {
                (Some(Value::Object(mine)), Value::Object(theirs)) => {
                    let mut mine = Self::clone(mine);
                    mine.merge(theirs);
                    Value::Object(Rc::new(mine))
                }
                _ => value.clone(),
            };
            self.insert(name.clone(), merged);
        }
    }
}

impl Clone for Object {
    fn clone(&self) -> Self {
        let charged = budget::allocate(OVERHEAD + self.members.len() * MEMBER);
        Self { members: self.members.clone(), depth: self.depth, charged }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        budget::release(self.charged);
    }
}

fn deeper(depth: u16, child: &Value) -> u16 {
    let below = match child {
        Value::Array(array) => array.depth,
        Value::Object(object) => object.depth,
        Value::Null(_) | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
    };
    match depth.max(below + 1) {
        depth if depth > MAX_DEPTH => budget::stop(Exhausted::Depth),
        depth => depth,
    }
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::new(text.into()))
    }

    pub(super) fn array(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Array(Rc::new(Array::collect(items)))
    }

    pub(super) fn object(members: impl IntoIterator<Item = (Key, Self)>) -> Self {
        let mut object = Object::new();
        for (name, value) in members {
            object.insert(name, value);
        }
        Self::Object(Rc::new(object))
    }

    /// An integer, or a float if it is too large.
    pub(super) fn whole(number: i128) -> Self {
        Self::Number(match (i64::try_from(number), u64::try_from(number)) {
            (Ok(small), _) => Number::Int(small),
            (Err(_), Ok(large)) => Number::Big(large),
            #[expect(clippy::cast_precision_loss, reason = "numbers beyond 64 bits are approximate in JSON")]
            (Err(_), Err(_)) => Number::Float(number as f64),
        })
    }

    pub(super) const fn fraction(number: f64) -> Self {
        Self::Number(Number::Float(number))
    }

    /// The number, if this is an integer.
    pub(super) fn as_whole(&self) -> Option<i128> {
        match self {
            Self::Number(Number::Int(number)) => Some(i128::from(*number)),
            Self::Number(Number::Big(number)) => Some(i128::from(*number)),
            _ => None,
        }
    }

    pub(super) fn as_fraction(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(fraction(*number)),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub(super) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null(0),
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Number(*number),
            Json::String(text) => Self::text(text.as_str()),
            Json::Array(elements) => Self::array(elements.iter().map(Self::from_json)),
            Json::Object(members) => {
                Self::object(members.iter().map(|(name, value)| (Key(Text::new(name.clone())), Self::from_json(value))))
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "whoever asks for a fraction accepts its precision")]
pub(super) fn fraction(number: Number) -> f64 {
    match number {
        Number::Int(number) => number as f64,
        Number::Big(number) => number as f64,
        Number::Float(number) => number,
    }
}
