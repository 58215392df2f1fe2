//! Made-up aggregates with one flaw each, which the laws of folding must catch.

use devskyy_domain::kernel::{Aggregate, Decision, Refusal, RefusalKind, ids::AgentId};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde::{Deserialize, Serialize};

use super::{Ask, Rules, any_asks};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LampLit {
    watts: u8,
    #[serde(skip)]
    colour: u8,
}
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LampBroken {}
devskyy_domain::first_version! {
    LampLit = "lamp.lit",
    LampBroken = "lamp.broken",
}
devskyy_domain::event_set! {
    /// What can happen to a lamp.
    enum LampEvent {
        /// It was lit.
        Lit(LampLit),
        /// It will not shine again.
        Broken(LampBroken),
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the lamp is broken and cannot be lit")]
struct Dark;

impl Refusal for Dark {
    fn code(&self) -> &'static str {
        "lamp.dark"
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Conflict
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Lamp {
    watts: u8,
    colour: u8,
    broken: bool,
}

impl Aggregate for Lamp {
    const CATEGORY: &'static str = "lamp";
    type Id = AgentId;
    type Event = LampEvent;
    type Error = Dark;

    fn apply(&mut self, event: &LampEvent) {
        match event {
            LampEvent::Lit(lit) => (self.watts, self.colour) = (lit.watts, lit.colour),
            LampEvent::Broken(_) => self.broken = true,
        }
    }
}

fn light(lamp: &Lamp, watts: u8, _: u8) -> Decision<Lamp> {
    match lamp {
        Lamp { broken: true, .. } => Err(Dark),
        Lamp { watts: now, .. } if *now == watts => Ok(vec![]),
        Lamp { .. } => Ok(vec![LampLit { watts, colour: 0 }.into()]),
    }
}

fn drop_it(lamp: &Lamp, _: u8, _: u8) -> Decision<Lamp> {
    Ok(if lamp.broken { vec![] } else { vec![LampBroken {}.into()] })
}

const SOUND: Rules<Lamp> =
    Rules { asks: &[light, drop_it], sound: |_| true, ended: |lamp, _| lamp.broken, noted: |_| false };

/// What the laws find in a lamp over as many histories as the contexts are tested with.
fn caught(rules: &Rules<Lamp>) -> Option<String> {
    let mut runner = TestRunner::deterministic();
    (0..96).find_map(|_| rules.play(&any_asks().new_tree(&mut runner).ok()?.current()).err())
}

/// A lamp with an additional flawed decision.
fn flawed(asks: &'static [Ask<Lamp>]) -> String {
    caught(&Rules { asks, ..SOUND }).unwrap_or_default()
}

#[test]
fn a_lamp_without_a_flaw_is_not_caught() {
    assert_eq!(caught(&SOUND), None);
}

#[test]
fn what_happens_after_the_end_is_caught() {
    let said = flawed(&[drop_it, |lamp, watts, _| light(&Lamp { broken: false, ..lamp.clone() }, watts, 0)]);
    assert!(said.contains("which has ended"), "{said}");
}

#[test]
fn an_event_that_changes_nothing_is_caught() {
    let said = flawed(&[|_, _, _| Ok(vec![LampLit { watts: 0, colour: 0 }.into()])]);
    assert!(said.contains("changes nothing"), "{said}");
}

#[test]
fn a_state_that_must_not_be_is_caught() {
    let said = caught(&Rules { sound: |lamp| lamp.watts < 3, ..SOUND }).unwrap_or_default();
    assert!(said.contains("which must not be"), "{said}");
}

#[test]
fn what_is_not_written_down_is_caught() {
    let said = flawed(&[|lamp, _, _| Ok(vec![LampLit { watts: 1, colour: lamp.colour.wrapping_add(1) }.into()])]);
    assert!(said.contains("is read as"), "{said}");
}

#[test]
fn an_answer_that_depends_on_more_than_the_state_is_caught() {
    static ASKED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);
    let said = flawed(&[|_, _, _| {
        let watts = ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(vec![LampLit { watts, colour: 0 }.into()])
    }]);
    assert!(said.contains("answers differently"), "{said}");
}
