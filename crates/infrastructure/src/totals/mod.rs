//! Lengths of lists, updated as they grow: counting rows takes time proportional to their number.

mod kept;
mod projection;

pub(crate) use kept::{Kept, List};
pub use projection::TotalsProjection;
