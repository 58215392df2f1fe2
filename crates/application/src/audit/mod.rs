//! Who did what, when, from which address, and with what outcome.
//!
//! Facts are read from their events. Sign-ins and denials are no facts of any aggregate: they are kept for a while
//! beside the log. The address of a request is personal and kept beside the log too, never in an event.

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

/// Kinds of aggregate whose events are part of the trail.
pub const AUDITED: [&str; 10] =
    ["user", "roster", "project", "invitation", "api_key", "agent", "provider", "secret", "budget", "run"];

/// Decisions of people about runs; everything else is found in the history of the run.
const STEERING: [&str; 5] =
    ["run.approval_decided", "run.outcome_settled", "run.cancel_requested", "run.retried", "run.forked"];

/// Decisions of people about budgets; what runs reserve and use is found in the runs.
const ALLOTTING: [&str; 2] = ["budget.set", "budget.removed"];

/// Whether a fact is part of the trail.
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
