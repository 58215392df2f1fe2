use std::sync::Arc;

use super::{
    error::AgentError,
    event::{
        AgentActivated, AgentArchived, AgentCapabilitiesChanged, AgentCreated, AgentDescribed, AgentEvent, AgentPaused,
        AgentRenamed, AgentResumed, VersionPublished, VersionRestored,
    },
    values::{AgentName, AgentStatus, AgentType, Capabilities, Description, VersionNumber},
};
use crate::{
    definition::Definition,
    kernel::{
        Aggregate, Decision,
        ids::{AgentId, ProjectId},
    },
};

/// The properties of a new agent.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAgent {
    /// The project it belongs to; never changes.
    pub project: ProjectId,
    /// Its name.
    pub name: AgentName,
    /// Its type.
    pub kind: AgentType,
    /// Its declared capabilities.
    pub capabilities: Capabilities,
    /// Its description.
    pub description: Description,
}

/// The properties of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentDetails {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its name.
    pub name: AgentName,
    /// Its type.
    pub kind: AgentType,
    /// Its declared capabilities.
    pub capabilities: Capabilities,
    /// Its description.
    pub description: Description,
    /// All versions, in order of their numbers.
    pub versions: Vec<Arc<Definition>>,
    /// The version that new runs use; `None` before the first is published.
    pub current: Option<VersionNumber>,
}

/// One agent. The variants are the states of its life cycle; an archived agent can no longer change.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Agent {
    /// Nothing has been recorded yet.
    #[default]
    Unknown,
    /// Not ready to run yet.
    Draft(AgentDetails),
    /// Ready to run.
    Active(AgentDetails),
    /// Starts no new runs for now.
    Paused(AgentDetails),
    /// Kept for history only.
    Archived(AgentDetails),
}

impl Agent {
    /// Creates an agent; with a definition, it is published as version 1 and the agent is active.
    ///
    /// # Errors
    /// [`AgentError::DefinitionType`] for a definition of another type, [`AgentError::AlreadyCreated`] for a used id.
    pub fn create(&self, new: &NewAgent, definition: Option<&Definition>) -> Decision<Self> {
        if *self != Self::Unknown {
            return Err(AgentError::AlreadyCreated);
        }
        definition.map_or(Ok(()), |definition| new.kind.takes(definition))?;
        let NewAgent { project, name, kind, capabilities, description } = new.clone();
        let mut events = vec![AgentCreated { project, name, kind, capabilities, description }.into()];
        if let Some(definition) = definition {
            events.push(VersionPublished { number: 1, definition: definition.clone() }.into());
            events.push(AgentActivated {}.into());
        }
        Ok(events)
    }

    /// Publishes a definition for new runs: as a new version, or by restoring the earlier one with the same content.
    ///
    /// # Errors
    /// [`AgentError::DefinitionType`], [`AgentError::Archived`] or [`AgentError::NotCreated`].
    pub fn publish(&self, definition: &Definition) -> Decision<Self> {
        let details = self.changeable()?;
        details.kind.takes(definition)?;
        let same = details.versions.iter().position(|version| **version == *definition).map(number_at);
        Ok(match same {
            Some(number) if details.current == Some(number) => vec![],
            Some(number) => vec![VersionRestored { number }.into()],
            None => {
                let number = number_at(details.versions.len());
                vec![VersionPublished { number, definition: definition.clone() }.into()]
            }
        })
    }

    /// Activates the agent.
    ///
    /// # Errors
    /// [`AgentError::NoVersion`], [`AgentError::Archived`] or [`AgentError::NotCreated`].
    pub fn activate(&self) -> Decision<Self> {
        match self {
            Self::Draft(AgentDetails { current: None, .. }) => Err(AgentError::NoVersion),
            Self::Draft(_) => Ok(vec![AgentActivated {}.into()]),
            Self::Active(_) => Ok(vec![]),
            Self::Paused(_) => Ok(vec![AgentResumed {}.into()]),
            Self::Archived(_) => Err(AgentError::Archived),
            Self::Unknown => Err(AgentError::NotCreated),
        }
    }

    /// Pauses the agent: it starts no new runs, but runs in progress continue.
    ///
    /// # Errors
    /// [`AgentError::Draft`], [`AgentError::Archived`] or [`AgentError::NotCreated`].
    pub fn pause(&self) -> Decision<Self> {
        match self {
            Self::Active(_) => Ok(vec![AgentPaused {}.into()]),
            Self::Paused(_) => Ok(vec![]),
            Self::Draft(_) => Err(AgentError::Draft),
            Self::Archived(_) => Err(AgentError::Archived),
            Self::Unknown => Err(AgentError::NotCreated),
        }
    }

