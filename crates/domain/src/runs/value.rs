//! Results: the value itself or, if it is large, a reference to its text beside the log.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{
    event::RunEvent,
    fork_event::{ElementEnd, TakenOver},
    values::{ChildEnd, Verdict},
};
use crate::kernel::{Json, Measure};

/// Maximum bytes of JSON text of a result or output in an event; a larger one is stored beside the log.
pub const MAX_INLINE: usize = 64 * 1024;
/// Maximum bytes of a stored result's preview.
pub const MAX_PREVIEW: usize = 256;

/// SHA-256 of a result's JSON text, members in order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultHash(pub [u8; 32]);

/// The text is not a hash: 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits in lower case")]
pub struct NoHash;

impl fmt::Display for ResultHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ResultHash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(NoHash),
        };
        let mut hash = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != hash.len() || !rest.is_empty() {
            return Err(NoHash);
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(hash))
    }
}

impl Serialize for ResultHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResultHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A reference to a result that is stored beside the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResult {
    /// Its key within the project.
    pub hash: ResultHash,
    /// Size of the JSON text.
    pub bytes: u64,
    /// The beginning of the text, at most [`MAX_PREVIEW`] bytes.
    pub preview: String,
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The value itself.
    Inline(Arc<Json>),
    /// A reference; the value is larger than [`MAX_INLINE`] and stored beside the log.
    Stored(Arc<StoredResult>),
}

impl Value {
    /// The value, if it is inline.
    #[must_use]
    pub fn inline(&self) -> Option<&Json> {
        match self {
            Self::Inline(value) => Some(value),
            Self::Stored(_) => None,
        }
    }

    /// The reference, if the value is stored beside the log.
    #[must_use]
    pub fn stored(&self) -> Option<&StoredResult> {
        match self {
            Self::Inline(_) => None,
            Self::Stored(stored) => Some(stored),
        }
    }

    /// Size of the value, inline or stored.
    #[must_use]
    pub fn measure(&self) -> Measure {
        match self {
            Self::Inline(value) => value.measure(),
            Self::Stored(stored) => {
                Measure { bytes: usize::try_from(stored.bytes).unwrap_or(usize::MAX), too_deep: false }
            }
        }
    }
}

impl From<Json> for Value {
    fn from(value: Json) -> Self {
        Self::Inline(Arc::new(value))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Json::from(text).into()
    }
}

impl From<StoredResult> for Value {
    fn from(stored: StoredResult) -> Self {
        Self::Stored(Arc::new(stored))
    }
}

impl RunEvent {
    /// The results beside the log that it refers to.
    pub fn stored(&self) -> impl Iterator<Item = &StoredResult> {
        let values: Vec<&Value> = match self {
            Self::ToolSucceeded(succeeded) => vec![&succeeded.result],
            Self::OutcomeSettled(settled) => match &settled.verdict {
                Verdict::Succeeded { result } => vec![result],
                Verdict::Failed { .. } | Verdict::Retry => vec![],
            },
            Self::ChildEnded(ended) => match &ended.end {
                ChildEnd::Completed { output } => vec![output],
                ChildEnd::Failed { .. } => vec![],
            },
            Self::StepTakenOver(taken) => match &taken.result {
                TakenOver::Output { output } => vec![output],
                TakenOver::Elements { ends, .. } => ends.iter().filter_map(ElementEnd::output).collect(),
                TakenOver::Skipped | TakenOver::Answer { .. } => vec![],
            },
            Self::Completed(completed) => vec![&completed.output],
            _ => vec![],
        };
        values.into_iter().filter_map(Value::stored)
    }
}

/// How a value is serialized among the members of its event. An inline value uses its own name, so such events look as
/// they always did; otherwise a reference is written under `stored`. An older reader then misses the name and cannot
/// take the value for `null`.
macro_rules! member {
    ($name:ident) => {
        pub(super) mod $name {
            use super::{Deserialize, Deserializer, Json, Serialize, Serializer, StoredResult, Value, present};
            use serde::de::Error as _;

            #[derive(Serialize)]
            struct Written<'a> {
                #[serde(skip_serializing_if = "Option::is_none")]
                $name: Option<&'a Json>,
                #[serde(skip_serializing_if = "Option::is_none")]
                stored: Option<&'a StoredResult>,
            }

            #[derive(Deserialize)]
            struct Read {
                #[serde(default, deserialize_with = "present")]
                $name: Option<Json>,
                stored: Option<StoredResult>,
            }

            pub(in crate::runs) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
                Written { $name: value.inline(), stored: value.stored() }.serialize(serializer)
            }

            pub(in crate::runs) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
                match Read::deserialize(deserializer)? {
                    Read { $name: Some(value), stored: None } => Ok(value.into()),
                    Read { $name: None, stored: Some(stored) } => Ok(stored.into()),
                    Read { $name: None, stored: None } => Err(D::Error::missing_field(stringify!($name))),
                    Read { .. } => Err(D::Error::custom("a value is either here or stored")),
                }
            }
        }
    };
}

member!(result);
member!(output);

/// Keeps `null` apart from a missing member.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}
