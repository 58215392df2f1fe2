use std::collections::BTreeMap;

use super::{
    error::ProjectError,
    event::{
        MemberAdded, MemberRemoved, MemberRoleChanged, ProjectArchived, ProjectCreated, ProjectEvent, ProjectRenamed,
        ProjectResumed, ProjectSuspended,
    },
    values::{ProjectName, ProjectRole, ProjectStatus, Slug},
};
use crate::kernel::{
    Aggregate, Decision,
    ids::{ProjectId, UserId},
};

/// The properties of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectDetails {
    /// Its name.
    pub name: ProjectName,
    /// The short form of its name.
    pub slug: Slug,
    /// Whether it is a personal project, created at registration.
    pub personal: bool,
    /// Its members and their roles.
    pub members: BTreeMap<UserId, ProjectRole>,
}

impl ProjectDetails {
    fn new(created: &ProjectCreated) -> Self {
        Self {
            name: created.name.clone(),
            slug: created.slug.clone(),
            personal: created.personal,
            members: BTreeMap::from([(created.owner, ProjectRole::Owner)]),
        }
    }

    fn is_last_owner(&self, user: UserId) -> bool {
        let owners = || self.members.iter().filter(|(_, role)| **role == ProjectRole::Owner);
        owners().count() == 1 && owners().any(|(owner, _)| *owner == user)
    }
}

/// One project. The variants are the states of its life cycle; an archived one can only lose members and change owners.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Project {
    /// Nothing has been recorded yet.
    #[default]
    Unknown,
    /// In use.
    Active(ProjectDetails),
    /// Suspended.
    Suspended(ProjectDetails),
    /// Kept for history only.
    Archived(ProjectDetails),
}

impl Project {
    /// Creates a project with its first owner.
    ///
    /// # Errors
    /// [`ProjectError::AlreadyCreated`] when the id is in use.
    pub fn create(&self, name: &ProjectName, owner: UserId, personal: bool) -> Decision<Self> {
        match self {
            Self::Unknown => Ok(vec![ProjectCreated { name: name.clone(), slug: name.slug(), owner, personal }.into()]),
            Self::Active(_) | Self::Suspended(_) | Self::Archived(_) => Err(ProjectError::AlreadyCreated),
        }
    }

    /// Renames the project.
    ///
    /// # Errors
    /// When the project is not active.
    pub fn rename(&self, to: &ProjectName) -> Decision<Self> {
        match self.active()? {
            details if details.name == *to => Ok(vec![]),
            _ => Ok(vec![ProjectRenamed { name: to.clone(), slug: to.slug() }.into()]),
        }
    }

    /// Adds a member.
    ///
    /// # Errors
    /// [`ProjectError::AlreadyMember`] when they have another role, or when the project is not active.
    pub fn add_member(&self, user: UserId, role: ProjectRole) -> Decision<Self> {
        match self.active()?.members.get(&user) {
            None => Ok(vec![MemberAdded { user, role }.into()]),
            Some(present) if *present == role => Ok(vec![]),
            Some(_) => Err(ProjectError::AlreadyMember),
        }
    }

    /// Checks that a person can be added; `user` is `None` if they have no account yet.
    ///
    /// # Errors
    /// When the project is not active, or the person is a member.
    pub fn takes_in(&self, user: Option<UserId>) -> Result<(), ProjectError> {
        let details = self.active()?;
        match user {
            Some(user) if details.members.contains_key(&user) => Err(ProjectError::AlreadyMember),
            Some(_) | None => Ok(()),
        }
    }

    /// Changes a member's role. A demotion is possible in every state of the project.
    ///
    /// # Errors
    /// [`ProjectError::NotMember`], [`ProjectError::LastOwner`], or, for a promotion, when the project is not active.
    pub fn change_member_role(&self, user: UserId, to: ProjectRole) -> Decision<Self> {
        let details = self.existing()?;
        let present = *details.members.get(&user).ok_or(ProjectError::NotMember)?;
        if to.exceeds(present) {
            self.active()?;
        }
        match present {
            present if present == to => Ok(vec![]),
            _ if details.is_last_owner(user) => Err(ProjectError::LastOwner),
            _ => Ok(vec![MemberRoleChanged { user, role: to }.into()]),
        }
    }

    /// Removes a member, in every state of the project.
    ///
    /// # Errors
    /// [`ProjectError::NotMember`], [`ProjectError::LastOwner`], or when the project does not exist.
    pub fn remove_member(&self, user: UserId) -> Decision<Self> {
        let details = self.existing()?;
        match details.members.get(&user) {
            None => Err(ProjectError::NotMember),
            Some(_) if details.is_last_owner(user) => Err(ProjectError::LastOwner),
            Some(_) => Ok(vec![MemberRemoved { user }.into()]),
        }
    }

