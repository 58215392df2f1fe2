use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::error::ProjectError;

/// The role of a member in a project; one table defines the permissions of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectRole {
    /// Manages the project and its members.
    Owner,
    /// Defines agents.
    Maintainer,
    /// Runs agents and answers their approvals.
    Operator,
    /// Has read access.
    Viewer,
}

impl ProjectRole {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Maintainer, Self::Operator, Self::Viewer];

    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Maintainer => "maintainer",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }

    /// Whether this role has permissions that the other lacks.
    #[must_use]
    pub fn exceeds(self, other: Self) -> bool {
        self < other
    }

    /// The lesser of two roles.
    #[must_use]
    pub fn at_most(self, other: Self) -> Self {
        self.max(other)
    }

    /// Parses the name used on the wire and in the database.
    ///
    /// # Errors
    /// [`ProjectError::RoleUnknown`] for any other name.
    pub fn parse(name: &str) -> Result<Self, ProjectError> {
        Self::ALL.into_iter().find(|role| role.as_str() == name).ok_or(ProjectError::RoleUnknown)
    }
}

/// The state of a project's life cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProjectStatus {
    /// In use.
    Active,
    /// Read-only until it is resumed.
    Suspended,
    /// Kept for history only.
    Archived,
}

impl ProjectStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Archived];

    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Archived => "archived",
        }
    }

    /// Parses the name used on the wire and in the database.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The name of a project, 3 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectName(String);

impl ProjectName {
    /// Length of a name in characters.
    pub const LENGTH: RangeInclusive<usize> = 3..=100;

    /// Trims and validates a raw name.
    ///
    /// # Errors
    /// [`ProjectError::NameLength`] when it is too short, too long or has control characters.
    pub fn parse(raw: &str) -> Result<Self, ProjectError> {
        let name = raw.trim();
        match name.chars().filter(|c| !c.is_control()).count() {
            length if Self::LENGTH.contains(&length) && length == name.chars().count() => Ok(Self(name.to_owned())),
            _ => Err(ProjectError::NameLength(name.chars().count())),
        }
    }

    /// The name of the personal project.
    #[must_use]
    pub fn personal() -> Self {
        Self("Personal".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A short form for URLs and file names: lower-case letters, digits and single hyphens.
    #[must_use]
    pub fn slug(&self) -> Slug {
        let mut slug = String::new();
        for c in self.0.to_lowercase().chars() {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.truncate(50);
        let slug = slug.trim_end_matches('-');
        Slug(if slug.is_empty() { "project".to_owned() } else { slug.to_owned() })
    }
}

/// The short form of a project's name, for display only; projects are identified by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    /// The short form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
