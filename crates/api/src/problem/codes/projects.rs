use crate::problem::code::refusals;

refusals! {
    /// Why a request about projects is refused.
    PROJECTS {
    }
}
