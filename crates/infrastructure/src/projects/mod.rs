//! Projects on SQL, as projected from the log.

mod entity;
mod projection;
mod views;

pub use projection::ProjectsProjection;
pub use views::SqlProjects;
pub(crate) use views::projects_of;
