use std::fmt::Write as _;

use devskyy_domain::kernel::Json;
use sha2::{Digest, Sha256};

use crate::error::PortError;

/// SHA-256 of the JSON text, members in order of their names, in hexadecimal: the hash an approval is bound to.
pub(super) fn arguments_hash(arguments: &Json) -> Result<String, PortError> {
    let failed = |source| PortError::bug("approval", "writing arguments", source);
    let text = serde_json::to_string(arguments).map_err(failed)?;
    let digest = Sha256::digest(text.as_bytes());
    Ok(digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
