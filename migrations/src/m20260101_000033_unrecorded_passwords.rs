//! The order in which changes of passwords that the log does not have yet are looked for.

use crate::change::Change;

/// Builds the index on its own: its table is not locked against readers meanwhile.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |_| INDEX.to_owned());

const INDEX: &str =
    "CREATE INDEX credentials_unrecorded ON credentials (unrecorded_since) WHERE unrecorded_since IS NOT NULL";
