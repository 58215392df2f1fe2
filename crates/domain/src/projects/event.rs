use serde::{Deserialize, Serialize};

use super::values::{ProjectName, ProjectRole, Slug};
use crate::kernel::ids::UserId;

/// A project was created with its first owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectCreated {
    /// Its name.
    pub name: ProjectName,
    /// The short form of its name.
    pub slug: Slug,
    /// Its first owner.
    pub owner: UserId,
    /// Whether it is the owner's personal project, created at registration.
    pub personal: bool,
}

/// The project was renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectRenamed {
    /// Its new name.
    pub name: ProjectName,
    /// The short form of its new name.
    pub slug: Slug,
}

/// A member was added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberAdded {
    /// The member.
    pub user: UserId,
    /// Their role.
    pub role: ProjectRole,
}

/// A member's role was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRoleChanged {
    /// The member.
    pub user: UserId,
    /// The new role.
    pub role: ProjectRole,
}

/// A member was removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRemoved {
    /// The member.
    pub user: UserId,
}

/// The project was suspended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectSuspended {}

/// The project was resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectResumed {}

/// The project was archived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectArchived {}

crate::first_version! {
    ProjectCreated = "project.created",
    ProjectRenamed = "project.renamed",
    MemberAdded = "project.member_added",
    MemberRoleChanged = "project.member_role_changed",
    MemberRemoved = "project.member_removed",
    ProjectSuspended = "project.suspended",
    ProjectResumed = "project.resumed",
    ProjectArchived = "project.archived",
}

crate::event_set! {
    /// What can happen to a project.
    pub enum ProjectEvent {
        /// It was created with its first owner.
        Created(ProjectCreated),
        /// It was renamed.
        Renamed(ProjectRenamed),
        /// A member was added.
        MemberAdded(MemberAdded),
        /// A member's role was changed.
        MemberRoleChanged(MemberRoleChanged),
        /// A member was removed.
        MemberRemoved(MemberRemoved),
        /// It was suspended.
        Suspended(ProjectSuspended),
        /// It was resumed.
        Resumed(ProjectResumed),
        /// It was archived.
        Archived(ProjectArchived),
    }
}
