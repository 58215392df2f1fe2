//! The contract of the read model of runs.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use chrono::TimeDelta;
use devskyy_application::{
    access::ListScope,
    paging::{Age, PageRequest, Part, Sort},
    runs::{ApprovalFilter, ApprovalStatus, ChildOf, RunFilter, RunStatus, TokenCount},
};
use devskyy_domain::{
    conversation::Finish,
    kernel::{
        Json,
        ids::{ApprovalId, OperationId, RunId},
    },
    runs::{
        Choice, Decided, Edit, Ending, Failure, ModelAnswered, Order, Origin, Parent, Place, Priority, Progress,
        ProposedCall, RunEvent, RunForked, RunRetried, Waiting,
    },
    workflow::Denial,
};
use uuid::Uuid;

use super::{RunsUnderTest, agent, project, run, user};

async fn listed(runs: &RunsUnderTest, filter: RunFilter) -> Vec<RunId> {
    listed_within(runs, ListScope::Everything, filter).await
}

async fn listed_within(runs: &RunsUnderTest, scope: ListScope, filter: RunFilter) -> Vec<RunId> {
    let page = runs.views.list(scope, &filter, &Part::default()).await.unwrap();
    assert_eq!(page.total(), Some(page.items.len() as u64));
    page.items.iter().map(|summary| summary.id).collect()
}

fn approval(n: u128) -> ApprovalId {
    ApprovalId::from(Uuid::from_u128(0xe000 + n))
}

pub(super) async fn asks(runs: &RunsUnderTest, n: u128) {
    runs.given_run(n, 1, Priority::Normal).await;
    runs.claimed(n).await;
    let (place, prompt, data) = (Place::element("ask", 2), "go?".to_owned(), Json::from("look"));
    let (approval, on_deny, at) = (approval(n), Denial::Fail, runs.clock.now());
    let (call, expires_at) = (Some(proposed()), Some(at + TimeDelta::hours(1)));
    runs.happens(n, |run, _| {
        let items = vec![Json::Null; 3];
        run.record(
            run.fence(),
            &[
                Progress::Expand { step: "ask".into(), items },
                Progress::Ask { place, approval, prompt, data, on_deny, call, expires_at, at },
            ],
        )
    })
    .await;
}

pub(super) fn questions(status: Option<ApprovalStatus>) -> ApprovalFilter {
    ApprovalFilter { scope: ListScope::Project(project(1)), run: None, status }
}

/// The read model is never stale.
pub async fn a_run_is_seen_as_it_stands(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::High).await;
    let queued = runs.views.find(run(1)).await.unwrap().unwrap();
    assert_eq!((queued.status, queued.version, queued.started_at), (RunStatus::Queued, 1, None));
    assert_eq!((queued.agent_id, queued.agent_version, queued.priority), (agent(1), 3, Priority::High));
    assert_eq!((queued.project_id, queued.requested_by.as_str()), (project(1), "user:ada"));
    runs.claimed(1).await;
    let until = runs.clock.now() + chrono::TimeDelta::minutes(1);
    runs.happens(1, |run, _| run.park(run.fence(), &[Waiting::Timer].into(), until)).await;
    let waiting = runs.views.find(run(1)).await.unwrap().unwrap();
    assert_eq!((waiting.status, waiting.waiting_for), (RunStatus::Waiting, vec![Waiting::Timer]));
    assert!(waiting.started_at.is_some() && waiting.ended_at.is_none());
}

/// Absence is not an error.
pub async fn a_run_nobody_asked_for_is_not_there(runs: &RunsUnderTest) {
    assert_eq!(runs.views.find(run(1)).await.unwrap(), None);
    assert_eq!(runs.views.approval(approval(1)).await.unwrap(), None);
}

