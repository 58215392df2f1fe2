use std::ops::ControlFlow;

use devskyy_domain::kernel::Version;

use super::{
    recorded::{RecordedEvent, StreamId},
    store::{EventStore, goes_on},
};
use crate::error::PortError;

/// Most events read per round trip.
const PAGE: usize = 500;

/// Hands over a stream's events after a version, in order, until there are no more or whoever takes them has enough.
///
/// # Errors
/// [`PortError`] when the log cannot be read, and what the taker fails with.
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
