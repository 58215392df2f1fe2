//! Each promise about users and projects is broken by at least one of these adapters.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    access::{Memberships, Standing},
    agents::{AgentFilter, AgentVersionSummary, AgentVersionView, AgentView, AgentViews},
    context::KeyGrant,
    error::PortError,
    identity::{
        Accounts, Credentials, Erasures, Invitations, KeyStandings, KeyUses, NewSession, Perishable, PrivateAccount,
        Profile, RefreshDigest, Rotation, Sessions, Standings, UserFilter, UserRecord, UserStatus, UserViews,
    },
    paging::{Beyond, PageOf, Part},
    projects::{Directory, MemberRecord, Person, ProjectFilter, ProjectView, ProjectViews},
};
use devskyy_domain::{
    agents::{AgentStatus, AgentType, VersionNumber},
    identity::{Email, PlatformRole},
    kernel::ids::{AgentId, ApiKeyId, ProjectId, SessionId, UserId},
    projects::{ProjectRole, ProjectStatus},
};
use devskyy_testkit::contracts::people::{PeopleUnderTest, Perishables};

use crate::unforgetting::Unforgetting;

/// Returns whatever is asked for, true or not, and forgets nothing.
struct Credulous<T: ?Sized>(Arc<T>);

/// Returns nothing.
struct Mute;

/// Deletes everything it ever stored.
struct Zealous<T: ?Sized>(Arc<T>, Mutex<Vec<UserId>>);

fn role() -> PlatformRole {
    PlatformRole::Admin
}

#[async_trait]
impl UserViews for Credulous<dyn UserViews> {
    async fn find(&self, user: UserId) -> Result<Option<UserRecord>, PortError> {
        let (personal_project, created_at) = (ProjectId::from(uuid::Uuid::nil()), DateTime::UNIX_EPOCH);
        let (role, status) = (role(), UserStatus::Active);
        Ok(Some(UserRecord { id: user, role, status, personal_project, created_at, version: 1 }))
    }

    async fn has_admin(&self) -> Result<bool, PortError> {
        Ok(true)
    }

    async fn active_administrators(&self) -> Result<u64, PortError> {
        Ok(1_000)
    }

    async fn list(&self, filter: UserFilter, part: &Part) -> Result<PageOf<UserRecord>, PortError> {
        self.0.list(filter, part).await
    }
}

#[async_trait]
impl Accounts for Credulous<dyn Accounts> {
    async fn save(&self, account: &PrivateAccount) -> Result<(), PortError> {
        self.0.save(account).await
    }

    async fn find_by_email(&self, digest: &[u8; 32]) -> Result<Vec<Credentials>, PortError> {
        Ok(self.0.find_by_email(digest).await?.into_iter().take(1).collect())
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PortError> {
        let profile = || Profile { email: "ada@example.org".to_owned(), name: "Ada".to_owned() };
        Ok(users.iter().map(|user| (*user, profile())).collect())
    }

    async fn remove(&self, _: UserId) -> Result<(), PortError> {
        Ok(())
    }

    async fn sweep(&self, _: DateTime<Utc>) -> Result<u64, PortError> {
        Ok(0)
    }
}

#[async_trait]
impl Accounts for Mute {
    async fn save(&self, _: &PrivateAccount) -> Result<(), PortError> {
        Ok(())
    }

    async fn find_by_email(&self, _: &[u8; 32]) -> Result<Vec<Credentials>, PortError> {
        Ok(vec![])
    }

    async fn profiles(&self, _: &[UserId]) -> Result<Vec<(UserId, Profile)>, PortError> {
        Ok(vec![])
    }

    async fn remove(&self, _: UserId) -> Result<(), PortError> {
        Ok(())
    }

    async fn sweep(&self, _: DateTime<Utc>) -> Result<u64, PortError> {
        Ok(0)
    }
}

#[async_trait]
impl Accounts for Zealous<dyn Accounts> {
    async fn save(&self, account: &PrivateAccount) -> Result<(), PortError> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push(account.user);
        self.0.save(account).await
    }

    async fn find_by_email(&self, digest: &[u8; 32]) -> Result<Vec<Credentials>, PortError> {
        self.0.find_by_email(digest).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PortError> {
        self.0.profiles(users).await
    }

    async fn remove(&self, user: UserId) -> Result<(), PortError> {
        self.0.remove(user).await
    }

    async fn sweep(&self, _: DateTime<Utc>) -> Result<u64, PortError> {
        let all = std::mem::take(&mut *self.1.lock().unwrap_or_else(PoisonError::into_inner));
        for user in &all {
            self.0.remove(*user).await?;
        }
        Ok(all.len() as u64)
    }
}

#[async_trait]
impl Sessions for Credulous<dyn Sessions> {
    async fn open(&self, session: &NewSession) -> Result<Vec<SessionId>, PortError> {
        self.0.open(session).await
    }

