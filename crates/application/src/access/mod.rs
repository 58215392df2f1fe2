//! Authorization: one table of permissions, enforced by the handlers.
//!
//! A project that an actor may not see does not exist for them: every request about it returns *not found*.

mod ports;
mod require;
mod table;

pub use ports::{Memberships, Standing};
pub use require::{Access, ListScope};
pub use table::{Permission, PlatformPermission, allows, allows_on_platform, markdown};
