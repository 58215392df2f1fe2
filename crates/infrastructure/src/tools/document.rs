//! Strict parsing of documents: no duplicate names, and bounded nesting and size.

use std::{cell::Cell, collections::BTreeMap, fmt};

use devskyy_domain::kernel::Json;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

/// Maximum nesting of a document.
const MAX_DEPTH: usize = 64;
/// Maximum number of values in a document.
const MAX_VALUES: usize = 500_000;
/// The name under which the TOML parser returns dates and times.
const TOML_DATETIME: &str = "$__toml_private_datetime";

/// A strictly parsed document.
pub(super) struct Strict(pub(super) Json);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let left = Cell::new(MAX_VALUES);
        Node { depth: MAX_DEPTH, left: &left }.deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct Node<'a> {
    depth: usize,
    left: &'a Cell<usize>,
}

impl Node<'_> {
    fn below<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(D::Error::custom(format_args!("more than {MAX_VALUES} values")));
        };
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Json, E> {
        i64::try_from(value).map(Json::from).map_err(|_| E::custom(format_args!("{value} is too large a number")))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Json, E> {
        u64::try_from(value).map(Json::from).map_err(|_| E::custom(format_args!("{value} is too large a number")))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        // The domain's type decides which numbers are valid.
        Json::deserialize(serde::de::value::F64Deserializer::new(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let below = self.below()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(below)? {
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let below = self.below()?;
        let mut object = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == TOML_DATETIME {
                return members.next_value::<String>().map(Json::String);
            }
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("`{name}` occurs twice in one object")));
            }
            let value = members.next_value_seed(below)?;
            object.insert(name, value);
        }
        Ok(Json::Object(object))
    }
}
