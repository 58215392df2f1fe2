//! The audit trail on SQL: events projected from the log, and records kept beside it for a limited time.

mod entity;
mod projection;
mod records;
mod trail;

pub use projection::AuditProjection;
pub use records::SqlAudit;
