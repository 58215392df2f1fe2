//! The contract of runs: the read model, the queue, and the definitions of agents.
#![expect(clippy::expect_used, reason = "a broken promise is a panic")]

pub mod agents;
pub mod ends;
pub mod queue;
pub mod views;
pub mod walks;

use std::{any::Any, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    es::{EventContext, EventStore, Precondition, Repository},
    ports::Clock,
    runs::{RunQueue, RunViews, RunnableAgents},
};
use devskyy_domain::{
    kernel::{
        Aggregate, Json,
        ids::{AgentId, ProjectId, RunId, UserId},
    },
    projects::{Project, ProjectError, ProjectEvent, ProjectName},
    runs::{Allowance, Ending, Order, Priority, Progress, Run, RunEvent},
};
use uuid::Uuid;

/// Moves the store's clock.
#[async_trait]
pub trait Passage: Send + Sync {
    /// Returns when that much time has passed.
    async fn pass(&self, time: Duration);
}

/// The adapters of runs over their log.
pub struct RunsUnderTest {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The read model.
    pub views: Arc<dyn RunViews>,
    /// The queue.
    pub queue: Arc<dyn RunQueue>,
    /// The definitions of agents.
    pub agents: Arc<dyn RunnableAgents>,
    /// Reads the store's clock.
    pub clock: Arc<dyn Clock>,
    /// Moves the store's clock.
    pub time: Arc<dyn Passage>,
    /// Resources that must live as long as the test.
    pub keep: Box<dyn Any + Send>,
}

/// A lease that lapses during a test, however busy the machine is.
pub(super) const BRIEF: Duration = Duration::from_millis(200);
/// A lease that outlasts every test, however busy the machine is.
pub(super) const LEASE: Duration = Duration::from_secs(300);

pub(super) fn project(n: u128) -> ProjectId {
    ProjectId::from(Uuid::from_u128(0xa000 + n))
}

pub(super) fn user(n: u128) -> UserId {
    UserId::from(Uuid::from_u128(0xb000 + n))
}

pub(super) fn agent(n: u128) -> AgentId {
    AgentId::from(Uuid::from_u128(0xc000 + n))
}

pub(super) fn run(n: u128) -> RunId {
    RunId::from(Uuid::from_u128(0xd000 + n))
}

fn context(project: ProjectId) -> EventContext {
    EventContext {
        actor: "user:ada".to_owned(),
        project: Some(project),
        correlation_id: Uuid::from_u128(1),
        causation_id: Uuid::from_u128(1),
        source: None,
        traceparent: None,
    }
}

impl RunsUnderTest {
    async fn append<A: Aggregate>(&self, id: A::Id, project: ProjectId, events: &[A::Event]) {
        let write = Repository::<A>::write(id, Precondition::Any, events).expect("an event can be written");
        let request = devskyy_application::es::AppendRequest {
            writes: vec![write],
            claims: vec![],
            idempotency: None,
            context: context(project),
        };
        self.store.append(request).await.expect("the log accepts the events");
    }

    /// Creates a project with that owner.
    pub(super) async fn given_project(&self, n: u128, owner: UserId) {
        let name = ProjectName::parse("Apollo").expect("a good name");
        let events = Project::default().create(&name, owner, false).expect("a new project");
        self.append::<Project>(project(n), project(n), &events).await;
    }

    /// Records a decision of a project.
    pub(super) async fn happens_to_project(
        &self,
        n: u128,
        decide: impl FnOnce(&Project) -> Result<Vec<ProjectEvent>, ProjectError>,
    ) {
        let projects = Repository::<Project>::new(self.store.clone());
        let state = projects.load(project(n)).await.expect("the log can be read").state;
        let events = decide(&state).expect("it may happen");
        self.append::<Project>(project(n), project(n), &events).await;
    }

    /// Queues a run of the first agent in a project.
    pub(super) async fn given_run(&self, n: u128, of_project: u128, priority: Priority) {
        self.given_order(n, |order| Order { project: project(of_project), priority, ..order }).await;
    }

    pub(super) async fn given_order(&self, n: u128, change: impl FnOnce(Order) -> Order + Send) {
        self.given_order_at(n, self.clock.now(), change).await;
    }

    /// Queues a run at a time of the requester's clock.
    pub(super) async fn given_order_at(&self, n: u128, now: DateTime<Utc>, change: impl FnOnce(Order) -> Order + Send) {
        let order = change(Order {
            agent: agent(1),
            agent_version: 3,
            project: project(1),
            parent: None,
            depth: 0,
            callers: vec![],
            allowance: Allowance::default(),
            input: Json::from(1_i64),
            priority: Priority::Normal,
            deadline: now + TimeDelta::hours(1),
        });
        let at = now + TimeDelta::microseconds(i64::try_from(n).unwrap_or_default() - 1_000);
        let events = Run::default().queue(&order, at).expect("a good order");
        self.append::<Run>(run(n), order.project, &events).await;
    }

