//! Where in a run's events a place in the log lies.

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
    /// How many events of the run, which had so many, a reader has seen who has the first ones of them and knows what is recorded
    /// up to a place in the log.
    ///
    /// Most who ask have seen all but a few, so the search begins at the end: whoever has seen everything costs one look, and
    /// whoever has not costs two for each doubling of what they lack.
    pub(in crate::runs) async fn seen(
        &self,
        run: RunId,
        known: Version,
        version: Version,
        place: Position,
    ) -> Result<Version, PortError> {
        let (mut seen, mut most, mut back) = (known, if place == 0 { 0 } else { version }, 0);
        // Goes back 1, 2, 4 … from the end until there is one that was seen.
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

    /// Whether an event of the run lies before that place in the log, or there.
    async fn lies_within(&self, run: RunId, version: Version, place: Position) -> Result<bool, PortError> {
        let found = self.store.read_stream(StreamId::of::<Run>(run), version - 1, 1).await?;
        Ok(found.first().is_some_and(|event| event.position <= place))
    }
}