    async fn rotate(
        &self,
        _: &RefreshDigest,
        _: &RefreshDigest,
        _: DateTime<Utc>,
        _: DateTime<Utc>,
    ) -> Result<Rotation, PortError> {
        let (session, user) = (uuid::Uuid::nil().into(), uuid::Uuid::nil().into());
        Ok(Rotation::Rotated { session, user })
    }

    async fn revoke(&self, _: SessionId, _: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn revoke_all(&self, _: UserId, _: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }
}

#[async_trait]
impl Standings for Credulous<dyn Standings> {
    async fn of(&self, _: UserId, _: SessionId, _: DateTime<Utc>) -> Result<Option<PlatformRole>, PortError> {
        Ok(Some(role()))
    }

    fn forget(&self, _: SessionId) {}
}

#[async_trait]
impl Standings for Mute {
    async fn of(&self, _: UserId, _: SessionId, _: DateTime<Utc>) -> Result<Option<PlatformRole>, PortError> {
        Ok(None)
    }

    fn forget(&self, _: SessionId) {}
}

#[async_trait]
impl Memberships for Credulous<dyn Memberships> {
    async fn standing(&self, _: ProjectId, _: UserId) -> Result<Option<Standing>, PortError> {
        Ok(Some(Standing { status: ProjectStatus::Active, role: Some(ProjectRole::Owner) }))
    }

    async fn acquainted(&self, _: UserId, _: UserId) -> Result<bool, PortError> {
        Ok(true)
    }

    async fn personal_project(&self, _: UserId) -> Result<Option<ProjectId>, PortError> {
        Ok(Some(uuid::Uuid::nil().into()))
    }
}

#[async_trait]
impl ProjectViews for Credulous<dyn ProjectViews> {
    async fn find(&self, id: ProjectId) -> Result<Option<ProjectView>, PortError> {
        let (name, slug, status) = ("Any".to_owned(), "any".to_owned(), ProjectStatus::Active);
        let created_at = DateTime::UNIX_EPOCH;
        Ok(Some(ProjectView { id, name, slug, status, personal: false, created_at, version: 1 }))
    }

    async fn list(&self, filter: &ProjectFilter, part: &Part) -> Result<PageOf<ProjectView>, PortError> {
        self.0.list(filter, part).await
    }

    async fn members(&self, project: ProjectId, part: &Part) -> Result<PageOf<MemberRecord>, PortError> {
        self.0.members(project, part).await
    }

    async fn member(&self, project: ProjectId, user: UserId) -> Result<Option<MemberRecord>, PortError> {
        self.0.member(project, user).await
    }
}

#[async_trait]
impl AgentViews for Credulous<dyn AgentViews> {
    async fn find(&self, id: AgentId) -> Result<Option<AgentView>, PortError> {
        let (kind, status, at) = (AgentType::Workflow, AgentStatus::Active, DateTime::UNIX_EPOCH);
        Ok(Some(AgentView {
            id,
            project_id: uuid::Uuid::nil().into(),
            name: "Any".to_owned(),
            kind,
            capabilities: vec![],
            description: String::new(),
            status,
            current_version: Some(1),
            created_at: at,
            updated_at: at,
            version: 1,
        }))
    }

    /// Ignores the requested type, and never reports that the list continues.
    async fn list(&self, filter: AgentFilter, part: &Part) -> Result<PageOf<AgentView>, PortError> {
        let found = self.0.list(AgentFilter { kind: None, ..filter }, part).await?;
        match part {
            Part::Page(_) => Ok(found),
            Part::Keyset(_) => Ok(PageOf { beyond: Beyond::Next(None), ..found }),
        }
    }

    async fn versions(&self, agent: AgentId, part: &Part) -> Result<PageOf<AgentVersionSummary>, PortError> {
        self.0.versions(agent, part).await
    }

    async fn version(&self, agent_id: AgentId, number: VersionNumber) -> Result<Option<AgentVersionView>, PortError> {
        let (published_at, published_by) = (DateTime::UNIX_EPOCH, "user:anybody".to_owned());
        let summary = AgentVersionSummary { agent_id, number, published_at, published_by };
        let definition = serde_json::from_str(r#"{"steps": []}"#).unwrap();
        Ok(Some(AgentVersionView { summary, definition }))
    }
}

#[async_trait]
impl KeyStandings for Credulous<dyn KeyStandings> {
    async fn of(&self, _: ApiKeyId, _: &[u8; 32], _: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError> {
        let (project, issuer) = (uuid::Uuid::nil().into(), uuid::Uuid::nil().into());
        Ok(Some(KeyGrant { project, issuer, role: ProjectRole::Owner, scopes: BTreeSet::new() }))
    }

    fn forget(&self, _: ApiKeyId) {}
}

#[async_trait]
impl KeyUses for Mute {
    fn note(&self, _: ApiKeyId, _: DateTime<Utc>) {}

