//! Who may do what: one written table, enforced by the handlers.
//!
//! A project an actor may not see does not exist for them: every question about it answers *not found*.

mod ports;
mod require;
mod table;

pub use ports::{Memberships, Standing};
pub use require::{Access, ListScope};
pub use table::{Permission, PlatformPermission, allows, allows_on_platform, markdown};
