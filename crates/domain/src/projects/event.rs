use serde::{Deserialize, Serialize};

use super::values::{ProjectName, ProjectRole, Slug};
use crate::kernel::ids::UserId;

/// A project came into being with its first owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectCreated {
    /// Its name.
    pub name: ProjectName,
    /// The short form of its name.
    pub slug: Slug,
    /// Its first owner.
    pub owner: UserId,
    /// Whether it was made for that person at registration.
    pub personal: bool,
}

/// The project goes by another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectRenamed {
    /// Its new name.
    pub name: ProjectName,
    /// The short form of its new name.
    pub slug: Slug,
}

/// A person belongs to the project from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberAdded {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: ProjectRole,
}

/// A member has another role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRoleChanged {
    /// Who.
    pub user: UserId,
    /// Their role from now on.
    pub role: ProjectRole,
}

/// A person no longer belongs to the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRemoved {
    /// Who.
    pub user: UserId,
}

/// The project is on hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectSuspended {}

/// The project is in use again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectResumed {}

/// The project is kept for history only.
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
        /// It came into being with its first owner.
        Created(ProjectCreated),
        /// It goes by another name.
        Renamed(ProjectRenamed),
        /// A person belongs to it from now on.
        MemberAdded(MemberAdded),
        /// A member has another role.
        MemberRoleChanged(MemberRoleChanged),
        /// A person no longer belongs to it.
        MemberRemoved(MemberRemoved),
        /// It is on hold.
        Suspended(ProjectSuspended),
        /// It is in use again.
        Resumed(ProjectResumed),
        /// It is kept for history only.
        Archived(ProjectArchived),
    }
}
