//! Adapters of users, projects and agents with one flaw each. A contract that accepts one of them is useless.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    access::{ListScope, Memberships, Standing},
    agents::{AgentFilter, AgentVersionSummary, AgentVersionView, AgentView, AgentViews},
    error::PortError,
    identity::{NewSession, RefreshDigest, Rotation, Sessions, Standings},
    paging::{PageOf, Part},
};
use devskyy_domain::{
    agents::VersionNumber,
    identity::PlatformRole,
    kernel::ids::{AgentId, ProjectId, SessionId, UserId},
};
use devskyy_testkit::contracts::{
    is_broken,
    people::{self as promise, PeopleUnderTest},
};

/// Exchanges every token that was ever issued, any number of times.
struct Forgiving(Arc<dyn Sessions>, Mutex<HashMap<RefreshDigest, (SessionId, UserId)>>);

#[async_trait]
impl Sessions for Forgiving {
    async fn open(&self, session: &NewSession) -> Result<Vec<SessionId>, PortError> {
        self.1.lock().unwrap().insert(session.refresh, (session.id, session.user));
        self.0.open(session).await
    }

    async fn rotate(
        &self,
        presented: &RefreshDigest,
        next: &RefreshDigest,
        _now: DateTime<Utc>,
        _next_until: DateTime<Utc>,
    ) -> Result<Rotation, PortError> {
        let mut handed_out = self.1.lock().unwrap();
        let Some((session, user)) = handed_out.get(presented).copied() else { return Ok(Rotation::Refused) };
        handed_out.insert(*next, (session, user));
        Ok(Rotation::Rotated { session, user })
    }

    async fn revoke(&self, session: SessionId, now: DateTime<Utc>) -> Result<(), PortError> {
        self.0.revoke(session, now).await
    }

    async fn revoke_all(&self, _user: UserId, _now: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }
}

fn forgiving() -> PeopleUnderTest {
    let honest = PeopleUnderTest::in_memory();
    PeopleUnderTest { sessions: Arc::new(Forgiving(honest.sessions.clone(), Mutex::default())), ..honest }
}

#[tokio::test]
async fn sessions_that_forgive_a_reuse_are_caught() {
    assert!(is_broken(promise::a_token_whose_successor_was_used_ends_the_sign_in(&forgiving())).await);
}

#[tokio::test]
async fn sessions_that_leave_a_lost_answer_alive_are_caught() {
    assert!(is_broken(promise::a_replaced_successor_ends_the_sign_in(&forgiving())).await);
}

#[tokio::test]
async fn sessions_with_many_live_successors_are_caught() {
    assert!(is_broken(promise::of_twenty_parallel_exchanges_at_most_one_successor_counts(&forgiving())).await);
}

/// Exchanges every token exactly once, so that a lost response ends the session.
struct Unforgiving(Arc<dyn Sessions>, Mutex<HashSet<RefreshDigest>>);

#[async_trait]
impl Sessions for Unforgiving {
    async fn open(&self, session: &NewSession) -> Result<Vec<SessionId>, PortError> {
        self.0.open(session).await
    }

    async fn rotate(
        &self,
        presented: &RefreshDigest,
        next: &RefreshDigest,
        now: DateTime<Utc>,
        next_until: DateTime<Utc>,
    ) -> Result<Rotation, PortError> {
        if !self.1.lock().unwrap().insert(*presented) {
            return Ok(Rotation::Refused);
        }
        self.0.rotate(presented, next, now, next_until).await
    }

    async fn revoke(&self, session: SessionId, now: DateTime<Utc>) -> Result<(), PortError> {
        self.0.revoke(session, now).await
    }

    async fn revoke_all(&self, user: UserId, now: DateTime<Utc>) -> Result<(), PortError> {
        self.0.revoke_all(user, now).await
    }
}

fn unforgiving() -> PeopleUnderTest {
    let honest = PeopleUnderTest::in_memory();
    PeopleUnderTest { sessions: Arc::new(Unforgiving(honest.sessions.clone(), Mutex::default())), ..honest }
}

