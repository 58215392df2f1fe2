//! The guarantees of budgets, tested with runs of assistants and their usage.

use std::time::Duration;

use devskyy_application::{
    budgets::{BudgetOf, BudgetView, GetBudget, SetBudget},
    error::Error,
    es::{EventFilter, EventStore},
    runs::{RunStatus, RunView},
};
use devskyy_domain::{
    budgets::{Amount, BudgetEvent, Period, Terms},
    conversation::TokenCount,
    kernel::ids::{AgentId, ProjectId, RunId},
    runs::{MAX_VALUE, RunEvent},
};
use devskyy_testkit::fakes::{ScriptedModels, Turn};
use uuid::Uuid;

use super::{
    assistants::{INPUT, assistant, calls},
    world::{PROJECT, World},
};

/// More than one request of these tests reserves, and less than two.
const ROOM_FOR_ONE: u64 = 6_500;

fn of_project() -> BudgetOf {
    BudgetOf::Project(ProjectId::from(Uuid::from_u128(PROJECT)))
}

fn of_agent() -> BudgetOf {
    BudgetOf::Agent(AgentId::from(Uuid::from_u128(1)))
}

fn set(world: &World, of: BudgetOf, tokens: Option<u64>, cost: Option<u64>) -> BudgetView {
    let terms = Terms::parse(tokens, cost, Period::Day).unwrap();
    world.ask(world.budgets.set.handle(&World::actor(), SetBudget { of, terms, expected: None })).unwrap()
}

fn look(world: &World, of: BudgetOf) -> BudgetView {
    world.ask(world.budgets.get.handle(&World::actor(), GetBudget { of })).unwrap()
}

fn code(view: &RunView) -> &str {
    &view.summary.error.as_ref().expect("the run failed").code
}