/// The newest first.
pub async fn runs_are_listed_newest_first(runs: &RunsUnderTest) {
    for n in 1..=3 {
        runs.given_run(n, 1, Priority::Normal).await;
    }
    assert_eq!(listed(runs, RunFilter::default()).await, [run(3), run(2), run(1)]);
    let second = Part::Page(PageRequest { page: 2, page_size: 2 });
    let page = runs.views.list(ListScope::Everything, &RunFilter::default(), &second).await.unwrap();
    assert_eq!((page.total(), page.items.len(), page.items[0].id), (Some(3), 1, run(1)));
}

/// Lists can be filtered by agent and status.
pub async fn lists_hold_only_what_the_filter_passes(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    runs.given_order(2, |order| Order { agent: agent(2), ..order }).await;
    runs.claimed(1).await;
    runs.ended(1, Ending::Completed(Json::Null.into())).await;
    assert_eq!(listed(runs, RunFilter { agent: Some(agent(2)), ..RunFilter::default() }).await, [run(2)]);
    assert_eq!(listed(runs, RunFilter { status: vec![RunStatus::Completed], ..RunFilter::default() }).await, [run(1)]);
    assert_eq!(listed(runs, RunFilter { status: vec![RunStatus::Failed], ..RunFilter::default() }).await, []);
}

/// A filter can combine several states.
pub async fn runs_are_found_at_any_of_several_places(runs: &RunsUnderTest) {
    for n in 1..=4 {
        runs.given_run(n, 1, Priority::Normal).await;
        runs.claimed(n).await;
    }
    runs.ended(1, Ending::Completed(Json::Null.into())).await;
    runs.ended(2, Ending::Failed(Failure::new("run.stuck", "no"))).await;
    runs.ended(3, Ending::Expired).await;
    let status = vec![RunStatus::Failed, RunStatus::Expired];
    assert_eq!(listed(runs, RunFilter { status, ..RunFilter::default() }).await, [run(3), run(2)]);
}

async fn waiting(runs: &RunsUnderTest, n: u128, reasons: &[Waiting]) {
    runs.given_run(n, 1, Priority::Normal).await;
    runs.claimed(n).await;
    let until = runs.clock.now() + TimeDelta::minutes(1);
    runs.happens(n, |run, _| run.park(run.fence(), &reasons.iter().copied().collect(), until)).await;
}

/// A filter finds runs that wait for people among all waiting ones.
pub async fn runs_are_found_by_what_they_wait_for(runs: &RunsUnderTest) {
    waiting(runs, 1, &[Waiting::Timer]).await;
    waiting(runs, 2, &[Waiting::Timer, Waiting::Approval]).await;
    waiting(runs, 3, &[Waiting::Child]).await;
    waiting(runs, 4, &[Waiting::Reconcile]).await;
    runs.given_run(5, 1, Priority::Normal).await;
    let waiting_for = vec![Waiting::Approval, Waiting::Reconcile];
    assert_eq!(listed(runs, RunFilter { waiting_for, ..RunFilter::default() }).await, [run(4), run(2)]);
}

fn child(of: u128) -> Parent {
    Parent { run: run(of), operation: OperationId::from(Uuid::from_u128(0xf000)) }
}

/// A tree of runs can be read level by level.
pub async fn runs_are_found_by_whose_children_they_are(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    runs.given_order(2, |order| Order { parent: Some(child(1)), ..order }).await;
    runs.given_order(3, |order| Order { parent: Some(child(2)), ..order }).await;
    let of = |parent| RunFilter { parent: Some(parent), ..RunFilter::default() };
    let found = [listed(runs, of(ChildOf::Nobody)).await, listed(runs, of(ChildOf::Run(run(1)))).await];
    assert_eq!(found, [[run(1)], [run(2)]]);
}

/// A retry and a fork of the first run.
async fn made_from_the_first(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    for (n, event) in [
        (2, RunEvent::from(RunRetried { of: run(1) })),
        (3, RunEvent::from(RunForked { from: run(1), from_version: 1, step: "file".into() })),
    ] {
        runs.given_run(n, 1, Priority::Normal).await;
        runs.happens(n, |_, _| Ok(vec![event])).await;
    }
}

