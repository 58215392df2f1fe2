//! Projects on SQL, derived from the log.

mod entity;
mod invitations;
mod projection;
mod views;

pub use invitations::{InvitationsProjection, SqlProjectInvitations};
pub use projection::ProjectsProjection;
pub use views::SqlProjects;
pub(crate) use views::projects_of;
