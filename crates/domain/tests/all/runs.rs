//! Golden files of the runs context.

use chrono::{DateTime, Utc};
use devskyy_domain::{
    conversation::{AppliedPrice, Finish, Price, TokenCount, ToolCall},
    kernel::{
        Json, Versioned,
        ids::{AgentId, ApprovalId, OperationId, ProjectId, RunId},
    },
    runs::{
        Allowance, AnswerRejected, ApprovalDecided, ApprovalExpired, ApprovalRequested, Bill, CancelRequested,
        ChildEnd, ChildEnded, ChildRequested, Choice, ContextCompacted, Edit, ElementEnd, Failure, Leaving,
        ModelAnswered, ModelCalled, ModelFailed, Order, OutcomeSettled, OutcomeUnknown, Parent, Place, Priority,
        ProposedCall, ResultHash, RunCancelled, RunClaimed, RunCompleted, RunEvent, RunExpired, RunFailed, RunForked,
        RunParked, RunQueued, RunRetried, Spent, StepApprovalDecided, StepApprovalRequested, StepExpanded, StepFailed,
        StepSkipped, StepTakenOver, StoredResult, TakenOver, ToolCalled, ToolFailed, ToolSucceeded, UnpricedAnswer,
        Unsummarised, Value, Verdict, Waiting,
    },
    workflow::{Denial, Effect},
};
use uuid::Uuid;

use crate::golden::{Example, also, holds, today};

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_767_268_800_123_456).unwrap_or_default()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | n)
}

fn operation() -> OperationId {
    OperationId::from(id(5))
}

fn place() -> Place {
    Place::element("file_ticket", 2)
}

fn failure() -> Failure {
    Failure::new("tool.http_status", "the answer was 503").at(&place())
}

