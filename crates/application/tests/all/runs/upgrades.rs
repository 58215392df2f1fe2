//! A run that an earlier release parked, resumed by this one. The file holds its events as that release wrote them.

use devskyy_application::es::{AppendRequest, EventStore, NewEvent, Precondition, StreamId, StreamWrite};
use devskyy_domain::{
    kernel::{Versioned, ids::RunId},
    runs::{ApprovalRequested, Choice, Run},
};
use serde_json::Value;
use uuid::Uuid;

use super::world::{World, json};

const PARKED: &str = include_str!("../../fixtures/parked_on_approval.jsonl");

const ASKS: &str = r#"{"steps":[{"id":"ask","approval":{"prompt":"Go on?"}},
    {"id":"then","needs":["ask"],"tool":"jq","arguments":{"$jq":".input"}}],"output":{"$jq":".steps.then.output"}}"#;

fn events() -> impl Iterator<Item = Value> {
    PARKED.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// A platform whose log holds what the earlier release recorded.
fn upgraded() -> (World, RunId) {
    let world = World::new();
    world.agent(1, ASKS);
    let run = RunId::from(Uuid::from_u128(50));
    let events = events().map(|event| NewEvent {
        event_type: event["type"].as_str().unwrap().to_owned().into(),
        schema_version: event["version"].as_u64().unwrap().try_into().unwrap(),
        data: event["data"].to_string(),
    });
    let writes = vec![StreamWrite {
        stream: StreamId::of::<Run>(run),
        precondition: Precondition::NoStream,
        events: events.collect(),
    }];
    let context = World::actor().event_context(None);
    world.ask(world.store.append(AppendRequest { writes, claims: vec![], idempotency: None, context })).unwrap();
    (world, run)
}

#[test]
fn the_question_was_written_in_an_older_version_than_today_s() {
    let asked = events().find(|event| event["type"] == ApprovalRequested::TYPE).unwrap();
    assert!(asked["version"].as_u64().unwrap() < u64::from(ApprovalRequested::VERSION));
}

#[test]
fn a_run_parked_on_approval_by_an_earlier_release_waits_in_this_one() {
    let (world, run) = upgraded();
    assert_eq!(world.open_approval(run).map(Uuid::from), Some(Uuid::from_u128(0x42)));
}

#[test]
fn a_run_parked_on_approval_by_an_earlier_release_is_approved_and_finished_by_this_one() {
    let (world, run) = upgraded();
    world.decide(run, Choice::Approve).unwrap();
    assert_eq!(world.work_to_end(run).output, Some(json("5")));
}
