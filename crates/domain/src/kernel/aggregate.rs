use super::{event::EventSet, ids::StreamKey, refusal::Refusal};

/// Number of events in a stream; 0 before the first. It is also an aggregate's `ETag`.
pub type Version = u64;

/// What a decision method answers: the facts that follow, or why nothing may.
///
/// `Ok(vec![])` means *already so*: the request succeeds and nothing is written.
pub type Decision<A> = Result<Vec<<A as Aggregate>::Event>, <A as Aggregate>::Error>;

/// A consistency boundary whose state is the fold of its own events.
///
/// Decisions are inherent methods taking `&self` and returning a [`Decision`]; only [`Aggregate::apply`] is shared,
/// because only folding has to be the same for all.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// Name of the kind of stream, stored with each one (for example `agent`); never changes once written.
    const CATEGORY: &'static str;
    /// Which one of its kind.
    type Id: StreamKey;
    /// The facts it is folded from.
    type Event: EventSet;
    /// The reasons it has to refuse.
    type Error: Refusal;

    /// Takes in one fact. Total and without rules: it also runs on facts from years ago.
    fn apply(&mut self, event: &Self::Event);

    /// Folds facts over the state, in order.
    #[must_use]
    fn evolved<'a>(mut self, events: impl IntoIterator<Item = &'a Self::Event>) -> Self {
        for event in events {
            self.apply(event);
        }
        self
    }
}
