use serde::{Deserializer, Serialize, Serializer, de::DeserializeOwned};

/// A stored event could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No decoder exists for this name; the reader stops instead of skipping an event.
    #[error("no event type `{0}` is known to this version of the program")]
    UnknownType(String),
    /// The event was written by a newer program.
    #[error("event type `{event_type}` is known up to schema version {known}, found {found}")]
    UnknownVersion {
        /// Stored name of the event.
        event_type: &'static str,
        /// Highest version this program can read.
        known: u16,
        /// Version that was stored.
        found: u16,
    },
    /// The payload does not have the shape that its name and version require.
    #[error("the payload of event type `{event_type}` version {found} is damaged: {reason}")]
    Damaged {
        /// Stored name of the event.
        event_type: &'static str,
        /// Version that was stored.
        found: u16,
        /// The deserializer's error.
        reason: String,
    },
}

/// One shape in which an event is, or was, stored.
///
/// A stored shape never changes. A new shape is a new type with the old one as its [`Versioned::Previous`]. Leaving out
/// the step does not compile:
///
/// ```compile_fail
/// use devskyy_domain::kernel::{FirstVersion, Versioned, decode_versioned};
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct ThirdShape {}
/// impl Versioned for ThirdShape {
///     const TYPE: &'static str = "lamp.lit";
///     const VERSION: u16 = 3;
///     type Previous = FirstVersion;
///     fn upcast(previous: FirstVersion) -> Self { match previous {} }
/// }
/// let payload = serde::de::value::UnitDeserializer::<serde::de::value::Error>::new();
/// let _ = decode_versioned::<ThirdShape, _>(1, payload);
/// ```
pub trait Versioned: Sized + Serialize + DeserializeOwned {
    /// Stored name, for example `agent.renamed`; never a Rust path.
    const TYPE: &'static str;
    /// Schema version of this shape, from 1.
    const VERSION: u16;
    /// The shape before this one; [`FirstVersion`] if there is none.
    type Previous: Versioned;

    /// Converts the previous shape into this one.
    fn upcast(previous: Self::Previous) -> Self;
}

/// The predecessor of version 1. It has no values, so an upcaster from it can never run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstVersion {}

impl Serialize for FirstVersion {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl<'de> serde::Deserialize<'de> for FirstVersion {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("schema versions start at 1"))
    }
}

impl Versioned for FirstVersion {
    const TYPE: &'static str = "";
    const VERSION: u16 = 0;
    type Previous = Self;

    fn upcast(previous: Self) -> Self {
        match previous {}
    }
}

/// Decodes a payload stored as `version` of `T` and upcasts it step by step to `T`.
///
/// # Errors
/// [`DecodeError`] when the version is unknown or the payload does not fit it.
pub fn decode_versioned<'de, T: Versioned, D: Deserializer<'de>>(version: u16, payload: D) -> Result<T, DecodeError> {
    const {
        assert!(T::VERSION == 0 || T::VERSION == T::Previous::VERSION + 1, "an upcaster step is missing");
    }
    if version == T::VERSION && version > 0 {
        T::deserialize(payload).map_err(|error| DecodeError::Damaged {
            event_type: T::TYPE,
            found: version,
            reason: error.to_string(),
        })
    } else if version > 0 && version < T::VERSION {
        decode_versioned::<T::Previous, D>(version, payload).map(T::upcast)
    } else {
        Err(DecodeError::UnknownVersion { event_type: T::TYPE, known: T::VERSION, found: version })
    }
}

/// The set of events of one kind of aggregate. Implemented by [`event_set!`](crate::event_set).
pub trait EventSet: Sized + Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Name and current schema version of every member, for golden files and documentation.
    const TYPES: &'static [(&'static str, u16)];

    /// Stored name of this event.
    fn event_type(&self) -> &'static str;

    /// Schema version this event is written with.
    fn schema_version(&self) -> u16;

    /// Serializes the payload, without its name or version.
    ///
    /// # Errors
    /// Errors of the serializer.
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Deserializes a payload by its stored name and version.
    ///
    /// # Errors
    /// [`DecodeError`] when name or version is unknown or the payload does not fit.
    fn decode<'de, D: Deserializer<'de>>(event_type: &str, version: u16, payload: D) -> Result<Self, DecodeError>;
}

/// Declares an aggregate's events: an enum with one variant per payload type, and its [`EventSet`].
///
/// Each payload type implements [`Versioned`]; the first version of a shape needs only
/// [`first_version!`](crate::first_version).
///
/// ```
/// use serde::{Deserialize, Serialize};
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// pub struct LampLit { pub watts: u32 }
/// devskyy_domain::first_version!(LampLit = "lamp.lit");
/// devskyy_domain::event_set! {
///     /// What can happen to a lamp.
///     pub enum LampEvent {
///         /// It was switched on.
///         Lit(LampLit),
///     }
/// }
/// ```
#[macro_export]
macro_rules! event_set {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident($payload:ty)),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis enum $name { $($(#[$vmeta])* $variant($payload)),+ }

        $(impl From<$payload> for $name {
            fn from(payload: $payload) -> Self { Self::$variant(payload) }
        })+

        impl $crate::kernel::EventSet for $name {
            const TYPES: &'static [(&'static str, u16)] = &[$((
                <$payload as $crate::kernel::Versioned>::TYPE,
                <$payload as $crate::kernel::Versioned>::VERSION,
            )),+];

            fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => <$payload as $crate::kernel::Versioned>::TYPE),+ }
            }

            fn schema_version(&self) -> u16 {
                match self { $(Self::$variant(_) => <$payload as $crate::kernel::Versioned>::VERSION),+ }
            }

            fn encode<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(payload) => ::serde::Serialize::serialize(payload, serializer)),+ }
            }

            fn decode<'de, D: ::serde::Deserializer<'de>>(
                event_type: &str,
                version: u16,
                payload: D,
            ) -> Result<Self, $crate::kernel::DecodeError> {
                $(if event_type == <$payload as $crate::kernel::Versioned>::TYPE {
                    return $crate::kernel::decode_versioned::<$payload, D>(version, payload).map(Self::$variant);
                })+
                Err($crate::kernel::DecodeError::UnknownType(event_type.to_owned()))
            }
        }
    };
}

/// Declares that a payload type is version 1 of the named event.
#[macro_export]
macro_rules! first_version {
    ($($payload:ty = $name:literal),+ $(,)?) => {$(
        impl $crate::kernel::Versioned for $payload {
            const TYPE: &'static str = $name;
            const VERSION: u16 = 1;
            type Previous = $crate::kernel::FirstVersion;

            fn upcast(previous: Self::Previous) -> Self {
                match previous {}
            }
        }
    )+};
}
