use crate::problem::code::refusals;

refusals! {
    /// Why a request about runs is refused.
    RUNS {
    }
}
