//! The definition type of agent versions.

use crate::change::Change;

/// Sets the type of all existing definitions: they are workflows.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |_| SCRIPT.to_owned());

const SCRIPT: &str = r#"UPDATE agent_versions SET definition = '{"workflow":' || definition || '}'"#;
