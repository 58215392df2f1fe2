//! How long lists are, kept as they grow: counting rows takes as long as there are rows.

mod kept;
mod projection;

pub(crate) use kept::{Kept, List};
pub use projection::TotalsProjection;
