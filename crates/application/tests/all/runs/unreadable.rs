//! An unreadable run does not prevent others from learning how their child runs ended.

use std::time::Duration;

use devskyy_application::runs::{RunStatus, RunView};
use devskyy_domain::{
    kernel::ids::RunId,
    runs::{Choice, Waiting},
};

use super::world::World;

const CHILDREN: &str = "runs.children";

fn below(parent: &RunView) -> RunId {
    parent.steps[0].execution.child_run_id.expect("it waits for a child")
}

/// Two runs that each wait for the end of a child, which waits for an approval; the first of the two cannot be read,
/// and then both children complete.
fn torn() -> (World, [RunId; 2]) {
    let world = World::new();
    let child = world.agent(2, r#"{"steps":[{"id":"ask","approval":{"prompt":"go?"}}]}"#);
    let agent = world.agent(1, &format!(r#"{{"steps":[{{"id":"a","agent":"{child}"}}],"output":"done"}}"#));
    let parents = [(); 2].map(|()| world.try_start(agent, "null").unwrap());
    let waits = |world: &World, run: RunId| world.view(run).summary.waiting_for == [Waiting::Child];
    world.work_until(|world| parents.iter().all(|parent| waits(world, *parent)));
    let children = parents.map(|parent| below(&world.view(parent)));
    world.work_until(|world| children.iter().all(|child| world.open_approval(*child).is_some()));
    world.torn.tear(Some(parents[0].into()));
    for child in children {
        world.decide(child, Choice::Approve).unwrap();
    }
    world.work_until(|world| world.status(parents[1]).ended());
    (world, parents)
}

#[test]
fn a_run_that_cannot_be_read_keeps_no_other_from_going_on() {
    let (world, [torn, sound]) = torn();
    assert_eq!([world.status(torn), world.status(sound)], [RunStatus::Waiting, RunStatus::Completed]);
}

#[test]
fn what_a_run_that_cannot_be_read_was_to_be_told_is_set_aside_with_the_reason() {
    let (world, _) = torn();
    let aside = world.aside.of(CHILDREN);
    assert!(aside.len() == 1 && aside[0].1.contains("it is of a later release"), "{aside:?}");
}

#[test]
fn a_run_that_can_be_read_again_is_told_after_a_while() {
    let (world, [torn, _]) = torn();
    world.torn.tear(None);
    world.clock.advance(Duration::from_secs(60));
    world.ask(world.children.try_again()).unwrap();
    assert_eq!((world.work_to_end(torn).summary.status, world.aside.of(CHILDREN)), (RunStatus::Completed, vec![]));
}

#[test]
fn a_run_that_still_cannot_be_read_is_left_alone_for_longer() {
    let (world, [torn, _]) = torn();
    world.clock.advance(Duration::from_secs(60));
    world.ask(world.children.try_again()).unwrap();
    world.torn.tear(None);
    world.clock.advance(Duration::from_secs(90));
    world.ask(world.children.try_again()).unwrap();
    let early = world.status(torn);
    world.clock.advance(Duration::from_secs(30));
    world.ask(world.children.try_again()).unwrap();
    assert_eq!((early, world.aside.of(CHILDREN).len()), (RunStatus::Waiting, 0));
}
