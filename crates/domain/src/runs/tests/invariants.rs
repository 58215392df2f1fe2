//! Invalid histories, and the violations found in each.

use super::{assistants::answer_with, *};
use crate::conversation::{Finish, ToolCall};

fn run() -> RunId {
    RunId::from(Uuid::from_u128(50))
}

fn child() -> RunId {
    RunId::from(Uuid::from(op(9)))
}

/// The violations in a history of a run and its child when all reactions are up to date.
pub(super) fn broken<'a>(history: impl IntoIterator<Item = (RunId, &'a RunEvent)>) -> Vec<Breach> {
    let mut invariants = Invariants::default();
    for (position, (run, event)) in (1..).zip(history) {
        invariants.hear(position, run, event);
    }
    invariants.conclude(u64::MAX)
}

fn of(history: &[RunEvent]) -> BTreeSet<Invariant> {
    broken(history.iter().map(|event| (run(), event))).into_iter().map(|breach| breach.invariant).collect()
}

fn only(invariant: Invariant) -> BTreeSet<Invariant> {
    BTreeSet::from([invariant])
}

fn begun(more: impl IntoIterator<Item = RunEvent>) -> Vec<RunEvent> {
    [queued(), claimed(1)].into_iter().chain(more).collect()
}

fn succeeded() -> RunEvent {
    ToolSucceeded { operation: op(9), result: Json::Null.into() }.into()
}

fn lost() -> RunEvent {
    OutcomeUnknown { operation: op(9), error: Failure::new("x", "y") }.into()
}

fn settled(verdict: Verdict) -> RunEvent {
    OutcomeSettled { operation: op(9), verdict, by: "user:1".into(), at: at(3) }.into()
}

fn parked(fence: u64, waiting: Vec<Waiting>) -> RunEvent {
    RunParked { fence, waiting, until: at(60) }.into()
}

fn decided(decision: Choice) -> RunEvent {
    ApprovalDecided { approval: approval(), decision, edit: None, reason: None, by: "user:1".into(), at: at(3) }.into()
}

fn proposed() -> RunEvent {
    let call = Some(ProposedCall { tool: "t".into(), arguments_hash: "h".into() });
    let (place, prompt, data) = (Place::step("a"), "go?".into(), Json::from(5_i64));
    let (approval, on_deny, expires_at, at) = (approval(), Denial::Fail, None, at(2));
    ApprovalRequested { place, approval, prompt, data, on_deny, call, expires_at, at }.into()
}

fn edited_to_six() -> RunEvent {
    let edit = Some(Edit { arguments: Json::from(6_i64), arguments_hash: "h".into() });
    let (decision, reason, by) = (Choice::Approve, None, "user:1".into());
    ApprovalDecided { approval: approval(), decision, edit, reason, by, at: at(3) }.into()
}

fn completed() -> RunEvent {
    RunCompleted { output: Json::Null.into(), at: at(9) }.into()
}

fn cancel(fence: u64) -> RunEvent {
    CancelRequested { fence, by: "user:1".into(), reason: None, at: at(4) }.into()
}

fn called_at(place: &str, operation: OperationId) -> RunEvent {
    let (tool, effect, arguments) = ("t".into(), Effect::ReadOnly, Json::Null);
    ToolCalled { place: Place::step(place), operation, tool, effect, attempt: 1, arguments }.into()
}

fn prompted(turn: u32) -> RunEvent {
    let (place, operation) = (Place::step(&turn_step(turn)), op(turn.into()));
    ModelCalled { place, operation, model: "a/b".into(), attempt: 1 }.into()
}

fn answered(turn: u32, calls: &[&str]) -> RunEvent {
    let call = |id: &&str| ToolCall { id: (*id).to_owned(), name: "t".into(), arguments: Json::Null };
    answer_with(turn, calls.iter().map(call).collect(), Finish::ToolCalls).into()
}

fn requested() -> RunEvent {
    ChildRequested { place: Place::step("a"), operation: op(9), agent: order().agent, agent_version: 1 }.into()
}

fn child_ended() -> RunEvent {
    ChildEnded { operation: op(9), end: ChildEnd::Completed { output: Json::Null.into() }, spent: Spent::default() }
        .into()
}

fn child_queued(parent: RunId) -> RunEvent {
    let parent = Some(Parent { run: parent, operation: op(9) });
    RunQueued { order: Order { parent, ..order() }, at: at(2) }.into()
}

