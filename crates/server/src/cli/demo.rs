use std::path::PathBuf;

use super::stopping::{Told, until_asked};
use crate::{
    configuration::Settings,
    demo::{self, Demo},
    failure::Failure,
};

/// The location of the demo's data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Whether a data directory was given; otherwise a temporary one is used.
    pub(super) named: bool,
    /// Whether a database was given on the command line; one that is only configured is ignored.
    pub(super) database: bool,
}

/// Runs the demo in the given directory, or in a temporary one that is removed afterwards.
pub(super) async fn demo(
    mut settings: Settings,
    place: Place,
    lockfile: Option<PathBuf>,
    answer: Option<demo::Answer>,
    exit: bool,
) -> Result<(), Failure> {
    if !place.database {
        settings.database.url = None;
    }
    let temporary = if place.named { None } else { Some(tempfile::tempdir().map_err(Failure::operation)?) };
    if let Some(directory) = &temporary {
        settings.data_dir = directory.path().to_owned();
    }
    let demo = Demo { lockfile, answer, exit, keep: place.named };
    until_asked(Told::Plainly, |stop| demo::run(demo, settings, stop)).await
}
