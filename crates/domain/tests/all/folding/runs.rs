use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{
    conversation::{AppliedPrice, Finish, Price, TokenCount, ToolCall},
    kernel::{
        Decision, Json,
        ids::{ApprovalId, OperationId},
    },
    runs::{
        Allowance, ChildEnd, Choice, Decided, Edit, Ending, Failure, Leaving, Order, Phase, Place, Priority, Progress,
        ProposedCall, Reply, ResultHash, Run, RunEvent, Spent, StoredResult, Value, Verdict, Waiting, tools_step,
        turn_step,
    },
    workflow::{Denial, Effect},
};
use uuid::Uuid;

use super::{Rules, holds};

fn at(n: u8) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(n.into())
}

fn operation(n: u8) -> OperationId {
    Uuid::from_u128(n.into()).into()
}

fn approval(n: u8) -> ApprovalId {
    Uuid::from_u128(n.into()).into()
}

fn place(n: u8) -> Place {
    match n {
        0 => Place::step("s"),
        1 => Place::element("s", 1),
        2 => Place::step(&turn_step(1)),
        _ => Place::element(&tools_step(1), 0),
    }
}

fn value(n: u8) -> Value {
    match n {
        0 => StoredResult { hash: ResultHash([7; 32]), bytes: 70_000, preview: "[1,2".to_owned() }.into(),
        n => Json::from(u64::from(n)).into(),
    }
}

fn failure(n: u8) -> Failure {
    Failure::new("tool.away", "it is away").at(&place(n))
}

fn order(one: u8, other: u8) -> Order {
    Order {
        agent: Uuid::from_u128(1).into(),
        agent_version: 1,
        project: Uuid::from_u128(2).into(),
        parent: None,
        depth: one,
        callers: (0..one).map(|n| Uuid::from_u128(n.into()).into()).collect(),
        allowance: Allowance { max_tokens: (other > 1).then_some(500), max_cost_micros: None },
        input: Json::from(u64::from(one)),
        priority: Priority::Normal,
        deadline: at(other) + TimeDelta::minutes(2),
    }
}

/// A report of a worker that holds the run, or held it before.
fn told(run: &Run, other: u8, report: Progress) -> Decision<Run> {
    run.record(run.fence().saturating_sub(u64::from(other == 3)), &[report])
}

fn asking(one: u8, other: u8) -> Progress {
    Progress::Ask {
        place: place(one),
        approval: approval(one),
        prompt: "Go on?".to_owned(),
        data: Json::from(u64::from(other)),
        on_deny: if other == 0 { Denial::Fail } else { Denial::Continue },
        call: (other > 1).then(|| ProposedCall { tool: "t".to_owned(), arguments_hash: "ab".to_owned() }),
        expires_at: (other == 1).then(|| at(2)),
        at: at(other),
    }
}

fn reply(one: u8, other: u8) -> Reply {
    let call = |n| ToolCall { id: format!("c{n}"), name: "t".to_owned(), arguments: Json::Null };
    let price = AppliedPrice { list: "agent:1".to_owned(), price: Price { input: 4, ..Price::default() } };
    Reply {
        text: "so".to_owned(),
        calls: (0..other % 3).map(call).collect(),
        finish: [Finish::Stop, Finish::ToolCalls, Finish::Length, Finish::Refused][usize::from(one) % 4],
        usage: TokenCount { input: 10, ..TokenCount::default() },
        estimated: other == 2,
        model: "b".to_owned(),
        answered_by: "a/b".to_owned(),
        price: (one == 0).then_some(price),
        carry: (one == 1).then(|| Json::from("signed")),
    }
}

fn decided(run: &Run, one: u8, other: u8) -> Decision<Run> {
    let edit = Edit { arguments: Json::from(7_u64), arguments_hash: "cd".to_owned() };
    let (choice, edit) = match other {
        0 => (Choice::Deny, None),
        1 => (Choice::Approve, Some(&edit)),
        _ => (Choice::Approve, None),
    };
    run.decide_approval(approval(one), &Decided { choice, edit, reason: None, by: "user:ada" }, at(other))
}

fn queued(run: &Run, one: u8, other: u8) -> Decision<Run> {
    run.queue(&order(one, other), at(one))
}

fn settled(run: &Run, one: u8, other: u8) -> Decision<Run> {
    let verdict = match other {
        0 => Verdict::Retry,
        1 => Verdict::Failed { reason: None },
        n => Verdict::Succeeded { result: value(n) },
    };
    run.reconcile(operation(one), &verdict, "user:ada", at(other))
}