    /// Resumes a paused agent.
    ///
    /// # Errors
    /// [`AgentError::Draft`], [`AgentError::Archived`] or [`AgentError::NotCreated`].
    pub fn resume(&self) -> Decision<Self> {
        match self {
            Self::Paused(_) => Ok(vec![AgentResumed {}.into()]),
            Self::Active(_) => Ok(vec![]),
            Self::Draft(_) => Err(AgentError::Draft),
            Self::Archived(_) => Err(AgentError::Archived),
            Self::Unknown => Err(AgentError::NotCreated),
        }
    }

    /// Archives the agent; its name becomes available.
    ///
    /// # Errors
    /// [`AgentError::NotCreated`].
    pub fn archive(&self) -> Decision<Self> {
        match self {
            Self::Draft(_) | Self::Active(_) | Self::Paused(_) => Ok(vec![AgentArchived {}.into()]),
            Self::Archived(_) => Ok(vec![]),
            Self::Unknown => Err(AgentError::NotCreated),
        }
    }

    /// Changes name, description and capabilities; `None` keeps the current value.
    ///
    /// # Errors
    /// [`AgentError::Archived`] or [`AgentError::NotCreated`].
    pub fn change(
        &self,
        name: Option<&AgentName>,
        description: Option<&Description>,
        capabilities: Option<&Capabilities>,
    ) -> Decision<Self> {
        let details = self.changeable()?;
        let mut events = Vec::new();
        if let Some(name) = name.filter(|name| **name != details.name) {
            events.push(AgentRenamed { name: name.clone() }.into());
        }
        if let Some(description) = description.filter(|description| **description != details.description) {
            events.push(AgentDescribed { description: description.clone() }.into());
        }
        if let Some(capabilities) = capabilities.filter(|capabilities| **capabilities != details.capabilities) {
            events.push(AgentCapabilitiesChanged { capabilities: capabilities.clone() }.into());
        }
        Ok(events)
    }

    /// The agent's properties, once created.
    #[must_use]
    pub const fn details(&self) -> Option<&AgentDetails> {
        match self {
            Self::Draft(details) | Self::Active(details) | Self::Paused(details) | Self::Archived(details) => {
                Some(details)
            }
            Self::Unknown => None,
        }
    }

    /// The agent's status, once created.
    #[must_use]
    pub const fn status(&self) -> Option<AgentStatus> {
        match self {
            Self::Draft(_) => Some(AgentStatus::Draft),
            Self::Active(_) => Some(AgentStatus::Active),
            Self::Paused(_) => Some(AgentStatus::Paused),
            Self::Archived(_) => Some(AgentStatus::Archived),
            Self::Unknown => None,
        }
    }

    const fn changeable(&self) -> Result<&AgentDetails, AgentError> {
        match self {
            Self::Draft(details) | Self::Active(details) | Self::Paused(details) => Ok(details),
            Self::Archived(_) => Err(AgentError::Archived),
            Self::Unknown => Err(AgentError::NotCreated),
        }
    }

    const fn details_mut(&mut self) -> Option<&mut AgentDetails> {
        match self {
            Self::Draft(details) | Self::Active(details) | Self::Paused(details) | Self::Archived(details) => {
                Some(details)
            }
            Self::Unknown => None,
        }
    }
}

impl AgentDetails {
    /// The definition of a version.
    #[must_use]
    pub fn version(&self, number: VersionNumber) -> Option<&Arc<Definition>> {
        usize::try_from(number).ok()?.checked_sub(1).and_then(|index| self.versions.get(index))
    }
}

fn number_at(index: usize) -> VersionNumber {
    VersionNumber::try_from(index + 1).unwrap_or(VersionNumber::MAX)
}

impl Aggregate for Agent {
    const CATEGORY: &'static str = "agent";
    type Id = AgentId;
    type Event = AgentEvent;
    type Error = AgentError;

    fn apply(&mut self, event: &AgentEvent) {
        if let AgentEvent::Created(created) = event {
            *self = Self::Draft(AgentDetails::new(created));
            return;
        }
        let Some(details) = self.details_mut() else { return };
        match event {
            AgentEvent::Created(_) => {}
            AgentEvent::VersionPublished(it) => {
                details.versions.push(Arc::new(it.definition.clone()));
                details.current = Some(it.number);
            }
            AgentEvent::VersionRestored(it) => details.current = Some(it.number),
            AgentEvent::Renamed(it) => details.name = it.name.clone(),
            AgentEvent::Described(it) => details.description = it.description.clone(),
            AgentEvent::CapabilitiesChanged(it) => details.capabilities = it.capabilities.clone(),
            AgentEvent::Activated(_) | AgentEvent::Resumed(_) => *self = Self::Active(details.clone()),
            AgentEvent::Paused(_) => *self = Self::Paused(details.clone()),
            AgentEvent::Archived(_) => *self = Self::Archived(details.clone()),
        }
    }
}

impl AgentDetails {
    fn new(created: &AgentCreated) -> Self {
        Self {
            project: created.project,
            name: created.name.clone(),
            kind: created.kind,
            capabilities: created.capabilities.clone(),
            description: created.description.clone(),
            versions: Vec::new(),
            current: None,
        }
    }
}
