use super::say;
use crate::failure::Failure;

/// Prints the OpenAPI document.
pub(super) fn print() -> Result<(), Failure> {
    let document = devskyy_api::openapi().to_pretty_json().map_err(Failure::operation)?;
    say(&(document + "\n"))
}
