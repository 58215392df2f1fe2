//! Ids in requests and responses: a UUID in version 1, a prefix for the kind and then the UUID in version 2.

use std::{borrow::Cow, fmt};

use devskyy_domain::kernel::ids::{
    AgentId, ApiKeyId, ApprovalId, InvitationId, OperationId, ProjectId, ProviderId, RunId, SecretId, SessionId,
    StreamKey, UserId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};
use uuid::Uuid;

use crate::version::ApiVersion;

/// An id in the form of the present request's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WireId<I>(pub(crate) I);

/// A kind of id: its name in the document, its prefix and its schema.
pub(crate) type Kind = (Cow<'static, str>, &'static str, RefOr<Schema>);

macro_rules! wire_ids {
    ($($name:ident = $id:ty;)+) => {
        $(pub(crate) type $name = WireId<$id>;)+

        /// Every kind of id.
        pub(crate) fn kinds() -> Vec<Kind> {
            vec![$(($name::name(), <$id>::PREFIX, $name::schema())),+]
        }
    };
}

wire_ids! {
    AgentRef = AgentId;
    ApiKeyRef = ApiKeyId;
    ApprovalRef = ApprovalId;
    InvitationRef = InvitationId;
    OperationRef = OperationId;
    ProjectRef = ProjectId;
    ProviderRef = ProviderId;
    RunRef = RunId;
    SecretRef = SecretId;
    SessionRef = SessionId;
    UserRef = UserId;
}

impl<I: StreamKey> WireId<I> {
    /// Reads an id in the one form of the present version: one thing has one address.
    pub(crate) fn read(raw: &str) -> Option<I> {
        let hyphenated = match ApiVersion::spoken() {
            ApiVersion::V1 => raw,
            ApiVersion::V2 => raw.strip_prefix(I::PREFIX)?.strip_prefix('_')?,
        };
        Some(hyphenated).filter(|raw| raw.len() == 36).and_then(|raw| Uuid::try_parse(raw).ok()).map(I::from)
    }

    /// The form of an id in the present version, for people.
    pub(crate) fn form() -> String {
        match ApiVersion::spoken() {
            ApiVersion::V1 => "a UUID".to_owned(),
            ApiVersion::V2 => format!("`{}_` and a UUID", I::PREFIX),
        }
    }
}

impl<I> From<I> for WireId<I> {
    fn from(id: I) -> Self {
        Self(id)
    }
}

impl<I: StreamKey> fmt::Display for WireId<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ApiVersion::spoken() {
            ApiVersion::V1 => write!(f, "{}", self.0),
            ApiVersion::V2 => write!(f, "{}_{}", I::PREFIX, self.0),
        }
    }
}

impl<I: StreamKey> Serialize for WireId<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, I: StreamKey> Deserialize<'de> for WireId<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Cow::<str>::deserialize(deserializer)?;
        let malformed = || D::Error::custom(format!("malformed id, expected {}", Self::form()));
        Self::read(&raw).map(Self).ok_or_else(malformed)
    }
}

impl<I: StreamKey> PartialSchema for WireId<I> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).into()
    }
}

impl<I: StreamKey> ToSchema for WireId<I> {
    fn name() -> Cow<'static, str> {
        std::any::type_name::<I>().rsplit("::").next().unwrap_or_default().into()
    }
}
