//! Laws of the fold of every aggregate, over generated histories: an aggregate is asked for decisions of every kind in
//! any order, most of which it refuses.
//!
//! A context adds a file here that lists the possible decisions, and passes it to [`holds!`].

mod agents;
mod budgets;
mod culprits;
mod keys;
mod people;
mod projects;
mod providers;
mod runs;
mod secrets;

use std::{collections::BTreeSet, fmt::Debug};

use devskyy_domain::kernel::{Aggregate, Decision, EventSet};
use proptest::{prelude::*, sample::Index, strategy::ValueTree as _, test_runner::TestRunner};

/// The number of histories for each law.
const VARIABLE: &str = "DEVSKYY_TEST_HISTORIES";
/// Histories in which every event must occur.
const HISTORIES: usize = 600;
/// The default number of histories for a law: few, so that these tests take little time.
const FEW: u32 = 12;

/// The requested number of histories, if any.
#[expect(clippy::disallowed_methods, reason = "a test learns how thorough it should be by itself")]
fn asked_for() -> Option<u32> {
    let asked = std::env::var(VARIABLE).ok()?;
    Some(asked.parse().unwrap())
}

/// The number of histories for a law.
pub(crate) fn cases() -> u32 {
    asked_for().unwrap_or(FEW)
}

/// Asks for one kind of decision; which of a few people, names or amounts it concerns is random.
pub(crate) type Ask<A> = fn(&A, u8, u8) -> Decision<A>;

/// Which decision is asked for, and what it concerns.
pub(crate) type Asked = (Index, u8, u8);

/// What is specific to one kind of aggregate.
pub(crate) struct Rules<A: Aggregate> {
    /// All possible decisions.
    pub(crate) asks: &'static [Ask<A>],
    /// What must be true of it after any decision.
    pub(crate) sound: fn(&A) -> bool,
    /// Whether it has ended, so that this event can no longer happen.
    pub(crate) ended: fn(&A, &A::Event) -> bool,
    /// Events that are recorded although no later decision depends on them.
    pub(crate) noted: fn(&A::Event) -> bool,
}

impl<A: Aggregate + PartialEq + Debug> Rules<A> {
    fn decide(&self, state: &A, (which, one, other): &Asked) -> Decision<A> {
        which.get(self.asks)(state, *one, *other)
    }

    /// Asks for one decision after the other, folds their events, and returns all of them.
    ///
    /// # Errors
    /// The law that does not hold.
    fn play(&self, asked: &[Asked]) -> Result<Vec<A::Event>, String> {
        let (mut state, mut history) = (A::default(), Vec::new());
        for ask in asked {
            let decided = self.decide(&state, ask);
            if decided != self.decide(&state, ask) {
                return Err(format!("asked twice, {state:?} answers differently"));
            }
            let Ok(events) = decided else { continue };
            if let Some(event) = events.iter().find(|event| (self.ended)(&state, event)) {
                return Err(format!("{event:?} happens to {state:?}, which has ended"));
            }
            for event in &events {
                let before = state.clone();
                state.apply(event);
                if state == before && !(self.noted)(event) {
                    return Err(format!("{event:?} changes nothing about {before:?}"));
                }
            }
            if !(self.sound)(&state) {
                return Err(format!("{events:?} leads to {state:?}, which must not be"));
            }
            history.extend(events);
        }
        self.remembered(&state, &history)?;
        Ok(history)
    }

    /// A history folds to the state it led to: as a whole, from any point on, and after it was written and read.
    fn remembered(&self, state: &A, history: &[A::Event]) -> Result<(), String> {
        if A::default().evolved(history) != *state {
            return Err(format!("folded at once, {history:?} is not {state:?}"));
        }
        let (early, late) = history.split_at(history.len() / 2);
        if A::default().evolved(early).evolved(late) != *state {
            return Err(format!("folded in two, {history:?} is not {state:?}"));
        }
        match history.iter().map(reread).collect::<Result<Vec<_>, _>>()? {
            read if read == history => Ok(()),
            read => Err(format!("{history:?} is read as {read:?}")),
        }
    }

    /// Events that no history leads to. It is enough that all others occur, unless more histories were requested: then
    /// an event that is known not to occur may not occur in any history.
    fn never(&self, known: &[&'static str]) -> BTreeSet<&'static str> {
        let (mut runner, mut never) = (TestRunner::deterministic(), BTreeSet::new());
        never.extend(A::Event::TYPES.iter().map(|(name, _)| *name));
        let (known, all) = (BTreeSet::from_iter(known.iter().copied()), asked_for().is_some());
        let most = asked_for().map_or(HISTORIES, |asked| HISTORIES.max(asked as usize));
        for _ in 0..most {
            if never == known && !all {
                break;
            }
            let asked = any_asks().new_tree(&mut runner).map(|drawn| drawn.current()).unwrap_or_default();
            for event in self.play(&asked).unwrap_or_default() {
                never.remove(event.event_type());
            }
        }
        never
    }

    /// Folds events of several histories in any order, and then asks for decisions: nothing may panic.
    fn survive(&self, events: &[A::Event], order: &[Index], asked: &[Asked]) {
        if events.is_empty() {
            return;
        }
        let mut state = A::default();
        for (index, ask) in order.iter().zip(asked.iter().cycle()) {
            state.apply(index.get(events));
            let _ = self.decide(&state, ask);
        }
    }
}

fn reread<E: EventSet>(event: &E) -> Result<E, String> {
    let mut bytes = Vec::new();
    event.encode(&mut serde_json::Serializer::new(&mut bytes)).map_err(|error| format!("{event:?}: {error}"))?;
    let mut payload = serde_json::Deserializer::from_slice(&bytes);
    E::decode(event.event_type(), event.schema_version(), &mut payload).map_err(|error| format!("{event:?}: {error}"))
}

/// Any decisions: what they concern is one of few values, so that they interact.
pub(crate) fn any_asks() -> impl Strategy<Value = Vec<Asked>> {
    proptest::collection::vec((any::<Index>(), 0..4_u8, 0..4_u8), 1..40)
}

/// Any order of events, some of them twice, some never.
pub(crate) fn any_order() -> impl Strategy<Value = Vec<Index>> {
    proptest::collection::vec(any::<Index>(), 0..60)
}

/// Generates tests of the laws for every aggregate.
macro_rules! holds {
    ($($name:ident: $rules:expr $(, without $without:literal)*;)+) => {$(
        mod $name {
            use proptest::prelude::*;

            use super::*;
            use crate::folding::{any_asks, any_order, cases};

            #[test]
            fn comes_to_every_fact_there_is() {
                let known: &[&str] = &[$($without),*];
                assert_eq!($rules.never(known), std::collections::BTreeSet::from_iter(known.iter().copied()));
            }

            proptest! {
                #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

                #[test]
                fn folds_to_the_state_that_its_decisions_led_to(asked in any_asks()) {
                    prop_assert_eq!($rules.play(&asked).err(), None);
                }

                #[test]
                fn takes_in_any_events_in_any_order(one in any_asks(), other in any_asks(), order in any_order()) {
                    let mut events = $rules.play(&one).unwrap_or_default();
                    events.extend($rules.play(&other).unwrap_or_default());
                    $rules.survive(&events, &order, &one);
                }
            }
        }
    )+};
}
pub(crate) use holds;
