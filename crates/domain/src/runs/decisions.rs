//! The effect of an answer to a question, or of its expiry, on a run.

use std::sync::Arc;

use super::{
    approval_event::{ApprovalDecided, ApprovalExpired},
    run::Run,
    state::{Proposal, Unit},
    values::{Choice, Failure},
};
use crate::{kernel::Json, workflow::Denial};

impl Run {
    pub(super) fn decided(&mut self, decided: &ApprovalDecided) {
        let Some(question) = self.approvals.get_mut(&decided.approval) else { return };
        let hash = decided.edit.as_ref().map(|edit| edit.arguments_hash.clone());
        question.answer = Some((decided.decision, hash));
        let place = question.place.clone();
        let (denial, call) = match self.unit(&place) {
            Some(Unit::Asking { on_deny, call, .. }) => (*on_deny, call.clone()),
            _ => (Denial::Fail, None),
        };
        let unit = match (decided.decision, denial, call) {
            (Choice::Approve, _, Some(call)) => Unit::Approved(edited(call, decided)),
            (Choice::Deny, _, Some(_)) | (Choice::Deny, Denial::Fail, None) => {
                let why = decided.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let error = Failure::new("run.approval_denied", format!("{} denied the approval{why}", decided.by));
                Unit::Failed(error.at(&place))
            }
            (Choice::Approve | Choice::Deny, _, None) => {
                let answer = answer(decided.decision, decided.reason.as_deref(), Some(&decided.by));
                Unit::Succeeded(answer.into())
            }
        };
        if let Some(edit) = &decided.edit {
            self.weigh(edit.arguments.measure());
        }
        self.put(&place, unit);
        self.wake(false);
    }

    pub(super) fn expired(&mut self, expired: &ApprovalExpired) {
        let Some(question) = self.approvals.get_mut(&expired.approval) else { return };
        question.answer = Some((Choice::Deny, None));
        let place = question.place.clone();
        let unit = match self.unit(&place) {
            Some(Unit::Asking { on_deny: Denial::Continue, call: None, .. }) => {
                Unit::Succeeded(answer(Choice::Deny, Some(UNANSWERED), None).into())
            }
            _ => Unit::Failed(Failure::new("run.approval_expired", UNANSWERED).at(&place)),
        };
        self.put(&place, unit);
    }
}

fn edited(call: Proposal, decided: &ApprovalDecided) -> Proposal {
    match &decided.edit {
        Some(edit) => Proposal { arguments: Arc::new(edit.arguments.clone()), ..call },
        None => call,
    }
}

/// Message of an approval that expired.
const UNANSWERED: &str = "nobody answered the approval in time";

/// The output of an approval for later steps; `by` is `None` if it expired.
fn answer(choice: Choice, reason: Option<&str>, by: Option<&str>) -> Json {
    let text = |value: Option<&str>| value.map_or(Json::Null, Json::from);
    let decision = match choice {
        Choice::Approve => "approve",
        Choice::Deny => "deny",
    };
    let members = [("decision", decision.into()), ("reason", text(reason)), ("decided_by", text(by))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
