use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::values::{Choice, Edit, Place};
use crate::{
    kernel::{FirstVersion, Json, Versioned, ids::ApprovalId},
    workflow::Denial,
};

/// The call a person is asked to approve; its arguments are the question's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedCall {
    /// The tool's name.
    pub tool: String,
    /// SHA-256 of the arguments' JSON text, members in order of their names, in hexadecimal.
    pub arguments_hash: String,
}

/// A person is asked for approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequested {
    /// Where in the run.
    pub place: Place,
    /// The approval.
    pub approval: ApprovalId,
    /// The question.
    pub prompt: String,
    /// What to look at before answering; for a call, its exact arguments.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub data: Json,
    /// What a denial means.
    pub on_deny: Denial,
    /// The call to be approved, if the question is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<ProposedCall>,
    /// When the question counts as denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was asked.
    pub at: DateTime<Utc>,
}

/// Version 1: questions were never about a call and never expired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepApprovalRequested {
    /// Where in the run.
    pub place: Place,
    /// The approval.
    pub approval: ApprovalId,
    /// The question.
    pub prompt: String,
    /// What to look at before answering.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub data: Json,
    /// What a denial means.
    pub on_deny: Denial,
    /// When it was asked.
    pub at: DateTime<Utc>,
}

impl Versioned for StepApprovalRequested {
    const TYPE: &'static str = "run.approval_requested";
    const VERSION: u16 = 1;
    type Previous = FirstVersion;

    fn upcast(previous: FirstVersion) -> Self {
        match previous {}
    }
}

impl Versioned for ApprovalRequested {
    const TYPE: &'static str = "run.approval_requested";
    const VERSION: u16 = 2;
    type Previous = StepApprovalRequested;

    fn upcast(previous: StepApprovalRequested) -> Self {
        let StepApprovalRequested { place, approval, prompt, data, on_deny, at } = previous;
        Self { place, approval, prompt, data, on_deny, call: None, expires_at: None, at }
    }
}

/// A person answered a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalDecided {
    /// The approval.
    pub approval: ApprovalId,
    /// The answer.
    pub decision: Choice,
    /// The arguments to call with instead, if they were edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
    /// The reason, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who answered.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Version 1: arguments could not be edited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepApprovalDecided {
    /// The approval.
    pub approval: ApprovalId,
    /// The answer.
    pub decision: Choice,
    /// The reason, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who answered.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Versioned for StepApprovalDecided {
    const TYPE: &'static str = "run.approval_decided";
    const VERSION: u16 = 1;
    type Previous = FirstVersion;

    fn upcast(previous: FirstVersion) -> Self {
        match previous {}
    }
}

impl Versioned for ApprovalDecided {
    const TYPE: &'static str = "run.approval_decided";
    const VERSION: u16 = 2;
    type Previous = StepApprovalDecided;

    fn upcast(previous: StepApprovalDecided) -> Self {
        let StepApprovalDecided { approval, decision, reason, by, at } = previous;
        Self { approval, decision, edit: None, reason, by, at }
    }
}

/// A question was not answered in time; that counts as a denial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalExpired {
    /// The approval.
    pub approval: ApprovalId,
    /// When.
    pub at: DateTime<Utc>,
}

crate::first_version!(ApprovalExpired = "run.approval_expired");