    pub(super) async fn state(&self, n: u128) -> Run {
        let runs = Repository::<Run>::new(self.store.clone());
        runs.load(run(n)).await.expect("the log can be read").state
    }

    /// Records a decision of a run.
    pub(super) async fn happens(
        &self,
        n: u128,
        decide: impl FnOnce(&Run, DateTime<Utc>) -> Result<Vec<RunEvent>, devskyy_domain::runs::RunError>,
    ) {
        let state = self.state(n).await;
        let events = decide(&state, self.clock.now()).expect("it may happen");
        let project = state.order().map_or(project(1), |order| order.project);
        self.append::<Run>(run(n), project, &events).await;
    }

    pub(super) async fn claimed(&self, n: u128) {
        self.happens(n, |run, now| run.claim("ada", run.fence() + 1, now)).await;
    }

    pub(super) async fn ended(&self, n: u128, ending: Ending) {
        self.happens(n, |run, now| run.finish(run.fence(), &ending, now)).await;
    }

    pub(super) async fn reported(&self, n: u128, reports: Vec<Progress>) {
        self.happens(n, |run, _| run.record(run.fence(), &reports)).await;
    }
}

/// Creates a test for each promise about runs.
#[macro_export]
macro_rules! runs_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) runs::views] =>
            a_run_is_seen_as_it_stands,
            a_run_nobody_asked_for_is_not_there,
            runs_are_listed_newest_first,
            lists_hold_only_what_the_filter_passes,
            runs_are_found_by_when_they_were_asked_for,
            runs_are_found_at_any_of_several_places,
            runs_are_found_by_what_they_wait_for,
            runs_are_found_by_whose_children_they_are,
            runs_are_found_by_what_they_were_made_from,
            a_run_says_what_it_was_made_from,
            a_run_says_what_its_models_used,
            a_list_shows_members_only_their_projects,
            a_run_says_why_it_failed,
            a_question_is_open_until_it_is_answered,
            a_question_about_a_call_is_seen_with_what_it_was_answered_with,
            a_question_nobody_answered_is_seen_as_expired,
            questions_of_an_ended_run_are_withdrawn,
            questions_are_listed_oldest_first,
        }
        $crate::promises! { [$($how)+] [(&) runs::walks] =>
            runs_are_walked_once_in_both_directions,
            questions_are_walked_once,
            runs_asked_for_during_a_walk_hide_and_repeat_nothing,
        }
        $crate::promises! { [$($how)+] [(&) runs::queue] =>
            a_look_tells_the_time_of_the_queue,
            a_ready_run_is_handed_out_once,
            the_most_urgent_runs_come_first,
            projects_take_turns,
            a_project_gets_no_more_than_its_share,
            a_parked_run_makes_room_in_its_project,
            a_share_is_not_exceeded_by_many_at_once,
            a_project_gets_no_more_than_its_share_of_a_worker,
            what_one_worker_leaves_to_others_another_takes,
            a_lapsed_lease_is_claimable,
            a_renewed_lease_lasts_longer,
            a_lease_older_than_the_fence_is_no_obstacle,
            a_holder_whose_fence_has_passed_cannot_renew,
            a_lease_given_back_is_over,
            a_lease_of_another_fence_is_not_given_back,
            a_waiting_run_is_claimable_when_it_is_due,
            an_answer_makes_a_waiting_run_claimable,
            a_run_that_was_asked_for_by_a_clock_that_is_ahead_is_claimable,
            a_run_that_is_handed_over_is_claimable,
            an_ended_run_is_never_handed_out,
            runs_of_a_suspended_project_wait,
            runs_of_a_resumed_project_go_on,
            runs_of_other_projects_go_on,
            a_run_of_a_suspended_project_ends_at_its_deadline,
            a_run_of_a_suspended_project_ends_when_it_is_stopped,
            runs_of_an_archived_project_are_not_begun,
            the_queue_says_when_a_run_of_a_suspended_project_must_end,
            the_queue_says_when_something_becomes_due,
            what_is_held_is_handed_out_or_told,
            many_workers_share_many_runs_without_sharing_one,
        }
        $crate::promises! { [$($how)+] [(&) runs::ends] =>
            a_cancelled_run_goes_before_a_backlog,
            a_cancelled_run_finds_room_at_a_worker_that_has_none,
            an_overdue_low_run_ends_under_high_load,
            what_ends_is_handed_out_beside_what_goes_on,
            the_queue_says_when_a_queued_run_must_end,
        }
        $crate::promises! { [$($how)+] [(&) runs::agents] =>
            an_agent_nobody_made_is_not_there,
            an_agent_is_told_at_its_present_version,
            a_paused_agent_starts_no_run,
            an_old_version_is_told_as_it_was,
        }
    };
}