    /// Transfers the project: one member becomes an owner, and the owner who transfers it a maintainer. This is
    /// possible in every state of the project, so that its last owner can leave.
    ///
    /// # Errors
    /// [`ProjectError::NotMember`], or when the project does not exist.
    pub fn transfer(&self, from: Option<UserId>, to: UserId) -> Decision<Self> {
        let details = self.existing()?;
        let present = details.members.get(&to).ok_or(ProjectError::NotMember)?;
        let mut events = Vec::new();
        if *present != ProjectRole::Owner {
            events.push(MemberRoleChanged { user: to, role: ProjectRole::Owner }.into());
        }
        let owner = from.filter(|from| *from != to && details.members.get(from) == Some(&ProjectRole::Owner));
        events.extend(owner.map(|user| MemberRoleChanged { user, role: ProjectRole::Maintainer }.into()));
        Ok(events)
    }

    /// Suspends the project.
    ///
    /// # Errors
    /// When it is archived or does not exist.
    pub fn suspend(&self) -> Decision<Self> {
        match self {
            Self::Active(_) => Ok(vec![ProjectSuspended {}.into()]),
            Self::Suspended(_) => Ok(vec![]),
            Self::Archived(_) => Err(ProjectError::Archived),
            Self::Unknown => Err(ProjectError::NotCreated),
        }
    }

    /// Resumes the project.
    ///
    /// # Errors
    /// When it is archived or does not exist.
    pub fn resume(&self) -> Decision<Self> {
        match self {
            Self::Suspended(_) => Ok(vec![ProjectResumed {}.into()]),
            Self::Active(_) => Ok(vec![]),
            Self::Archived(_) => Err(ProjectError::Archived),
            Self::Unknown => Err(ProjectError::NotCreated),
        }
    }

    /// Archives the project.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn archive(&self) -> Decision<Self> {
        match self {
            Self::Active(_) | Self::Suspended(_) => Ok(vec![ProjectArchived {}.into()]),
            Self::Archived(_) => Ok(vec![]),
            Self::Unknown => Err(ProjectError::NotCreated),
        }
    }

    /// The project's properties, once created.
    #[must_use]
    pub const fn details(&self) -> Option<&ProjectDetails> {
        match self {
            Self::Active(details) | Self::Suspended(details) | Self::Archived(details) => Some(details),
            Self::Unknown => None,
        }
    }

    /// The project's status, once created.
    #[must_use]
    pub const fn status(&self) -> Option<ProjectStatus> {
        match self {
            Self::Active(_) => Some(ProjectStatus::Active),
            Self::Suspended(_) => Some(ProjectStatus::Suspended),
            Self::Archived(_) => Some(ProjectStatus::Archived),
            Self::Unknown => None,
        }
    }

    fn existing(&self) -> Result<&ProjectDetails, ProjectError> {
        self.details().ok_or(ProjectError::NotCreated)
    }

    const fn active(&self) -> Result<&ProjectDetails, ProjectError> {
        match self {
            Self::Active(details) => Ok(details),
            Self::Suspended(_) => Err(ProjectError::Suspended),
            Self::Archived(_) => Err(ProjectError::Archived),
            Self::Unknown => Err(ProjectError::NotCreated),
        }
    }

    const fn details_mut(&mut self) -> Option<&mut ProjectDetails> {
        match self {
            Self::Active(details) | Self::Suspended(details) | Self::Archived(details) => Some(details),
            Self::Unknown => None,
        }
    }
}

impl Aggregate for Project {
    const CATEGORY: &'static str = "project";
    type Id = ProjectId;
    type Event = ProjectEvent;
    type Error = ProjectError;

    fn apply(&mut self, event: &ProjectEvent) {
        match event {
            ProjectEvent::Created(it) => *self = Self::Active(ProjectDetails::new(it)),
            ProjectEvent::Suspended(_) => {
                if let Self::Active(details) = self {
                    *self = Self::Suspended(details.clone());
                }
            }
            ProjectEvent::Resumed(_) => {
                if let Self::Suspended(details) = self {
                    *self = Self::Active(details.clone());
                }
            }
            ProjectEvent::Archived(_) => {
                if let Some(details) = self.details() {
                    *self = Self::Archived(details.clone());
                }
            }
            ProjectEvent::Renamed(it) => {
                if let Some(details) = self.details_mut() {
                    details.name = it.name.clone();
                    details.slug = it.slug.clone();
                }
            }
            ProjectEvent::MemberAdded(MemberAdded { user, role })
            | ProjectEvent::MemberRoleChanged(MemberRoleChanged { user, role }) => {
                if let Some(details) = self.details_mut() {
                    details.members.insert(*user, *role);
                }
            }
            ProjectEvent::MemberRemoved(MemberRemoved { user }) => {
                if let Some(details) = self.details_mut() {
                    details.members.remove(user);
                }
            }
        }
    }
}
