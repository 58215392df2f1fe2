//! Bounds of texts and choices in the document: those of the value objects that check them.

use std::{borrow::Cow, ops::RangeInclusive};

use devskyy_application::{
    identity::UserStatus,
    models::ProviderSecret,
    runs::{ApprovalStatus, Dimension, RunStatus},
};
use devskyy_domain::{
    agents::{AgentName, AgentStatus, AgentType, Capabilities, Description},
    identity::{DisplayName, Email, KeyName, Password, PasswordPolicy, PlatformRole},
    models::{ProviderKind, ProviderName, ProviderUrl},
    projects::{ProjectName, ProjectRole, ProjectStatus},
    runs::{Priority, Waiting},
    secrets::{SecretHosts, SecretName, SecretValue},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat, schema::Type},
};

/// Characters of a recorded reason.
pub(crate) const REASON: u64 = 1_000;
/// Characters of a secret that is only compared: enough for any the platform ever issued.
pub(crate) const PRESENTED: u64 = 1_024;
/// Characters of a search text.
pub(crate) const SEARCH: RangeInclusive<usize> = 1..=100;
/// Seconds that a response may wait for a run.
pub(crate) const WAIT_S: u16 = 60;
/// Scopes of an API key at most.
pub(crate) const SCOPES: u64 = 64;

macro_rules! bounds {
    ($($(#[$doc:meta])* $name:ident $schema:literal = $bounds:expr;)+) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    RefOr::T($bounds.into())
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    $schema.into()
                }
            }
        )+

        /// All schemas, by their names in the document.
        pub(crate) fn all() -> Vec<(String, RefOr<Schema>)> {
            vec![$(($name::name().into_owned(), $name::schema())),+]
        }
    };
}

bounds! {
    /// The name of an agent.
    AgentNameText "AgentName" = line(&AgentName::LENGTH);
    /// The description of an agent.
    DescriptionText "AgentDescription" = text(&(0..=Description::LONGEST));
    /// Something an agent says it can do.
    CapabilityText "Capability" = text(&Capabilities::LENGTH).pattern(Some("^[a-z0-9]+(-[a-z0-9]+)*$"));
    /// The capabilities of an agent.
    CapabilityList "Capabilities" = ArrayBuilder::new()
        .items(Ref::from_schema_name("Capability"))
        .max_items(Some(Capabilities::MOST));
    /// The type of an agent.
    AgentTypeName "AgentType" = one_of(AgentType::ALL.map(AgentType::as_str));
    /// The status of an agent.
    AgentStatusName "AgentStatus" = one_of(AgentStatus::ALL.map(AgentStatus::as_str));
    /// The name of a project.
    ProjectNameText "ProjectName" = line(&ProjectName::LENGTH);
    /// The status of a project.
    ProjectStatusName "ProjectStatus" = one_of(ProjectStatus::ALL.map(ProjectStatus::as_str));
    /// What a member may do in a project.
    ProjectRoleName "ProjectRole" = one_of(ProjectRole::ALL.map(ProjectRole::as_str));
    /// What a person may do on the platform.
    PlatformRoleName "PlatformRole" = one_of(PlatformRole::ALL.map(PlatformRole::as_str));
    /// Whether a person may sign in.
    UserStatusName "UserStatus" = one_of(UserStatus::ALL.map(UserStatus::as_str));
    /// The name a person goes by.
    DisplayNameText "DisplayName" = line(&DisplayName::LENGTH);
    /// What a person signs in with.
    EmailText "Email" = text(&(3..=Email::LONGEST)).format(Some(SchemaFormat::Custom("email".to_owned())));
    /// A password that is to be set; the platform may ask for more.
    NewPasswordText "NewPassword" = text(&(PasswordPolicy::default().shortest()..=Password::LONGEST)).format(password());
    /// A password that is compared.
    PasswordText "Password" = text(&(0..=usize_of(PRESENTED))).format(password());
    /// The name of an API key.
    KeyNameText "ApiKeyName" = line(&KeyName::LENGTH);
    /// The status of a run.
    RunStatusName "RunStatus" = one_of(RunStatus::ALL.map(RunStatus::as_str));
    /// What a run waits for.
    WaitingName "WaitingFor" = one_of(Waiting::ALL.map(Waiting::as_str));
    /// The priority of a run.
    PriorityName "RunPriority" = one_of(Priority::ALL.map(Priority::as_str));
    /// The status of an approval.
    ApprovalStatusName "ApprovalStatus" = one_of(ApprovalStatus::ALL.map(ApprovalStatus::as_str));
    /// A dimension that usage is grouped by.
    DimensionName "UsageDimension" = one_of(Dimension::ALL.map(Dimension::as_str));
    /// A decision.
    DecisionName "Decision" = one_of(["approve", "deny"]);
    /// The reason, for the record.
    ReasonText "Reason" = text(&(0..=usize_of(REASON)));
    /// The name of a model provider.
    ProviderNameText "ProviderName" = text(&ProviderName::LENGTH).pattern(Some("^[a-z][a-z0-9-]*$"));
    /// The protocol of a model provider.
    ProviderKindName "ProviderKind" = one_of(ProviderKind::ALL.map(ProviderKind::as_str));
    /// The base URL of a model provider.
    ProviderUrlText "ProviderUrl" = text(&(8..=ProviderUrl::LONGEST)).format(Some(SchemaFormat::Custom("uri".to_owned())));
    /// The name of a secret of tools.
    SecretNameText "SecretName" = text(&SecretName::LENGTH).pattern(Some("^[A-Za-z][A-Za-z0-9_]*$"));
    /// What a secret of tools is.
    SecretValueText "SecretValue" = text(&SecretValue::LENGTH).format(password());
    /// A host that a secret may be sent to.
    SecretHostText "SecretHost" = text(&(1..=SecretHosts::LONGEST));
    /// A host that a secret may be sent to.
    SecretHostList "SecretHosts" = ArrayBuilder::new()
        .items(Ref::from_schema_name("SecretHost"))
        .min_items(Some(*SecretHosts::COUNT.start()))
        .max_items(Some(*SecretHosts::COUNT.end()));
    /// The API key of a model provider.
    ProviderKeyText "ProviderKey" = text(&ProviderSecret::LENGTH).format(password());
    /// A text that is searched for.
    SearchText "SearchText" = line(&SEARCH);
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn password() -> Option<SchemaFormat> {
    Some(SchemaFormat::Custom("password".to_owned()))
}

fn text(length: &RangeInclusive<usize>) -> ObjectBuilder {
    let text = Object::builder().schema_type(Type::String).max_length(Some(*length.end()));
    text.min_length(Some(*length.start()).filter(|shortest| *shortest > 0))
}

/// A text of one line without blanks at its ends, which would be trimmed.
fn line(length: &RangeInclusive<usize>) -> ObjectBuilder {
    const CONTROL: &str = r"\x00-\x1f\x7f-\x9f";
    text(length).pattern(Some(format!(r"^[^\s{CONTROL}]([^{CONTROL}]*[^\s{CONTROL}])?$")))
}

fn one_of<const N: usize>(names: [&'static str; N]) -> ObjectBuilder {
    Object::builder().schema_type(Type::String).enum_values(Some(names))
}