    async fn last(&self, _: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, DateTime<Utc>)>, PortError> {
        Ok(vec![])
    }
}

#[async_trait]
impl Invitations for Mute {
    async fn save(&self, _: &[u8; 32], expires_at: DateTime<Utc>) -> Result<DateTime<Utc>, PortError> {
        Ok(expires_at)
    }

    async fn expiry(&self, _: &[u8; 32]) -> Result<Option<DateTime<Utc>>, PortError> {
        Ok(None)
    }
}

#[async_trait]
impl Erasures for Mute {
    async fn record(&self, _: UserId, _: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn all(&self) -> Result<Vec<UserId>, PortError> {
        Ok(vec![])
    }
}

#[async_trait]
impl Directory for Credulous<dyn Directory> {
    async fn find_by_email(&self, _: &Email) -> Result<Option<UserId>, PortError> {
        Ok(Some(uuid::Uuid::nil().into()))
    }

    async fn people(&self, users: &[UserId]) -> Result<Vec<Person>, PortError> {
        let (email, name) = ("ada@example.org".to_owned(), "Ada".to_owned());
        let person =
            |id: &UserId| Person { id: *id, email: email.clone(), name: name.clone(), since: DateTime::UNIX_EPOCH };
        Ok(users.iter().map(person).collect())
    }
}

#[async_trait]
impl Perishable for Zealous<dyn Perishable> {
    async fn sweep(&self, _: DateTime<Utc>) -> Result<u64, PortError> {
        self.0.sweep(DateTime::<Utc>::MAX_UTC).await
    }
}

/// Adapters over a log without writers, or that store nothing.
fn empty() -> PeopleUnderTest {
    let elsewhere = PeopleUnderTest::in_memory();
    PeopleUnderTest {
        store: PeopleUnderTest::in_memory().store,
        accounts: Arc::new(Mute),
        standings: Arc::new(Mute),
        invitations: Arc::new(Mute),
        erasures: Arc::new(Mute),
        key_uses: Arc::new(Mute),
        perishables: PeopleUnderTest::in_memory().perishables,
        session_list: PeopleUnderTest::in_memory().session_list,
        changes: PeopleUnderTest::in_memory().changes,
        ..elsewhere
    }
}

fn credulous() -> PeopleUnderTest {
    let honest = PeopleUnderTest::in_memory();
    PeopleUnderTest {
        users: Arc::new(Credulous(honest.users.clone())),
        accounts: Arc::new(Credulous(honest.accounts.clone())),
        changes: Arc::new(Unforgetting(honest.changes.clone())),
        sessions: Arc::new(Credulous(honest.sessions.clone())),
        standings: Arc::new(Credulous(honest.standings.clone())),
        memberships: Arc::new(Credulous(honest.memberships.clone())),
        directory: Arc::new(Credulous(honest.directory.clone())),
        projects: Arc::new(Credulous(honest.projects.clone())),
        agents: Arc::new(Credulous(honest.agents.clone())),
        key_standings: Arc::new(Credulous(honest.key_standings.clone())),
        ..honest
    }
}

fn zealous() -> PeopleUnderTest {
    let honest = PeopleUnderTest::in_memory();
    let all_of = |it: Arc<dyn Perishable>| -> Arc<dyn Perishable> { Arc::new(Zealous(it, Mutex::default())) };
    let Perishables { sessions, invitations, used_keys, attempts } = honest.perishables;
    let (sessions, invitations) = (all_of(sessions), all_of(invitations));
    let (used_keys, attempts) = (all_of(used_keys), all_of(attempts));
    PeopleUnderTest {
        accounts: Arc::new(Zealous(honest.accounts.clone(), Mutex::default())),
        perishables: Perishables { sessions, invitations, used_keys, attempts },
        ..honest
    }
}

fn flawed() -> [PeopleUnderTest; 3] {
    [empty(), credulous(), zealous()]
}

devskyy_testkit::identity_contract!(broken flawed);
devskyy_testkit::projects_contract!(broken flawed);
devskyy_testkit::agents_contract!(broken flawed);
devskyy_testkit::api_keys_contract!(broken flawed);