#[tokio::test]
async fn sessions_that_do_not_answer_again_are_caught() {
    assert!(is_broken(promise::a_token_is_exchanged_again_while_its_successor_is_unused(&unforgiving())).await);
}

#[tokio::test]
async fn sessions_that_a_race_ends_are_caught() {
    assert!(is_broken(promise::after_twenty_parallel_exchanges_the_sign_in_goes_on(&unforgiving())).await);
}

#[tokio::test]
async fn sessions_that_do_not_revoke_all_are_caught() {
    assert!(is_broken(promise::revoking_all_of_a_person_ends_every_sign_in(&forgiving())).await);
}

/// Accepts every session for ever.
struct Credulous;

#[async_trait]
impl Standings for Credulous {
    async fn of(
        &self,
        _user: UserId,
        _session: SessionId,
        _now: DateTime<Utc>,
    ) -> Result<Option<PlatformRole>, PortError> {
        Ok(Some(PlatformRole::Admin))
    }

    fn forget(&self, _session: SessionId) {}
}

#[tokio::test]
async fn standings_that_outlive_a_log_out_are_caught() {
    let people = PeopleUnderTest { standings: Arc::new(Credulous), ..PeopleUnderTest::in_memory() };
    assert!(is_broken(promise::a_revoked_sign_in_does_not_count(&people)).await);
}

/// Caches memberships for ever.
struct Nostalgic(Arc<dyn Memberships>, Mutex<HashMap<(ProjectId, UserId), Standing>>);

#[async_trait]
impl Memberships for Nostalgic {
    async fn standing(&self, project: ProjectId, user: UserId) -> Result<Option<Standing>, PortError> {
        if let Some(standing) = self.0.standing(project, user).await? {
            let mut remembered = self.1.lock().unwrap();
            return Ok(Some(*remembered.entry((project, user)).or_insert(standing)));
        }
        Ok(None)
    }

    async fn acquainted(&self, one: UserId, other: UserId) -> Result<bool, PortError> {
        self.0.acquainted(one, other).await
    }

    async fn personal_project(&self, user: UserId) -> Result<Option<ProjectId>, PortError> {
        self.0.personal_project(user).await
    }
}

#[tokio::test]
async fn memberships_that_are_remembered_too_long_are_caught() {
    let honest = PeopleUnderTest::in_memory();
    let flawed = Arc::new(Nostalgic(honest.memberships.clone(), Mutex::default()));
    assert!(
        is_broken(promise::a_role_taken_away_between_two_questions_is_gone(&PeopleUnderTest {
            memberships: flawed,
            ..honest
        }))
        .await
    );
}

/// Lists the agents of all projects, and counts only what it shows.
struct Indiscreet(Arc<dyn AgentViews>);

#[async_trait]
impl AgentViews for Indiscreet {
    async fn find(&self, agent: AgentId) -> Result<Option<AgentView>, PortError> {
        self.0.find(agent).await
    }

    async fn list(&self, filter: AgentFilter, part: &Part) -> Result<PageOf<AgentView>, PortError> {
        let listed = self.0.list(AgentFilter { scope: ListScope::Everything, ..filter }, part).await?;
        let total = listed.items.len() as u64;
        Ok(PageOf::of_total(listed.items, total))
    }

    async fn versions(&self, agent: AgentId, part: &Part) -> Result<PageOf<AgentVersionSummary>, PortError> {
        self.0.versions(agent, part).await
    }

    async fn version(&self, agent: AgentId, number: VersionNumber) -> Result<Option<AgentVersionView>, PortError> {
        self.0.version(agent, number).await
    }
}

fn indiscreet() -> PeopleUnderTest {
    let honest = PeopleUnderTest::in_memory();
    PeopleUnderTest { agents: Arc::new(Indiscreet(honest.agents.clone())), ..honest }
}

#[tokio::test]
async fn lists_that_show_other_peoples_agents_are_caught() {
    assert!(is_broken(promise::agents_are_listed_by_membership(&indiscreet())).await);
}

#[tokio::test]
async fn totals_that_count_one_page_only_are_caught() {
    assert!(is_broken(promise::a_page_beyond_the_end_is_empty_and_knows_the_total(&indiscreet())).await);
}
