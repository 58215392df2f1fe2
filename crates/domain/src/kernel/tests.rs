//! The kernel's own guarantees: old shapes are upcast step by step, and JSON survives a round trip.

use serde::{Deserialize, Serialize, de::IntoDeserializer, de::value::MapDeserializer};

use super::{Aggregate, DecodeError, EventSet, FirstVersion, Json, Refusal, RefusalKind, Versioned, given::given};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LitV1 {
    candles: u32,
}
crate::first_version!(LitV1 = "lamp.lit");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LitV2 {
    lumens: u32,
}
impl Versioned for LitV2 {
    const TYPE: &'static str = "lamp.lit";
    const VERSION: u16 = 2;
    type Previous = LitV1;
    fn upcast(previous: LitV1) -> Self {
        Self { lumens: previous.candles * 12 }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lit {
    watts: u32,
}
impl Versioned for Lit {
    const TYPE: &'static str = "lamp.lit";
    const VERSION: u16 = 3;
    type Previous = LitV2;
    fn upcast(previous: LitV2) -> Self {
        Self { watts: previous.lumens / 6 }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Broken {}
crate::first_version!(Broken = "lamp.broken");

crate::event_set! {
    enum LampEvent { Lit(Lit), Broken(Broken) }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the lamp is broken and cannot be lit")]
struct LampBroken;
impl Refusal for LampBroken {
    fn code(&self) -> &'static str {
        "lamp.broken"
    }
    fn kind(&self) -> RefusalKind {
        RefusalKind::Conflict
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Lamp {
    watts: u32,
    broken: bool,
}
impl Lamp {
    fn light(&self, watts: u32) -> super::Decision<Self> {
        match self {
            Self { broken: true, .. } => Err(LampBroken),
            Self { watts: now, .. } if *now == watts => Ok(vec![]),
            Self { .. } => Ok(vec![Lit { watts }.into()]),
        }
    }
}
impl Aggregate for Lamp {
    const CATEGORY: &'static str = "lamp";
    type Id = super::ids::AgentId;
    type Event = LampEvent;
    type Error = LampBroken;
    fn apply(&mut self, event: &LampEvent) {
        match event {
            LampEvent::Lit(lit) => self.watts = lit.watts,
            LampEvent::Broken(_) => self.broken = true,
        }
    }
}

fn stored(member: &'static str, version: u16) -> Result<LampEvent, DecodeError> {
    let payload: MapDeserializer<'_, _, serde::de::value::Error> = MapDeserializer::new([(member, 5_u32)].into_iter());
    LampEvent::decode("lamp.lit", version, payload)
}

#[test]
fn a_fact_of_the_first_shape_is_lifted_through_every_step() {
    assert_eq!(stored("candles", 1).unwrap(), LampEvent::Lit(Lit { watts: 10 }));
}

#[test]
fn a_fact_of_the_present_shape_is_read_as_it_is() {
    assert_eq!(stored("watts", 3).unwrap(), LampEvent::Lit(Lit { watts: 5 }));
}

#[test]
fn a_fact_from_a_newer_program_stops_the_line() {
    assert!(matches!(stored("watts", 4), Err(DecodeError::UnknownVersion { known: 3, found: 4, .. })));
}

#[test]
fn schema_version_zero_is_never_read() {
    assert!(matches!(stored("watts", 0), Err(DecodeError::UnknownVersion { found: 0, .. })));
}

#[test]
fn a_payload_that_lies_about_its_version_is_damage() {
    assert!(matches!(stored("candles", 3), Err(DecodeError::Damaged { found: 3, .. })));
}

#[test]
fn an_unknown_type_stops_the_line() {
    let payload: serde::de::value::UnitDeserializer<serde::de::value::Error> = ().into_deserializer();
    assert!(
        matches!(LampEvent::decode("lamp.sold", 1, payload), Err(DecodeError::UnknownType(name)) if name == "lamp.sold")
    );
}

#[test]
fn facts_are_written_with_their_newest_version() {
    assert_eq!(LampEvent::TYPES, [("lamp.lit", 3), ("lamp.broken", 1)]);
}

#[test]
fn nothing_precedes_the_first_version() {
    let payload: serde::de::value::UnitDeserializer<serde::de::value::Error> = ().into_deserializer();
    assert!(FirstVersion::deserialize(payload).is_err());
}

#[test]
fn asking_for_what_already_is_changes_nothing() {
    assert_eq!(given::<Lamp>([Lit { watts: 5 }.into()]).when(|lamp| lamp.light(5)), Ok(vec![]));
}

#[test]
fn a_refusal_is_the_outcome_of_a_decision() {
    assert_eq!(given::<Lamp>([Broken {}.into()]).when(|lamp| lamp.light(5)), Err(LampBroken));
}

#[test]
fn the_state_after_a_decision_is_the_fold_of_its_events() {
    assert_eq!(given::<Lamp>([]).after(|lamp| lamp.light(7)).map(|lamp| lamp.watts), Ok(7));
}

#[test]
fn members_are_ordered_by_name_whatever_order_they_came_in() {
    let one: Json = [("b".to_owned(), Json::Null), ("a".to_owned(), true.into())].into_iter().collect();
    let other: Json = [("a".to_owned(), true.into()), ("b".to_owned(), Json::Null)].into_iter().collect();
    assert_eq!(one, other);
}

#[test]
fn whole_numbers_beyond_the_signed_range_stay_exact() {
    assert_eq!(Json::from(u64::MAX), Json::Number(super::Number::Big(u64::MAX)));
}

#[test]
fn infinite_numbers_are_not_json() {
    let payload: serde::de::value::F64Deserializer<serde::de::value::Error> = f64::INFINITY.into_deserializer();
    assert!(Json::deserialize(payload).is_err());
}
