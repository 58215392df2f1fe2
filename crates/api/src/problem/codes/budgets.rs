use crate::problem::code::refusals;

refusals! {
    /// Why a request about budgets is refused.
    BUDGETS {
        UNPROCESSABLE_ENTITY "budget.unlimited" "A budget without a limit"
            "Send `max_tokens`, `max_cost_micros` or both.";
        UNPROCESSABLE_ENTITY "budget.tokens_range" "Not a number of tokens"
            "Send `max_tokens` from 1 to 1000000000000000.";
        UNPROCESSABLE_ENTITY "budget.cost_range" "Not an amount of money"
            "Send `max_cost_micros` from 1 to 1000000000000000 millionths of a unit.";
        CONFLICT "budget.exhausted" "A run's call of a model does not fit the budget"
            "Wait until the budget resets, or raise it; then start the run again.";
        UNPROCESSABLE_ENTITY "usage.range" "Not a range of days"
            "Send a `from` before `to`, by at most 366 days.";
    }
}
