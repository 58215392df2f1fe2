use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::error::AgentError;
use crate::definition::Definition;

/// Number of an agent's version, from 1.
pub type VersionNumber = u32;

/// The name of an agent, unique in its project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentName(String);

impl AgentName {
    /// Length of a name in characters.
    pub const LENGTH: RangeInclusive<usize> = 3..=100;

    /// Trims and validates a raw name.
    ///
    /// # Errors
    /// [`AgentError::NameLength`] when it is too short, too long or has control characters.
    pub fn parse(raw: &str) -> Result<Self, AgentError> {
        let name = raw.trim();
        match name.chars().filter(|c| !c.is_control()).count() {
            length if Self::LENGTH.contains(&length) && length == name.chars().count() => Ok(Self(name.to_owned())),
            _ => Err(AgentError::NameLength(name.chars().count())),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which names are compared: case and repeated spaces are ignored.
    #[must_use]
    pub fn normalised(&self) -> String {
        self.0.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The type of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentType {
    /// A declared graph of steps; needs no model.
    Workflow,
    /// A model in a loop with tools.
    Assistant,
}

impl AgentType {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::Workflow, Self::Assistant];

    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Assistant => "assistant",
        }
    }

    /// Checks that a definition has this type.
    ///
    /// # Errors
    /// [`AgentError::DefinitionType`] for a definition of another type.
    pub const fn takes(self, definition: &Definition) -> Result<(), AgentError> {
        match (self, definition) {
            (Self::Workflow, Definition::Workflow(_)) | (Self::Assistant, Definition::Assistant(_)) => Ok(()),
            (Self::Workflow, Definition::Assistant(_)) | (Self::Assistant, Definition::Workflow(_)) => {
                Err(AgentError::DefinitionType)
            }
        }
    }

    /// Parses the name used on the wire and in the database.
    ///
    /// # Errors
    /// [`AgentError::TypeUnknown`] for any other name.
    pub fn parse(name: &str) -> Result<Self, AgentError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(AgentError::TypeUnknown)
    }
}

/// The state of an agent's life cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentStatus {
    /// Not ready to run yet.
    Draft,
    /// Ready to run.
    Active,
    /// Starts no new runs for now.
    Paused,
    /// Kept for history only.
    Archived,
}

impl AgentStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Paused, Self::Archived];

    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Archived => "archived",
        }
    }

    /// Parses the name used on the wire and in the database.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The declared capabilities of an agent: lower-case slugs, sorted and distinct.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(Vec<String>);

impl Capabilities {
    /// Maximum number of capabilities of an agent.
    pub const MOST: usize = 50;
    /// Length of a capability in characters.
    pub const LENGTH: RangeInclusive<usize> = 1..=50;

    /// Validates raw capabilities, drops duplicates and sorts them.
    ///
    /// # Errors
    /// [`AgentError::CapabilityFormat`] with the index of the first that is not a slug, or
    /// [`AgentError::TooManyCapabilities`].
    pub fn parse<S: AsRef<str>>(raw: &[S]) -> Result<Self, AgentError> {
        if raw.len() > Self::MOST {
            return Err(AgentError::TooManyCapabilities);
        }
        if let Some(index) = raw.iter().position(|slug| !is_slug(slug.as_ref())) {
            return Err(AgentError::CapabilityFormat(index));
        }
        let mut slugs: Vec<_> = raw.iter().map(|slug| slug.as_ref().to_owned()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        Ok(Self(slugs))
    }

    /// The slugs.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

fn is_slug(text: &str) -> bool {
    Capabilities::LENGTH.contains(&text.len())
        && text
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

/// The owner's description of an agent; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Description(String);

impl Description {
    /// Maximum length of a description in characters.
    pub const LONGEST: usize = 2_000;

    /// Trims and validates a raw description.
    ///
    /// # Errors
    /// [`AgentError::DescriptionLength`] when it is too long or has control characters other than line breaks and tabs.
    pub fn parse(raw: &str) -> Result<Self, AgentError> {
        let text = raw.trim();
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.chars().count() <= Self::LONGEST && !text.chars().any(odd) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AgentError::DescriptionLength)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