/// A summary contains the run's origin.
pub async fn a_run_says_what_it_was_made_from(runs: &RunsUnderTest) {
    made_from_the_first(runs).await;
    let mut origins = Vec::new();
    for n in 1..=3 {
        origins.push(runs.views.find(run(n)).await.unwrap().unwrap().origin);
    }
    let fork = Origin::Fork { from: run(1), step: "file".into() };
    assert_eq!(origins, [None, Some(Origin::Retry { of: run(1) }), Some(fork)]);
}

/// Retries and forks of a run can be listed.
pub async fn runs_are_found_by_what_they_were_made_from(runs: &RunsUnderTest) {
    made_from_the_first(runs).await;
    let retries = RunFilter { retry_of: Some(run(1)), ..RunFilter::default() };
    let forks = RunFilter { forked_from: Some(run(1)), ..RunFilter::default() };
    assert_eq!([listed(runs, retries).await, listed(runs, forks).await], [[run(2)], [run(3)]]);
}

fn answered(input: u64, cost_micros: Option<u64>) -> RunEvent {
    let usage = TokenCount { input, output: 1, cache_read: 2, cache_write: 3, reasoning: 4 };
    RunEvent::from(ModelAnswered {
        operation: OperationId::from(Uuid::from_u128(0xf001)),
        text: String::new(),
        calls: vec![],
        finish: Finish::Stop,
        usage,
        estimated: false,
        model: "m".to_owned(),
        answered_by: "a/m".to_owned(),
        cost_micros,
        price: None,
        carry: None,
    })
}

/// A summary contains the cost.
pub async fn a_run_says_what_its_models_used(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    runs.claimed(1).await;
    runs.happens(1, |_, _| Ok(vec![answered(5, None)])).await;
    let unpriced = runs.views.find(run(1)).await.unwrap().unwrap().cost_micros;
    runs.happens(1, |_, _| Ok(vec![answered(7, Some(30)), answered(u64::MAX, Some(12))])).await;
    let told = runs.views.find(run(1)).await.unwrap().unwrap();
    let tokens = TokenCount { input: 1_000_000_000_000_000, output: 3, cache_read: 6, cache_write: 9, reasoning: 12 };
    assert_eq!((unpriced, told.tokens, told.cost_micros), (None, tokens, Some(42)));
}

/// The start of the range is inclusive, the end exclusive.
pub async fn runs_are_found_by_when_they_were_asked_for(runs: &RunsUnderTest) {
    let mut asked = Vec::new();
    for n in 1..=3 {
        runs.given_run(n, 1, Priority::Normal).await;
        asked.push(runs.views.find(run(n)).await.unwrap().unwrap().created_at);
        runs.time.pass(std::time::Duration::from_millis(2)).await;
    }
    let filter = RunFilter { created_from: Some(asked[1]), created_before: Some(asked[2]), ..RunFilter::default() };
    assert_eq!(listed(runs, filter).await, [run(2)]);
    let filter =
        RunFilter { created_from: Some(asked[1]), sort: Sort::ascending(Age::CreatedAt), ..RunFilter::default() };
    assert_eq!(listed(runs, filter).await, [run(2), run(3)]);
}

/// A list contains only visible projects.
pub async fn a_list_shows_members_only_their_projects(runs: &RunsUnderTest) {
    runs.given_project(1, user(1)).await;
    runs.given_project(2, user(2)).await;
    runs.given_run(1, 1, Priority::Normal).await;
    runs.given_run(2, 2, Priority::Normal).await;
    let of = async |scope| listed_within(runs, scope, RunFilter::default()).await;
    assert_eq!(of(ListScope::MemberOf(user(1))).await, [run(1)]);
    assert_eq!(of(ListScope::MemberOf(user(3))).await, []);
    assert_eq!(of(ListScope::Project(project(2))).await, [run(2)]);
}

