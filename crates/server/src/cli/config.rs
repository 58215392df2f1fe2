use super::{arguments::Format, say};
use crate::{
    configuration::{self, Effective},
    failure::Failure,
};

/// Prints the effective values and their sources.
pub(super) fn print(effective: &Effective, format: Format) -> Result<(), Failure> {
    say(&match format {
        Format::Toml => configuration::as_toml(effective),
        Format::Json => configuration::as_json(effective),
    })
}