fn two_turns() -> [Turn; 2] {
    [calls([("look", r#"{"n":1}"#)]), Turn::says("done")]
}

/// A run of two turns under a budget that was set before.
fn ended(of: BudgetOf, tokens: Option<u64>, cost: Option<u64>) -> (World, RunView) {
    let world = World::with(ScriptedModels::taking(two_turns()));
    world.agent(1, &assistant(""));
    set(&world, of, tokens, cost);
    let run = world.start(&assistant(""), INPUT);
    let view = world.work_to_end(run);
    (world, view)
}

#[test]
fn what_a_run_used_is_settled_and_nothing_stays_reserved() {
    let (world, _) = ended(of_project(), Some(1_000_000), None);
    let standing = look(&world, of_project()).standing;
    let used = (standing.usage.input, standing.usage.output, standing.cost_micros, standing.reserved);
    assert_eq!(used, (20, 10, 30, Amount::default()));
}

/// A run of one answer whose usage the provider did not report.
fn unbilled() -> (World, RunView) {
    let world = World::with(ScriptedModels::taking([Turn::says("done").billed(Default::default())]));
    world.agent(1, &assistant(""));
    set(&world, of_project(), Some(1_000_000), None);
    let run = world.start(&assistant(""), INPUT);
    let view = world.work_to_end(run);
    (world, view)
}

#[test]
fn an_answer_without_usage_is_charged_at_what_was_reserved() {
    let (world, _) = unbilled();
    let amounts = world.recorded().into_iter().filter_map(|event| match event.decode::<BudgetEvent>() {
        Ok(BudgetEvent::Reserved(reserved)) => Some(reserved.reservation.amount.tokens),
        Ok(BudgetEvent::Settled(settled)) => Some(settled.settlement.usage.total()),
        _ => None,
    });
    let amounts: Vec<_> = amounts.collect();
    assert!(amounts.len() == 2 && amounts[0] > 4_096 && amounts[0] == amounts[1], "{amounts:?}");
}

#[test]
fn an_answer_without_usage_says_that_its_usage_is_a_guess() {
    let (world, _) = unbilled();
    let guessed = world
        .recorded()
        .into_iter()
        .any(|event| matches!(event.decode::<RunEvent>(), Ok(RunEvent::ModelAnswered(answered)) if answered.estimated));
    assert!(guessed);
}

/// A run whose model answers like this, and what was then settled, used and reserved of its budget.
fn wasted(turns: impl IntoIterator<Item = Turn>, limits: &str) -> (RunStatus, u64, u64, Amount) {
    let world = World::with(ScriptedModels::taking(turns));
    world.agent(1, &assistant(limits));
    set(&world, of_project(), Some(1_000_000), None);
    let run = world.start(&assistant(limits), INPUT);
    let view = world.work_to_end(run);
    let standing = look(&world, of_project()).standing;
    (view.summary.status, standing.usage.total(), view.summary.tokens.total(), standing.reserved)
}

fn of_no_use() -> Turn {
    Turn::Unusable(TokenCount { input: 7, output: 1, ..TokenCount::default() })
}

#[test]
fn answers_of_no_use_are_settled_with_the_one_that_is() {
    let told = wasted([of_no_use(), of_no_use(), Turn::says("done")], "");
    assert_eq!(told, (RunStatus::Completed, 31, 31, Amount::default()));
}

#[test]
fn answers_of_no_use_are_settled_where_none_is() {
    let told = wasted(std::iter::repeat_with(of_no_use).take(100), r#","retry":{"max_attempts":3}"#);
    assert_eq!(told, (RunStatus::Failed, 24, 24, Amount::default()));
}

#[test]
fn an_answer_that_is_too_large_is_settled() {
    let told = wasted([Turn::says("x".repeat(MAX_VALUE + 1))], "");
    assert_eq!(told, (RunStatus::Failed, 15, 15, Amount::default()));
}

#[test]
fn a_call_that_does_not_fit_is_not_made_and_ends_the_run() {
    let (world, view) = ended(of_project(), Some(100), None);
    assert_eq!((code(&view), world.models.asked().len()), ("budget.exhausted", 0));
}

#[test]
fn a_run_ends_when_the_budget_runs_out_on_the_way() {
    let world = World::with(ScriptedModels::taking(
        two_turns()
            .map(|turn| turn.billed(devskyy_domain::conversation::TokenCount { input: 5_000, ..Default::default() })),
    ));
    world.agent(1, &assistant(""));
    set(&world, of_project(), Some(ROOM_FOR_ONE), None);
    let run = world.start(&assistant(""), INPUT);
    assert_eq!((code(&world.work_to_end(run)), world.models.asked().len()), ("budget.exhausted", 1));
}

#[test]
fn an_agent_has_a_budget_of_its_own() {
    let (world, view) = ended(of_agent(), Some(100), None);
    let message = &view.summary.error.as_ref().unwrap().message;
    assert!(message.contains("the budget of agent") && world.models.asked().is_empty(), "{message}");
}

#[test]
fn money_is_counted_by_the_prices_of_the_provider() {
    let (world, view) = ended(of_project(), None, Some(1_000_000));
    assert_eq!((view.usage.cost_micros, look(&world, of_project()).standing.cost_micros), (Some(30), 30));
}

#[test]
fn money_that_does_not_suffice_ends_the_run() {
    assert_eq!(code(&ended(of_project(), None, Some(100)).1), "budget.exhausted");
}

#[test]
fn a_budget_that_is_set_while_a_model_is_asked_counts_the_answer() {
    let away = Turn::RateLimited(Some(Duration::from_secs(20)));
    let world = World::with(ScriptedModels::taking([away, Turn::says("done")]));
    let run = world.start(&assistant(""), INPUT);
    world.work_until(|world| world.models.asked().len() == 1);
    set(&world, of_project(), Some(1_000_000), None);
    world.work_to_end(run);
    assert_eq!(look(&world, of_project()).standing.usage.total(), 15);
}

/// A run that waits to call its model again.
fn waiting() -> (World, RunId) {
    let world = World::with(ScriptedModels::taking([Turn::RateLimited(Some(Duration::from_secs(600)))]));
    world.agent(1, &assistant(""));
    set(&world, of_project(), Some(1_000_000), None);
    let run = world.start(&assistant(""), INPUT);
    world.work_until_waiting(run);
    (world, run)
}

#[test]
fn what_is_kept_for_a_call_is_kept_over_its_tries() {
    let (world, _) = waiting();
    assert!(look(&world, of_project()).standing.reserved.tokens > 4_096);
}

#[test]
fn a_run_that_is_stopped_gives_back_what_was_kept_for_it() {
    let (world, run) = waiting();
    world.cancel(run).unwrap();
    world.react();
    assert_eq!(look(&world, of_project()).standing.reserved, Amount::default());
}

#[test]
fn a_run_that_expires_gives_back_what_was_kept_for_it() {
    let (world, run) = waiting();
    world.clock.advance(Duration::from_secs(7_200));
    world.work_until(|world| world.status(run) == RunStatus::Expired);
    world.react();
    assert_eq!(look(&world, of_project()).standing.reserved, Amount::default());
}

#[test]
fn a_call_that_fails_for_good_gives_back_what_was_kept_for_it() {
    let world = World::with(ScriptedModels::taking([Turn::Refused(Some(400))]));
    world.agent(1, &assistant(""));
    set(&world, of_project(), Some(1_000_000), None);
    let run = world.start(&assistant(""), INPUT);
    world.work_to_end(run);
    assert_eq!(look(&world, of_project()).standing.reserved, Amount::default());
}

#[test]
fn wherever_a_worker_vanishes_each_call_is_settled_once_and_nothing_stays_reserved() {
    for polls in 1..60 {
        let world = World::with(ScriptedModels::playing(|request, _| {
            let later = request.messages.len() > 2;
            if later { Turn::says("done") } else { calls([("look", r#"{"n":1}"#)]) }
        }));
        world.agent(1, &assistant(""));
        set(&world, of_project(), Some(1_000_000), None);
        let run = world.start(&assistant(""), INPUT);
        if !world.work_for(polls, |world| world.status(run).ended()) {
            world.work_to_end(run);
        }
        world.react();
        let standing = look(&world, of_project()).standing;
        assert_eq!((standing.usage.total(), standing.reserved), (30, Amount::default()), "after {polls} polls");
    }
}

#[test]
fn without_a_budget_nothing_is_recorded_of_one() {
    let world = World::with(ScriptedModels::taking(two_turns()));
    let run = world.start(&assistant(""), INPUT);
    world.work_to_end(run);
    let page = world.ask(world.store.read_all(0, 500, &EventFilter::categories(&["budget"]))).unwrap();
    assert_eq!(page.events, []);
}

#[test]
fn an_answer_names_the_price_list_it_cost_by() {
    let own = r#","prices":{"scripted/one":{"input":2000000,"output":0}}"#;
    let lists: Vec<_> = ["", own].into_iter().map(|more| list_of(more).unwrap()).collect();
    assert_eq!(lists, ["scripted:1", "agent:1"]);
}

fn list_of(more: &str) -> Option<String> {
    let world = World::with(ScriptedModels::taking([Turn::says("done")]));
    let run = world.start(&assistant(more), INPUT);
    world.work_to_end(run);
    let page = world.ask(world.store.read_all(0, 500, &EventFilter::categories(&["run"]))).unwrap();
    page.events.iter().find_map(|event| match event.decode::<RunEvent>() {
        Ok(RunEvent::ModelAnswered(answered)) => answered.price.map(|price| price.list),
        _ => None,
    })
}

#[test]
fn who_remembers_older_terms_is_told() {
    let world = World::with(ScriptedModels::taking([]));
    set(&world, of_project(), Some(1), None);
    let terms = Terms::parse(Some(2), None, Period::Day).unwrap();
    let command = SetBudget { of: of_project(), terms, expected: Some(2) };
    let refused = world.ask(world.budgets.set.handle(&World::actor(), command));
    assert!(matches!(refused, Err(Error::StaleVersion { expected: 2, actual: 1 })));
}
