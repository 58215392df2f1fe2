//! Who did what, when, from where, and with what outcome.
//!
//! What is a fact is told by its event. Sign-ins and denials are no facts with a history people ask about: they are kept
//! for a while beside the log. Where a request came from is personal and kept beside the log too, never in an event.

mod audited_store;
mod flood;
mod list_audit;
mod ports;
mod security_event;
mod security_log;

pub use audited_store::AuditedEventStore;
pub use list_audit::{Audit, ListAudit};
pub use ports::{AuditEntry, AuditFilter, AuditPlace, AuditTrail, Origin, Outcome, SecurityRecord, SecurityRecords};
pub use security_event::SecurityEvent;
pub use security_log::SecurityLog;

/// Kinds of aggregate whose events are told by the trail.
pub const AUDITED: [&str; 8] = ["user", "roster", "project", "invitation", "api_key", "agent", "provider", "run"];

/// What people decide about runs; everything else that happens to a run is told by its own history.
const STEERING: [&str; 3] = ["run.approval_decided", "run.outcome_settled", "run.cancel_requested"];

/// Whether the trail tells a fact.
#[must_use]
pub fn is_told(category: &str, event_type: &str) -> bool {
    AUDITED.contains(&category) && (category != "run" || STEERING.contains(&event_type))
}
