use std::ops::ControlFlow;

use devskyy_domain::kernel::Version;

use super::{
    recorded::{RecordedEvent, StreamId},
    store::{EventStore, goes_on},
};
use crate::error::PortError;

/// Most events read per round trip.
const PAGE: usize = 500;

/// Passes a stream's events after a version to `take`, in order, until there are no more or `take` breaks.
///
/// # Errors
/// [`PortError`] when the log cannot be read, and any error from `take`.
pub(crate) async fn walk(
    store: &dyn EventStore,
    stream: StreamId,
    mut after: Version,
    mut take: impl FnMut(&RecordedEvent) -> Result<ControlFlow<()>, PortError> + Send,
) -> Result<(), PortError> {
    loop {
        let events = store.read_stream(stream, after, PAGE).await?;
        for recorded in &events {
            if take(recorded)?.is_break() {
                return Ok(());
            }
        }
        match events.last() {
            Some(last) if goes_on(&events, PAGE) => after = last.version,
            _ => return Ok(()),
        }
    }
}