#[test]
fn a_history_of_every_kind_of_call_breaks_nothing() {
    let calls = begun([
        called(Effect::Unsafe, 1),
        lost(),
        parked(2, vec![Waiting::Reconcile]),
        settled(Verdict::Retry),
        claimed(3),
        called(Effect::Unsafe, 2),
        succeeded(),
        prompted(1),
        answered(1, &["x"]),
        StepFailed { place: Place::element("turn_1_tools", 0), error: Failure::new("x", "y") }.into(),
        prompted(2),
        answered(2, &[]),
        completed(),
    ]);
    assert_eq!(of(&calls), BTreeSet::new());
}

#[test]
fn approved_and_edited_calls_break_nothing() {
    for (answer, arguments) in [(decided(Choice::Approve), 5_i64), (edited_to_six(), 6)] {
        let RunEvent::ToolCalled(call) = called(Effect::Unsafe, 1) else { unreachable!("it is a call") };
        let call = ToolCalled { arguments: Json::from(arguments), ..call }.into();
        let parked = parked(2, vec![Waiting::Approval]);
        let history = begun([proposed(), parked, answer, claimed(3), call, succeeded(), completed()]);
        assert_eq!(of(&history), BTreeSet::new());
    }
}

#[test]
fn a_run_begins_once() {
    for history in [vec![claimed(1)], vec![queued(), queued()]] {
        assert_eq!(of(&history), only(Invariant::BeginsOnce));
    }
}

#[test]
fn an_end_is_final() {
    let history = begun([completed(), cancel(2)]);
    assert_eq!(of(&history), only(Invariant::EndIsFinal));
}

#[test]
fn what_became_of_a_call_may_be_found_out_after_the_end() {
    let ended = || vec![called(Effect::Unsafe, 1), RunExpired { at: at(8) }.into()];
    let found_out = [ended(), vec![settled(Verdict::Failed { reason: None })]].concat();
    let again = [ended(), vec![settled(Verdict::Retry)]].concat();
    assert_eq!((of(&begun(found_out)), of(&begun(again))), (BTreeSet::new(), only(Invariant::EndIsFinal)));
}

#[test]
fn a_fence_never_goes_back_and_leaves_none_out() {
    for next in [claimed(1), claimed(0), claimed(3), cancel(1)] {
        assert_eq!(of(&begun([next])), only(Invariant::FenceRises));
    }
}

#[test]
fn nobody_adds_progress_to_a_run_they_do_not_hold() {
    let asked = begun([asked(Denial::Fail), parked(2, vec![Waiting::Approval]), decided(Choice::Approve), completed()]);
    let stopping = begun([called(Effect::ReadOnly, 1), cancel(2), succeeded()]);
    let never = vec![queued(), called(Effect::ReadOnly, 1)];
    for history in [asked, stopping, never] {
        assert_eq!(of(&history), only(Invariant::HeldByOne));
    }
}

#[test]
fn a_result_needs_an_intent_and_comes_once() {
    for history in [vec![succeeded()], vec![called(Effect::ReadOnly, 1), succeeded(), succeeded()], vec![lost()]] {
        assert_eq!(of(&begun(history)), only(Invariant::IntentFirst));
    }
}

#[test]
fn an_effect_never_comes_twice() {
    let blind = vec![called(Effect::Unsafe, 1), called(Effect::Unsafe, 2)];
    let doubted = vec![called(Effect::Unsafe, 1), lost(), called(Effect::Unsafe, 2)];
    let done = vec![called(Effect::Idempotent, 1), succeeded(), called(Effect::Idempotent, 2)];
    let elsewhere = vec![called_at("a", op(1)), called_at("a", op(2))];
    let uncounted = vec![called(Effect::Idempotent, 1), called(Effect::Idempotent, 1)];
    for history in [blind, doubted, done, elsewhere, uncounted] {
        assert_eq!(of(&begun(history.clone())), only(Invariant::EffectOnce), "{history:?}");
    }
}

#[test]
fn a_repeatable_call_may_be_made_again() {
    let history = begun([called(Effect::Idempotent, 1), claimed(2), called(Effect::Idempotent, 2), succeeded()]);
    assert_eq!(of(&history), BTreeSet::new());
}

#[test]
fn an_answer_needs_an_open_question() {
    let never = vec![decided(Choice::Approve)];
    let twice = vec![asked(Denial::Fail), decided(Choice::Approve), decided(Choice::Deny)];
    let expired = ApprovalExpired { approval: approval(), at: at(3) }.into();
    let late = vec![asked(Denial::Fail), decided(Choice::Approve), expired];
    let again = vec![asked(Denial::Fail), asked(Denial::Fail)];
    for history in [never, twice, late, again] {
        assert_eq!(of(&begun(history)), only(Invariant::QuestionFirst));
    }
}

