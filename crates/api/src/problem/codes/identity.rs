use crate::problem::code::refusals;

refusals! {
    /// Why a request about identity is refused.
    IDENTITY {
    }
}