/// A failure has its code and place.
pub async fn a_run_says_why_it_failed(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    runs.claimed(1).await;
    let failure = Failure::new("tool.http_status", "it answered 404").at(&Place::step("file"));
    runs.ended(1, Ending::Failed(failure.clone())).await;
    let failed = runs.views.find(run(1)).await.unwrap().unwrap();
    assert_eq!((failed.status, failed.error), (RunStatus::Failed, Some(failure)));
    assert!(failed.ended_at.is_some());
}

fn proposed() -> ProposedCall {
    ProposedCall { tool: "pay".into(), arguments_hash: "abc".into() }
}

fn said(choice: Choice, edit: Option<&Edit>) -> Decided<'_> {
    Decided { choice, edit, reason: Some("no"), by: "user:eve" }
}

/// An approval has its call, expiry and edited arguments.
pub async fn a_question_about_a_call_is_seen_with_what_it_was_answered_with(runs: &RunsUnderTest) {
    asks(runs, 1).await;
    let open = runs.views.approval(approval(1)).await.unwrap().unwrap();
    assert_eq!((open.call, open.expires_at.is_some(), open.edit), (Some(proposed()), true, None));
    let edit = Edit { arguments: Json::from("less"), arguments_hash: "def".into() };
    runs.happens(1, |run, now| run.decide_approval(approval(1), &said(Choice::Approve, Some(&edit)), now)).await;
    assert_eq!(runs.views.approval(approval(1)).await.unwrap().unwrap().edit, Some(edit));
}

/// An unanswered approval expires.
pub async fn a_question_nobody_answered_is_seen_as_expired(runs: &RunsUnderTest) {
    asks(runs, 1).await;
    runs.happens(1, |run, at| run.record(run.fence(), &[Progress::Expire { approval: approval(1), at }])).await;
    assert_eq!(runs.views.approval(approval(1)).await.unwrap().unwrap().status, ApprovalStatus::Expired);
}

/// An answer has its author and reason.
pub async fn a_question_is_open_until_it_is_answered(runs: &RunsUnderTest) {
    asks(runs, 1).await;
    let open = runs.views.approval(approval(1)).await.unwrap().unwrap();
    assert_eq!((open.status, open.prompt.as_str(), &open.data), (ApprovalStatus::Open, "go?", &Json::from("look")));
    assert_eq!((open.run_id, open.project_id, open.place), (run(1), project(1), Place::element("ask", 2)));
    runs.happens(1, |run, now| run.decide_approval(approval(1), &said(Choice::Deny, None), now)).await;
    let denied = runs.views.approval(approval(1)).await.unwrap().unwrap();
    assert_eq!(denied.status, ApprovalStatus::Denied);
    assert_eq!((denied.decided_by.as_deref(), denied.reason.as_deref()), (Some("user:eve"), Some("no")));
}

/// Approvals of an ended run can no longer be answered.
pub async fn questions_of_an_ended_run_are_withdrawn(runs: &RunsUnderTest) {
    asks(runs, 1).await;
    asks(runs, 2).await;
    runs.ended(1, Ending::Expired).await;
    assert_eq!(runs.views.approval(approval(1)).await.unwrap().unwrap().status, ApprovalStatus::Withdrawn);
    let open = runs.views.approvals(&questions(Some(ApprovalStatus::Open)), &Part::default()).await.unwrap();
    assert_eq!(open.items.iter().map(|view| view.run_id).collect::<Vec<_>>(), [run(2)]);
}

/// The oldest first.
pub async fn questions_are_listed_oldest_first(runs: &RunsUnderTest) {
    asks(runs, 1).await;
    asks(runs, 2).await;
    let page = runs.views.approvals(&questions(None), &Part::default()).await.unwrap();
    assert_eq!((page.total(), page.items[0].id, page.items[1].id), (Some(2), approval(1), approval(2)));
    let filter = ApprovalFilter { run: Some(run(2)), ..questions(None) };
    let of_run = runs.views.approvals(&filter, &Part::default()).await.unwrap();
    assert_eq!(of_run.items.iter().map(|view| view.id).collect::<Vec<_>>(), [approval(2)]);
}
