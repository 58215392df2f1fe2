//! The trail of who did what on SQL: facts as projected from the log, and records kept beside it for a while.

mod entity;
mod projection;
mod records;
mod trail;

pub use projection::AuditProjection;
pub use records::SqlAudit;