#[test]
fn a_call_is_made_only_as_approved() {
    let at_once = vec![proposed(), called(Effect::Unsafe, 1)];
    let denied = vec![proposed(), decided(Choice::Deny), called(Effect::Unsafe, 1)];
    let edited = vec![proposed(), edited_to_six(), called(Effect::Unsafe, 1)];
    for history in [at_once, denied, edited] {
        assert_eq!(of(&begun(history)), only(Invariant::AsApproved));
    }
}

#[test]
fn a_verdict_needs_a_doubt() {
    let over = vec![called(Effect::Unsafe, 1), succeeded(), settled(Verdict::Succeeded { result: Json::Null.into() })];
    let under_way = vec![called(Effect::Unsafe, 1), settled(Verdict::Retry)];
    for history in [over, under_way] {
        assert_eq!(of(&begun(history)), only(Invariant::DoubtFirst));
    }
}

#[test]
fn a_model_is_asked_only_when_all_its_calls_have_results() {
    let open = vec![prompted(1), answered(1, &["x", "y"]), prompted(2)];
    let ended = vec![prompted(1), answered(1, &["x"]), completed()];
    let alike = vec![prompted(1), answered(1, &["x", "x"])];
    for history in [open, ended, alike] {
        assert_eq!(of(&begun(history)), only(Invariant::PairedTranscript));
    }
}

#[test]
fn a_run_completes_with_nothing_open() {
    for open in [called(Effect::ReadOnly, 1), asked(Denial::Fail)] {
        assert_eq!(of(&begun([open, completed()])), only(Invariant::CompletesSettled));
    }
}

#[test]
fn a_run_that_waits_has_something_to_wait_for() {
    let gone = vec![asked(Denial::Fail), decided(Choice::Approve), parked(2, vec![Waiting::Approval])];
    let certain = vec![called(Effect::Unsafe, 1), succeeded(), parked(2, vec![Waiting::Reconcile])];
    let no_timer = vec![parked(2, vec![Waiting::Timer])];
    let childless = vec![parked(2, vec![Waiting::Child])];
    let late =
        vec![asked(Denial::Fail), RunParked { fence: 2, waiting: vec![Waiting::Approval], until: at(4_000) }.into()];
    let let_go = vec![called(Effect::Unsafe, 1), asked_elsewhere(), parked(2, vec![Waiting::Approval])];
    for history in [gone, certain, no_timer, childless, late, let_go] {
        assert_eq!(of(&begun(history.clone())), only(Invariant::NothingStranded), "{history:?}");
    }
}

#[test]
fn a_run_is_handed_over_while_a_call_that_may_be_repeated_is_under_way() {
    let history = [called(Effect::Idempotent, 1), parked(2, vec![]), claimed(3), called(Effect::Idempotent, 2)];
    assert_eq!(of(&begun(history)), BTreeSet::new());
}

#[test]
fn a_run_is_handed_over_before_its_deadline() {
    let late = RunParked { fence: 2, waiting: vec![], until: at(4_000) }.into();
    assert_eq!(of(&begun([late])), only(Invariant::NothingStranded));
}

fn asked_elsewhere() -> RunEvent {
    let RunEvent::ApprovalRequested(asked) = asked(Denial::Fail) else { unreachable!("it is a question") };
    ApprovalRequested { place: Place::step("b"), ..asked }.into()
}

/// A parent that waits for a requested child, and the child's events.
fn family(of_child: &[RunEvent], told: bool) -> BTreeSet<Invariant> {
    let parent = begun([requested()]);
    let waits = [parked(2, vec![Waiting::Child])].into_iter().chain(told.then(child_ended)).collect::<Vec<_>>();
    let family = parent.iter().map(|event| (run(), event));
    let family = family.chain(of_child.iter().map(|event| (child(), event)));
    let breaches = broken(family.chain(waits.iter().map(|event| (run(), event))));
    breaches.into_iter().map(|breach| breach.invariant).collect()
}

#[test]
fn a_child_run_and_its_parent_agree() {
    let over = || vec![child_queued(run()), claimed(1), completed()];
    assert_eq!(family(&over(), true), BTreeSet::new());
    assert_eq!(family(&[child_queued(run())], false), BTreeSet::new());
    assert_eq!(family(&over(), false), only(Invariant::NothingStranded), "the parent is never told");
    assert_eq!(family(&[], false), only(Invariant::ChildrenAgree), "the child never began");
    assert_eq!(family(&[child_queued(run())], true), only(Invariant::ChildrenAgree), "the child has not ended");
    let stranger = [child_queued(RunId::from(Uuid::from_u128(1))), claimed(1), completed()];
    assert_eq!(family(&stranger, true), only(Invariant::ChildrenAgree), "somebody else's child");
}
