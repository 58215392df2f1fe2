//! Versions of agents say of which type their definition is.

use crate::change::Change;

/// Names the type of every definition there is: all of them are workflows.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |_| SCRIPT.to_owned());

const SCRIPT: &str = r#"UPDATE agent_versions SET definition = '{"workflow":' || definition || '}'"#;