fn called(run: &Run, one: u8, other: u8) -> Decision<Run> {
    let effect = [Effect::Unsafe, Effect::ReadOnly, Effect::Idempotent][usize::from(other) % 3];
    let (place, operation, arguments) = (place(one), operation(one), Json::Null);
    told(run, other, Progress::Call { place, operation, tool: "t".to_owned(), effect, arguments })
}

fn lost(run: &Run, one: u8, other: u8) -> Decision<Run> {
    told(run, other, Progress::Lose { operation: operation(one), error: failure(one) })
}

fn replied(run: &Run, one: u8, other: u8) -> Decision<Run> {
    told(run, other, Progress::Reply { operation: operation(one), reply: reply(one, other) })
}

fn rejected(run: &Run, one: u8, other: u8) -> Decision<Run> {
    told(run, other, Progress::Reject { step: turn_step(u32::from(one) + 1), errors: vec!["no".to_owned()] })
}

fn ended(run: &Run, one: u8, other: u8) -> Decision<Run> {
    let ending = match one {
        0 => Ending::Completed(value(other)),
        1 => Ending::Failed(failure(other)),
        2 => Ending::Cancelled,
        _ => Ending::Expired,
    };
    // Mostly by a worker that never held it, because ended runs are of little interest.
    run.finish(run.fence() + u64::from(other != 2), &ending, at(other))
}

const RUN: Rules<Run> = Rules {
    // Decisions that begin a run or lead to an answered approval are asked for more often than the rest.
    asks: &[
        queued,
        queued,
        queued,
        queued,
        queued,
        queued,
        called,
        called,
        lost,
        lost,
        decided,
        decided,
        settled,
        settled,
        rejected,
        rejected,
        replied,
        replied,
        |it, one, _| it.claim("w", it.fence() + 1, at(one)),
        |it, one, other| {
            it.park(it.fence(), &[Waiting::Timer, Waiting::Approval].into_iter().take(one.into()).collect(), at(other))
        },
        |it, one, _| it.hand_over(it.fence(), at(one)),
        |it, one, other| {
            if one == 0 { it.cancel("user:ada", Some("why").filter(|_| other > 1), at(other)) } else { Ok(vec![]) }
        },
        |it, one, other| told(it, other, Progress::Skip { step: place(one).step }),
        |it, one, other| {
            told(it, other, Progress::Expand { step: place(one).step, items: vec![Json::Null; other.into()] })
        },
        |it, one, other| told(it, other, Progress::Unable { place: place(one), error: failure(other) }),
        called,
        |it, one, other| told(it, other, Progress::Again { operation: operation(one) }),
        |it, one, other| told(it, other, Progress::Answer { operation: operation(one), result: value(other) }),
        |it, one, other| {
            let retry_at = (other > 0).then(|| at(other));
            told(it, other, Progress::Fail { operation: operation(one), error: failure(one), retry_at })
        },
        |it, one, other| {
            let (operation, error, retry_at) = (operation(one), failure(one), at(other));
            told(it, other, Progress::Postpone { operation, error, retry_at })
        },
        lost,
        |it, one, other| told(it, other, asking(one, other)),
        |it, one, other| {
            let agent = Uuid::from_u128(1).into();
            told(
                it,
                other,
                Progress::Delegate { place: place(one), operation: operation(one), agent, agent_version: 1 },
            )
        },
        |it, one, other| told(it, other, Progress::Expire { approval: approval(one), at: at(other) }),
        |it, one, other| {
            told(it, other, Progress::Prompt { place: place(2), operation: operation(one), model: "a/b".to_owned() })
        },
        |it, one, other| {
            let summary = (other > 1).then(|| operation(one));
            let cause = if one > 1 { Leaving::Overflow } else { Leaving::Window };
            let (from, through, unsummarised) = (one.into(), other.into(), None);
            told(it, other, Progress::Compact { from, through, summary, cause, unsummarised })
        },
        |it, one, other| {
            let end = if other == 0 {
                ChildEnd::Failed { error: failure(one) }
            } else {
                ChildEnd::Completed { output: value(other) }
            };
            let spent = Spent { usage: TokenCount { input: 3, ..TokenCount::default() }, cost_micros: other.into() };
            it.end_child(operation(one), &end, spent)
        },
        ended,
    ],
    sound: |it| {
        (it.output().is_some() == (*it.phase() == Phase::Completed))
            && (it.order().is_some() == (*it.phase() != Phase::Unknown))
    },
    // The outcome of an interrupted call can still be recorded after the end.
    ended: |it, event| it.ended() && !matches!(event, RunEvent::OutcomeSettled(_)),
    noted: |event| matches!(event, RunEvent::ContextCompacted(_)),
};

holds! {
    // How a run begins that is made from another one is decided by that one.
    run: RUN, without "run.forked", without "run.retried", without "run.step_taken_over";
}
