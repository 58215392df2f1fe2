//! Agents that call agents: their depth, their duration, and their common model usage.

use std::time::Duration;

use devskyy_application::{
    budgets::{BudgetOf, GetBudget, SetBudget},
    runs::RunView,
};
use devskyy_domain::{
    budgets::{Amount, Period, Terms},
    kernel::ids::{AgentId, RunId},
    runs::{Allowance, Order, RunEvent},
};
use devskyy_testkit::fakes::{ScriptedModels, Turn};
use uuid::Uuid;

use super::{
    assistants::{INPUT, assistant, calls},
    world::World,
};

/// A workflow that only calls an agent.
fn caller(agent: AgentId) -> String {
    format!(
        r#"{{"steps":[{{"id":"call","agent":"{agent}","input":{{"$jq":".input"}}}}],"output":{{"$jq":".steps.call.output"}}}}"#
    )
}

/// An assistant that may call an agent as its tool `sub`.
fn boss(agent: AgentId, more: &str) -> String {
    let sub = format!(
        r#""sub":{{"kind":"agent","agent":"{agent}","description":"?","input_schema":{{"type":"object"}}}},"look""#
    );
    assistant(more).replacen(r#""look""#, &sub, 1)
}

fn limited(most: u64) -> String {
    format!(r#","limits":{{"max_tokens":{most}}}"#)
}

/// The runs that were started, in order: their ids and their orders.
fn asked_for(world: &World) -> Vec<(RunId, Order)> {
    let queued = world.recorded().into_iter().filter_map(|event| match event.decode::<RunEvent>() {
        Ok(RunEvent::Queued(queued)) => Some((RunId::from(event.stream_id), queued.order)),
        _ => None,
    });
    queued.collect()
}

fn code(view: &RunView) -> String {
    view.summary.error.as_ref().expect("the run failed").code.clone()
}

/// Asks an assistant that calls `levels` workflows above another assistant; each answer is billed 15 tokens at 15 millionths.
fn nested(levels: u128, turns: impl IntoIterator<Item = Turn>, more: &str) -> (World, RunId) {
    let world = World::with(ScriptedModels::taking(turns));
    let mut agent = world.agent(20, &assistant(""));
    for level in 0..levels {
        agent = world.agent(30 + level, &caller(agent));
    }
    let run = world.start(&boss(agent, more), INPUT);
    (world, run)
}

fn three_turns() -> [Turn; 4] {
    [calls([("sub", r#"{"name":"Eve"}"#)]), Turn::says("below"), calls([("look", r#"{"n":1}"#)]), Turn::says("done")]
}

#[test]
fn an_agent_that_calls_itself_is_stopped_by_depth() {
    let world = World::new();
    let run = world.start(&caller(AgentId::from(Uuid::from_u128(1))), "null");
    world.work_to_end(run);
    let (deepest, _) = asked_for(&world).pop().unwrap();
    assert_eq!(code(&world.view(deepest)), "run.too_deep");
}

#[test]
fn a_child_ends_with_its_parent_at_the_latest() {
    let world = World::new();
    let child = world.agent(2, r#"{"steps":[{"id":"ask","approval":{"prompt":"go?"}}]}"#);
    let text = caller(child).replacen('{', r#"{"limits":{"wall_clock_s":60},"#, 1);
    let run = world.start(&text, "null");
    world.work_until_waiting(run);
    let deadlines: Vec<_> = asked_for(&world).into_iter().map(|(_, order)| order.deadline).collect();
    assert_eq!(deadlines[1], deadlines[0]);
}

#[test]
fn what_a_child_used_counts_in_the_limit_of_its_parent() {
    let (world, run) = nested(0, three_turns(), &limited(30));
    let ended = world.work_to_end(run);
    assert_eq!((code(&ended), world.models.asked().len()), ("run.token_limit".to_owned(), 2));
}

#[test]
fn what_was_used_further_below_counts_too() {
    let (world, run) = nested(2, three_turns(), &limited(30));
    let ended = world.work_to_end(run);
    assert_eq!((code(&ended), world.models.asked().len()), ("run.token_limit".to_owned(), 2));
}

#[test]
fn what_a_child_cost_counts_in_the_limit_of_its_parent() {
    let (world, run) = nested(0, three_turns(), r#","limits":{"max_cost_micros":30}"#);
    let ended = world.work_to_end(run);
    assert_eq!((code(&ended), world.models.asked().len()), ("run.cost_limit".to_owned(), 2));
}

#[test]
fn a_child_begins_with_what_is_left_to_its_parent() {
    let (world, run) = nested(1, three_turns(), &limited(1_000));
    world.work_to_end(run);
    let left: Vec<_> = asked_for(&world).into_iter().map(|(_, order)| order.allowance.max_tokens).collect();
    assert_eq!(left, [None, Some(985), Some(985)]);
}

#[test]
fn a_child_uses_no_more_than_it_was_left() {
    let again = || calls([("look", r#"{"n":1}"#)]);
    let turns = [calls([("sub", r#"{"name":"Eve"}"#)]), again(), again(), again(), again()];
    let (world, run) = nested(1, turns, &limited(40));
    world.work_to_end(run);
    // 15 above, then 15 below: the next request below may exceed the 10 that are left, but none may follow.
    assert_eq!(world.models.asked().len(), 3);
}

#[test]
fn no_child_begins_with_nothing_left() {
    let (world, run) = nested(0, three_turns(), &limited(15));
    world.work_to_end(run);
    assert_eq!((asked_for(&world).len(), world.models.asked().len()), (1, 1));
}

#[test]
fn a_retried_child_is_bound_by_nobody() {
    let (world, run) =
        nested(0, [calls([("sub", r#"{"name":"Eve"}"#)]), Turn::Refused(None), Turn::says("done")], &limited(99));
    world.work_to_end(run);
    let (child, _) = asked_for(&world).pop().unwrap();
    let command = devskyy_application::runs::RetryRun {
        run: child,
        priority: None,
        deadline: None,
        wait: None,
        idempotency: None,
    };
    world.ask(world.runs.retry.handle(&World::actor(), command)).unwrap();
    let (_, order) = asked_for(&world).pop().unwrap();
    assert_eq!((order.allowance, order.callers), (Allowance::default(), vec![]));
}

/// The budget of the parent's agent, after a run of it that called another agent which called a model.
fn standing(most: u64) -> (World, RunView, u64, Amount) {
    let (world, run) = nested(1, three_turns(), "");
    let of = BudgetOf::Agent(AgentId::from(Uuid::from_u128(1)));
    let terms = Terms::parse(Some(most), None, Period::Day).unwrap();
    world.ask(world.budgets.set.handle(&World::actor(), SetBudget { of, terms, expected: None })).unwrap();
    let view = world.work_to_end(run);
    world.react();
    let standing = world.ask(world.budgets.get.handle(&World::actor(), GetBudget { of })).unwrap().standing;
    (world, view, standing.usage.total(), standing.reserved)
}

#[test]
fn what_a_child_uses_counts_in_the_budget_of_the_agent_that_called_it() {
    let (_, _, used, reserved) = standing(1_000_000);
    assert_eq!((used, reserved), (60, Amount::default()));
}

#[test]
fn a_child_that_does_not_fit_the_budget_of_the_agent_that_called_it_fails() {
    // Room for one request at a time, but not for another beside what it used.
    let (world, view, _, reserved) = standing(4_300);
    assert_eq!(
        (code(&view), reserved),
        ("budget.exhausted".to_owned(), Amount::default()),
        "{}",
        world.models.asked().len()
    );
}

#[test]
fn a_child_that_is_stopped_gives_back_what_was_kept_above_it() {
    let away = Turn::RateLimited(Some(Duration::from_secs(600)));
    let (world, run) = nested(0, [calls([("sub", r#"{"name":"Eve"}"#)]), away], "");
    let of = BudgetOf::Agent(AgentId::from(Uuid::from_u128(1)));
    let terms = Terms::parse(Some(1_000_000), None, Period::Day).unwrap();
    world.ask(world.budgets.set.handle(&World::actor(), SetBudget { of, terms, expected: None })).unwrap();
    world.work_until(|world| world.models.asked().len() == 2);
    world.cancel(run).unwrap();
    let (child, _) = asked_for(&world).pop().unwrap();
    world.work_to_end(child);
    world.react();
    let standing = world.ask(world.budgets.get.handle(&World::actor(), GetBudget { of })).unwrap().standing;
    assert_eq!(standing.reserved, Amount::default());
}
