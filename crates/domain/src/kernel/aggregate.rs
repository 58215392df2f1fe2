use super::{event::EventSet, ids::StreamKey, refusal::Refusal};

/// Number of events in a stream; 0 before the first. Also an aggregate's `ETag`.
pub type Version = u64;

/// The result of a decision method: the events to record, or a refusal.
///
/// `Ok(vec![])` means that nothing has to change: the request succeeds and nothing is written.
pub type Decision<A> = Result<Vec<<A as Aggregate>::Event>, <A as Aggregate>::Error>;

/// A consistency boundary whose state is the fold of its own events.
///
/// Decisions are inherent methods that take `&self` and return a [`Decision`]. Only [`Aggregate::apply`] is part of the
/// trait, because only folding is the same for all aggregates.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// Stored name of the kind of stream, for example `agent`; never changes once written.
    const CATEGORY: &'static str;
    /// Id of one aggregate of this kind.
    type Id: StreamKey;
    /// The events the state is folded from.
    type Event: EventSet;
    /// The reasons for which a decision is refused.
    type Error: Refusal;

    /// Applies one event. Total and free of rules: it also runs on events that are years old.
    fn apply(&mut self, event: &Self::Event);

    /// Applies events in order.
    #[must_use]
    fn evolved<'a>(mut self, events: impl IntoIterator<Item = &'a Self::Event>) -> Self {
        for event in events {
            self.apply(event);
        }
        self
    }
}
