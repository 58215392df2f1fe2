//! Projects: the unit of isolation and membership. Everything but users belongs to one.

mod error;
mod event;
mod invitation;
mod project;
mod values;

#[cfg(test)]
mod tests;

pub use error::ProjectError;
pub use event::{
    MemberAdded, MemberRemoved, MemberRoleChanged, ProjectArchived, ProjectCreated, ProjectEvent, ProjectRenamed,
    ProjectResumed, ProjectSuspended,
};
pub use invitation::{
    Invitation, InvitationAccepted, InvitationDeclined, InvitationError, InvitationEvent, InvitationIssued,
    InvitationWithdrawn,
};
pub use project::{Project, ProjectDetails};
pub use values::{ProjectName, ProjectRole, ProjectStatus, Slug};
