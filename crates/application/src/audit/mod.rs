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
pub const AUDITED: [&str; 10] =
    ["user", "roster", "project", "invitation", "api_key", "agent", "provider", "secret", "budget", "run"];

/// What people decide about runs; everything else that happens to a run is told by its own history.
const STEERING: [&str; 5] =
    ["run.approval_decided", "run.outcome_settled", "run.cancel_requested", "run.retried", "run.forked"];

/// What people decide about budgets; what runs reserve and use is told by the runs.
const ALLOTTING: [&str; 2] = ["budget.set", "budget.removed"];

/// Whether the trail tells a fact.
#[must_use]
pub fn is_told(category: &str, event_type: &str) -> bool {
    match category {
        "run" => STEERING.contains(&event_type),
        "budget" => ALLOTTING.contains(&event_type),
        category => AUDITED.contains(&category),
    }
}

#[cfg(test)]
mod tests {
    use super::is_told;

    #[test]
    fn what_people_decide_is_told() {
        for kind in
            ["secret.added", "budget.set", "budget.removed", "run.cancel_requested", "run.retried", "run.forked"]
        {
            assert!(is_told(kind.split('.').next().unwrap_or_default(), kind), "{kind}");
        }
    }

    #[test]
    fn what_runs_do_by_themselves_is_not_told() {
        for kind in ["budget.reserved", "budget.settled", "budget.released", "run.queued", "run.tool_called"] {
            assert!(!is_told(kind.split('.').next().unwrap_or_default(), kind), "{kind}");
        }
    }
}
