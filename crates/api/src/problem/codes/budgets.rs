use crate::problem::code::refusals;

refusals! {
    /// Why a request about budgets is refused.
    BUDGETS {
        UNPROCESSABLE_ENTITY "budget.unlimited" "A budget without a limit"
            "Send `max_tokens`, `max_cost_micros` or both.";
        UNPROCESSABLE_ENTITY "budget.tokens_range" "Token limit is out of range"
            "Send `max_tokens` from 1 to 1000000000000000.";
        UNPROCESSABLE_ENTITY "budget.cost_range" "Cost limit is out of range"
            "Send `max_cost_micros` from 1 to 1000000000000000 millionths of a unit.";
        CONFLICT "budget.exhausted" "A model call does not fit into the budget"
            "Wait until the budget resets, or raise it; then start the run again.";
        UNPROCESSABLE_ENTITY "usage.range" "Range of days is invalid"
            "Send a `from` before `to`, by at most 366 days.";
    }
}
