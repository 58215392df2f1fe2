use crate::problem::code::refusals;

refusals! {
    /// Why a request about runs is refused.
    RUNS {
        CONFLICT "run.agent_inactive" "The agent is not active"
            "Activate or resume the agent first.";
        UNPROCESSABLE_ENTITY "run.input_schema" "The input violates the agent's schema"
            "Correct the value at the pointer; the agent's version contains the schema.";
        CONFLICT "run.ended" "The run has ended"
            "Start another run; an ended run does not change.";
        CONFLICT "run.not_ended" "The run has not ended"
            "Wait for its end, cancel it, or fork it.";
        UNPROCESSABLE_ENTITY "run.step_unknown" "Unknown step"
            "Use a step from the run's `steps`, or from the version to run.";
        UNPROCESSABLE_ENTITY "run.step_not_reached" "The run has not reached the step"
            "Fork from an earlier step, or wait until the step's needs are settled.";
        UNPROCESSABLE_ENTITY "run.steps_differ" "Steps to take over differ in the other version"
            "Fork from an earlier step, or run the version of the other run.";
        UNPROCESSABLE_ENTITY "run.version_unknown" "The agent has no such version"
            "Use a number from the agent's versions.";
        CONFLICT "run.cancelling" "The run is being cancelled"
            "Wait until it has ended.";
        CONFLICT "run.approval_decided" "The approval was decided the other way"
            "Read the approval; the first decision stands.";
        CONFLICT "run.approval_expired" "The approval has expired"
            "Nothing needs to be done; it counts as denied.";
        UNPROCESSABLE_ENTITY "run.nothing_to_edit" "There are no arguments to edit"
            "Send `arguments` only with `approve`, and only if the approval is about a call.";
        UNPROCESSABLE_ENTITY "run.arguments_schema" "The arguments violate the tool's schema"
            "Correct the value at the pointer; the agent's version contains the schema.";
        CONFLICT "run.in_doubt" "The outcome of a call is unknown"
            "Find out what happened, and give a verdict on each operation in `in_doubt`, of this run and of the runs below it.";
        CONFLICT "run.not_in_doubt" "The outcome is not in doubt"
            "Only operations whose outcome is unknown take a verdict.";
        UNPROCESSABLE_ENTITY "run.deadline_passed" "The deadline has passed"
            "Choose a deadline in the future.";
        UNPROCESSABLE_ENTITY "run.value_too_large" "A value is too large"
            "Send less, or less deeply nested, JSON.";
    }
}
