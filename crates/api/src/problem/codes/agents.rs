use crate::problem::code::refusals;

refusals! {
    /// Why a request about agents is refused.
    AGENTS {
    }
}
