/// Refusals that no request can cause: ids are fresh, use cases check before they decide, and only workers report on
/// runs. One that reaches a client is a defect of the platform.
const DEFECTS: &[&str] = &[
    "user.already_registered",
    "user.not_registered",
    "api_key.already_issued",
    "api_key.not_issued",
    "project.already_created",
    "project.not_created",
    "invitation.already_issued",
    "invitation.not_issued",
    "agent.already_created",
    "agent.not_created",
    "agent.definition_type",
    "run.unknown",
    "run.begun",
    "run.superseded",
    "run.step_state",
    "run.approval_unknown",
    "run.operation_unknown",
    "run.too_deep",
    "secret.already_added",
    "secret.not_added",
    "provider.already_added",
    "provider.not_added",
    "provider.removed",
];

/// Whether a code is of a refusal that no request can cause.
#[must_use]
pub fn is_defect(code: &str) -> bool {
    DEFECTS.contains(&code)
}
