//! Translates a position in the log into a number of events of a run.

use devskyy_domain::{
    kernel::{Version, ids::RunId},
    runs::Run,
};

use super::RunReading;
use crate::{
    error::PortError,
    es::{Position, StreamId},
};

impl RunReading {
    /// How many of a run's `version` events are known to a reader that has the first `known` ones and every event up to
    /// a position in the log.
    ///
    /// Most readers have all but a few events, so the search begins at the end. It costs one look if nothing is
    /// missing, else two for each doubling of what is missing.
    pub(in crate::runs) async fn seen(
        &self,
        run: RunId,
        known: Version,
        version: Version,
        place: Position,
    ) -> Result<Version, PortError> {
        let (mut seen, mut most, mut back) = (known, if place == 0 { 0 } else { version }, 0);
        // Go back 1, 2, 4 … events from the end until one is known.
        while seen < most {
            let earlier = version.saturating_sub(back).max(seen + 1);
            if self.lies_within(run, earlier, place).await? {
                seen = earlier;
                break;
            }
            (most, back) = (earlier - 1, (back * 2).max(1));
        }
        while seen < most {
            let middle = most - (most - seen) / 2;
            if self.lies_within(run, middle, place).await? {
                seen = middle;
            } else {
                most = middle - 1;
            }
        }
        Ok(seen)
    }

    /// Whether an event of the run is at or before a position in the log.
    async fn lies_within(&self, run: RunId, version: Version, place: Position) -> Result<bool, PortError> {
        let found = self.store.read_stream(StreamId::of::<Run>(run), version - 1, 1).await?;
        Ok(found.first().is_some_and(|event| event.position <= place))
    }
}