fn value() -> Json {
    let members = [("count", Json::from(2_i64)), ("name", Json::from("serde"))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn life() -> Vec<Example<RunEvent>> {
    let order = Order {
        agent: AgentId::from(id(1)),
        agent_version: 3,
        project: ProjectId::from(id(2)),
        parent: Some(Parent { run: RunId::from(id(3)), operation: OperationId::from(id(4)) }),
        depth: 1,
        callers: vec![],
        allowance: Allowance::default(),
        input: value(),
        priority: Priority::High,
        deadline: at(),
    };
    vec![
        today(RunQueued { order, at: at() }),
        today(RunClaimed { fence: 4, worker: "host-1/0".into(), at: at() }),
        today(RunParked { fence: 5, waiting: vec![Waiting::Approval, Waiting::Timer], until: at() }),
        today(CancelRequested { fence: 6, by: "user:ada".into(), reason: Some("wrong input".into()), at: at() }),
        today(RunCompleted { output: value().into(), at: at() }),
        today(RunFailed { error: failure(), at: at() }),
        today(RunCancelled { at: at() }),
        today(RunExpired { at: at() }),
    ]
}

#[test]
fn the_end_of_a_child_tells_what_it_used() {
    let usage = TokenCount { input: 1, output: 2, ..TokenCount::default() };
    let spent = Spent { usage, cost_micros: 6 };
    let ended = ChildEnded { operation: operation(), end: ChildEnd::Completed { output: Json::Null.into() }, spent };
    let written = serde_json::to_value(&ended).unwrap_or_default();
    assert_eq!((&written["spent"]["usage"]["output"], &written["spent"]["cost_micros"]), (&2.into(), &6.into()));
}

#[test]
fn an_order_of_another_run_names_its_callers_and_what_they_leave_it() {
    let Some(Example { event: RunEvent::Queued(RunQueued { order, .. }), .. }) = life().into_iter().next() else {
        panic!("a run begins by being queued")
    };
    let allowance = Allowance { max_tokens: Some(9), max_cost_micros: None };
    let order = Order { callers: vec![AgentId::from(id(8))], allowance, ..order };
    let written = serde_json::to_string(&order).unwrap_or_default();
    assert!(
        written.contains(r#""callers":["01900000-0000-7000-8000-000000000008"],"allowance":{"max_tokens":9}"#),
        "{written}"
    );
}

fn steps() -> Vec<Example<RunEvent>> {
    let (approval, agent) = (ApprovalId::from(id(6)), AgentId::from(id(7)));
    vec![
        today(StepSkipped { step: "rate".into() }),
        today(StepExpanded { step: "rate".into(), items: vec![value(), Json::Null] }),
        today(StepFailed { place: place(), error: failure() }),
        today(ApprovalRequested {
            place: place(),
            approval,
            prompt: "File 2 tickets?".into(),
            data: value(),
            on_deny: Denial::Continue,
            call: Some(ProposedCall { tool: "tracker".into(), arguments_hash: "ab12".into() }),
            expires_at: Some(at()),
            at: at(),
        }),
        today(ApprovalDecided {
            approval,
            decision: Choice::Approve,
            edit: Some(Edit { arguments: value(), arguments_hash: "cd34".into() }),
            reason: Some("go".into()),
            by: "user:ada".into(),
            at: at(),
        }),
        today(ApprovalExpired { approval, at: at() }),
        before(1, ApprovalRequested::upcast(asked_before(approval))),
        before(1, ApprovalDecided::upcast(decided_before(approval))),
        today(ChildRequested { place: place(), operation: operation(), agent, agent_version: 2 }),
        today(ChildEnded {
            operation: operation(),
            end: ChildEnd::Completed { output: value().into() },
            spent: Spent::default(),
        }),
    ]
}

/// An example in an earlier version.
fn before(version: u16, event: impl Into<RunEvent>) -> Example<RunEvent> {
    Example { version, form: None, event: event.into() }
}

fn asked_before(approval: ApprovalId) -> StepApprovalRequested {
    let (prompt, data, on_deny) = ("File 2 tickets?".to_owned(), value(), Denial::Continue);
    StepApprovalRequested { place: place(), approval, prompt, data, on_deny, at: at() }
}

fn decided_before(approval: ApprovalId) -> StepApprovalDecided {
    let (decision, reason, by) = (Choice::Approve, Some("go".to_owned()), "user:ada".to_owned());
    StepApprovalDecided { approval, decision, reason, by, at: at() }
}

fn unpriced() -> UnpricedAnswer {
    UnpricedAnswer {
        operation: operation(),
        text: "I look.".into(),
        calls: vec![ToolCall { id: "call_1".into(), name: "tracker".into(), arguments: value() }],
        finish: Finish::ToolCalls,
        usage: TokenCount { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 5 },
        model: "gpt-5".into(),
        answered_by: "openai/gpt".into(),
        cost_micros: Some(6),
    }
}

fn failed() -> ModelFailed {
    ModelFailed {
        operation: operation(),
        error: failure(),
        retry_at: Some(at()),
        unasked: false,
        overflow: false,
        billed: None,
    }
}

fn bill(cost_micros: Option<u64>) -> Bill {
    let usage = TokenCount { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 5 };
    let price = Price { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 5 };
    let price = cost_micros.map(|_| AppliedPrice { list: "provider:2".into(), price });
    Bill { usage, estimated: false, answered_by: "openai/gpt".into(), cost_micros, price }
}

fn compacted() -> ContextCompacted {
    ContextCompacted { from: 2, through: 9, summary: None, cause: Leaving::Window, unsummarised: None }
}

fn turns() -> Vec<Example<RunEvent>> {
    let call = ToolCall { id: "call_1".into(), name: "tracker".into(), arguments: value() };
    vec![
        today(ModelCalled { place: place(), operation: operation(), model: "openai/gpt".into(), attempt: 2 }),
        today(ModelAnswered {
            operation: operation(),
            text: "I look.".into(),
            calls: vec![call],
            finish: Finish::ToolCalls,
            usage: TokenCount { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 5 },
            estimated: false,
            model: "gpt-5".into(),
            answered_by: "openai/gpt".into(),
            cost_micros: Some(6),
            price: Some(AppliedPrice {
                list: "provider:2".into(),
                price: Price { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 5 },
            }),
            carry: None,
        }),
        Example { version: 1, form: None, event: ModelAnswered::upcast(unpriced()).into() },
        today(failed()),
        today(AnswerRejected { step: "turn_3".into(), errors: vec!["/total: is required".into()] }),
        today(ContextCompacted { summary: Some(operation()), ..compacted() }),
    ]
}

fn calls() -> Vec<Example<RunEvent>> {
    vec![
        today(ToolCalled {
            place: place(),
            operation: operation(),
            tool: "tracker".into(),
            effect: Effect::Idempotent,
            attempt: 1,
            arguments: value(),
        }),
        today(ToolSucceeded { operation: operation(), result: value().into() }),
        today(ToolFailed { operation: operation(), error: failure(), retry_at: Some(at()) }),
        today(OutcomeUnknown { operation: operation(), error: failure() }),
        today(OutcomeSettled {
            operation: operation(),
            verdict: Verdict::Succeeded { result: value().into() },
            by: "user:ada".into(),
            at: at(),
        }),
    ]
}

fn origins() -> Vec<Example<RunEvent>> {
    let taken = |result| today(StepTakenOver { step: "rate".into(), result });
    let ends = vec![ElementEnd::Succeeded { output: value().into() }, ElementEnd::Failed { error: failure() }];
    vec![
        today(RunRetried { of: RunId::from(id(3)) }),
        today(RunForked { from: RunId::from(id(3)), from_version: 12, step: "file_ticket".into() }),
        taken(TakenOver::Elements { items: vec![value(), Json::Null], ends }),
    ]
}

/// Events without their optional members, or with those that the other examples omit.
fn forms() -> Vec<Example<RunEvent>> {
    let approval = ApprovalId::from(id(6));
    let Some(Example { event: RunEvent::Queued(RunQueued { order, .. }), .. }) = life().into_iter().next() else {
        panic!("a run begins by being queued")
    };
    let allowance = Allowance { max_tokens: Some(9), max_cost_micros: Some(8) };
    let below = Order { callers: vec![AgentId::from(id(8))], allowance, ..order.clone() };
    let plain = Order { parent: None, depth: 0, priority: Priority::Normal, input: Json::Null, ..order };
    let spent = Spent { usage: TokenCount { input: 1, output: 2, ..TokenCount::default() }, cost_micros: 6 };
    let (end, bare_error) = (ChildEnd::Failed { error: failure() }, Failure::new("run.stuck", "nothing can be done"));
    let settled = |verdict| OutcomeSettled { operation: operation(), verdict, by: "user:ada".into(), at: at() };
    vec![
        also("below", RunQueued { order: below, at: at() }),
        also("bare", RunQueued { order: plain, at: at() }),
        also("bare", CancelRequested { fence: 6, by: "user:ada".into(), reason: None, at: at() }),
        also("bare", RunFailed { error: bare_error, at: at() }),
        also("failed", ChildEnded { operation: operation(), end, spent }),
        also("final", ToolFailed { operation: operation(), error: failure(), retry_at: None }),
        also("final", ModelFailed { retry_at: None, ..failed() }),
        also("unasked", ModelFailed { unasked: true, ..failed() }),
        also("overflow", ModelFailed { overflow: true, ..failed() }),
        also("billed", ModelFailed { retry_at: None, billed: Some(bill(Some(6))), ..failed() }),
        also("billed_barely", ModelFailed { billed: Some(Bill { estimated: true, ..bill(None) }), ..failed() }),
        also(
            "bare",
            ToolCalled {
                place: Place::step("list"),
                operation: operation(),
                tool: "tracker".into(),
                effect: Effect::ReadOnly,
                attempt: 1,
                arguments: Json::Null,
            },
        ),
        also("failed", settled(Verdict::Failed { reason: Some("it was refused".into()) })),
        also("failed_bare", settled(Verdict::Failed { reason: None })),
        also("retry", settled(Verdict::Retry)),
        also("bare", compacted()),
        also("overflow", ContextCompacted { cause: Leaving::Overflow, ..compacted() }),
        also("unsummarised", ContextCompacted { unsummarised: Some(Unsummarised::Truncated), ..compacted() }),
        also("bare", ApprovalRequested::upcast(asked_barely(approval))),
        also("bare", ApprovalDecided::upcast(decided_barely(approval))),
        also("bare", ModelAnswered::upcast(answered_barely())),
        also("estimated", ModelAnswered { estimated: true, ..ModelAnswered::upcast(answered_barely()) }),
        also("carried", ModelAnswered { carry: Some(value()), ..ModelAnswered::upcast(unpriced()) }),
        Example { form: Some("bare"), ..before(1, ApprovalRequested::upcast(asked_barely(approval))) },
        Example { form: Some("bare"), ..before(1, ApprovalDecided::upcast(decided_barely(approval))) },
        Example { form: Some("bare"), ..before(1, ModelAnswered::upcast(answered_barely())) },
    ]
}

fn asked_barely(approval: ApprovalId) -> StepApprovalRequested {
    StepApprovalRequested { data: Json::Null, on_deny: Denial::Fail, ..asked_before(approval) }
}

fn decided_barely(approval: ApprovalId) -> StepApprovalDecided {
    StepApprovalDecided { decision: Choice::Deny, reason: None, ..decided_before(approval) }
}

fn answered_barely() -> UnpricedAnswer {
    UnpricedAnswer {
        calls: vec![],
        finish: Finish::Stop,
        usage: TokenCount::default(),
        cost_micros: None,
        ..unpriced()
    }
}

/// Events whose result is stored beside the log.
fn stored() -> Vec<Example<RunEvent>> {
    let hash = ResultHash(*b"thirty-two bytes that are a hash");
    let result = || Value::from(StoredResult { hash, bytes: 70_000, preview: r#"{"page":"<html"#.to_owned() });
    let verdict = Verdict::Succeeded { result: result() };
    let taken = |result| StepTakenOver { step: "rate".into(), result };
    let ends = vec![ElementEnd::Succeeded { output: result() }, ElementEnd::Failed { error: failure() }];
    vec![
        also("stored", ToolSucceeded { operation: operation(), result: result() }),
        also("stored", OutcomeSettled { operation: operation(), verdict, by: "user:ada".into(), at: at() }),
        also(
            "stored",
            ChildEnded {
                operation: operation(),
                end: ChildEnd::Completed { output: result() },
                spent: Spent::default(),
            },
        ),
        also("stored", RunCompleted { output: result(), at: at() }),
        also("output", taken(TakenOver::Output { output: value().into() })),
        also("output_stored", taken(TakenOver::Output { output: result() })),
        also("stored", taken(TakenOver::Elements { items: vec![], ends })),
    ]
}

#[test]
fn every_event_of_a_run_is_kept_readable() {
    let examples = [life(), steps(), calls(), turns(), origins(), forms(), stored()].into_iter().flatten();
    let examples: Vec<_> = examples.collect();
    holds::<RunEvent>(&examples);
}
