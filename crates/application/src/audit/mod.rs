//! Who did what, when, from where, and with what outcome.
//!
//! What is a fact is told by its event. Sign-ins and denials are no facts with a history people ask about: they are kept
//! for a while beside the log. Where a request came from is personal and kept beside the log too, never in an event.

mod audited_store;
mod list_audit;
mod ports;
mod security_log;

pub use audited_store::AuditedEventStore;
pub use list_audit::{Audit, ListAudit};
pub use ports::{AuditEntry, AuditFilter, AuditPlace, AuditTrail, Origin, Outcome, SecurityRecord, SecurityRecords};
pub use security_log::{SecurityEvent, SecurityLog};

/// Kinds of aggregate whose events are told by the trail.
pub const AUDITED: [&str; 6] = ["user", "roster", "project", "invitation", "api_key", "agent"];
