use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use devskyy_application::{
    access::{ListScope, Memberships, Standing},
    error::PortError,
    es::RecordedEvent,
    identity::{Accounts, TokenMint, UserViews as _, email_digest},
    paging::{Key, PageOf, Part},
    projects::{Directory, MemberRecord, Person, ProjectFilter, ProjectSort, ProjectView, ProjectViews},
};
use devskyy_domain::{
    identity::Email,
    kernel::ids::{ProjectId, UserId},
    projects::{Project, ProjectCreated, ProjectEvent, ProjectRole, ProjectStatus},
};

use super::{InMemoryAccounts, InMemoryEventStore, InMemoryUsers, identity::decoded};

/// Projects and memberships, folded from an in-memory log.
#[derive(Default)]
pub struct InMemoryProjects(Mutex<Vec<Row>>);

struct Row {
    view: ProjectView,
    owner: UserId,
    members: Vec<MemberRecord>,
}

impl InMemoryProjects {
    /// Projects that follow a log.
    #[must_use]
    pub fn following(store: &InMemoryEventStore) -> Arc<Self> {
        let projects = Arc::new(Self::default());
        let follower = projects.clone();
        store.follow(move |event| follower.take_in(event));
        projects
    }

    fn rows(&self) -> MutexGuard<'_, Vec<Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: &RecordedEvent) {
        let Some(fact) = decoded::<Project>(event) else { return };
        let mut rows = self.rows();
        if let ProjectEvent::Created(it) = &fact {
            rows.push(Row::new(event, it));
            return;
        }
        let Some(row) = rows.iter_mut().find(|row| row.view.id == event.stream_id.into()) else { return };
        row.view.version = event.version;
        row.change(event, fact);
    }

    /// Whether runs of a project may continue; true for an unknown project.
    pub(super) fn in_use(&self, project: ProjectId) -> bool {
        let rows = self.rows();
        rows.iter().all(|row| row.view.id != project || row.view.status == ProjectStatus::Active)
    }

    pub(super) fn is_member(&self, project: ProjectId, user: UserId) -> bool {
        self.rows().iter().any(|row| row.view.id == project && row.member(user).is_some())
    }
}

impl Row {
    fn new(event: &RecordedEvent, created: &ProjectCreated) -> Self {
        let view = ProjectView {
            id: event.stream_id.into(),
            name: created.name.as_str().to_owned(),
            slug: created.slug.as_str().to_owned(),
            status: ProjectStatus::Active,
            personal: created.personal,
            created_at: event.recorded_at,
            version: event.version,
        };
        let owner = MemberRecord { user: created.owner, role: ProjectRole::Owner, added_at: event.recorded_at };
        Self { view, owner: created.owner, members: vec![owner] }
    }

    fn change(&mut self, event: &RecordedEvent, fact: ProjectEvent) {
        match fact {
            ProjectEvent::Created(_) => {}
            ProjectEvent::Renamed(it) => {
                self.view.name = it.name.as_str().to_owned();
                self.view.slug = it.slug.as_str().to_owned();
            }
            ProjectEvent::MemberAdded(it) => {
                self.members.push(MemberRecord { user: it.user, role: it.role, added_at: event.recorded_at });
            }
            ProjectEvent::MemberRoleChanged(it) => {
                let member = self.members.iter_mut().find(|member| member.user == it.user);
                if let Some(member) = member {
                    member.role = it.role;
                }
            }
            ProjectEvent::MemberRemoved(it) => self.members.retain(|member| member.user != it.user),
            ProjectEvent::Suspended(_) => self.view.status = ProjectStatus::Suspended,
            ProjectEvent::Resumed(_) => self.view.status = ProjectStatus::Active,
            ProjectEvent::Archived(_) => self.view.status = ProjectStatus::Archived,
        }
    }

    fn member(&self, user: UserId) -> Option<&MemberRecord> {
        self.members.iter().find(|member| member.user == user)
    }

    fn is_within(&self, scope: ListScope) -> bool {
        match scope {
            ListScope::Everything => true,
            ListScope::MemberOf(user) => self.member(user).is_some(),
            ListScope::Project(project) => self.view.id == project,
        }
    }
}

#[async_trait]
impl ProjectViews for InMemoryProjects {
    async fn find(&self, project: ProjectId) -> Result<Option<ProjectView>, PortError> {
        Ok(self.rows().iter().find(|row| row.view.id == project).map(|row| row.view.clone()))
    }

    async fn list(&self, filter: &ProjectFilter, part: &Part) -> Result<PageOf<ProjectView>, PortError> {
        let rows = self.rows();
        let wanted = |row: &&Row| {
            let named = |name: &String| row.view.name.to_lowercase().contains(&name.to_lowercase());
            row.is_within(filter.scope)
                && filter.status.is_none_or(|status| row.view.status == status)
                && filter.name.as_ref().is_none_or(named)
        };
        let all = rows.iter().filter(wanted).map(|row| row.view.clone()).collect();
        Ok(PageOf::cut(all, part, filter.sort.descending, |view| match filter.sort.by {
            ProjectSort::CreatedAt => Key::by_time(view.created_at, view.id),
            ProjectSort::Name => Key::by_name(&view.name, view.id),
        }))
    }

    async fn members(&self, project: ProjectId, part: &Part) -> Result<PageOf<MemberRecord>, PortError> {
        let rows = self.rows();
        let row = rows.iter().find(|row| row.view.id == project);
        let members = row.map(|row| row.members.clone()).unwrap_or_default();
        Ok(PageOf::cut(members, part, false, |member| Key::by_time(member.added_at, member.user)))
    }

    async fn member(&self, project: ProjectId, user: UserId) -> Result<Option<MemberRecord>, PortError> {
        let rows = self.rows();
        Ok(rows.iter().find(|row| row.view.id == project).and_then(|row| row.member(user)).cloned())
    }
}

#[async_trait]
impl Memberships for InMemoryProjects {
    async fn standing(&self, project: ProjectId, user: UserId) -> Result<Option<Standing>, PortError> {
        let rows = self.rows();
        let row = rows.iter().find(|row| row.view.id == project);
        Ok(row.map(|row| Standing { status: row.view.status, role: row.member(user).map(|member| member.role) }))
    }

    async fn acquainted(&self, one: UserId, other: UserId) -> Result<bool, PortError> {
        Ok(self.rows().iter().any(|row| row.member(one).is_some() && row.member(other).is_some()))
    }

    async fn personal_project(&self, user: UserId) -> Result<Option<ProjectId>, PortError> {
        Ok(self.rows().iter().find(|row| row.view.personal && row.owner == user).map(|row| row.view.id))
    }
}

/// People with an account, from in-memory rows.
pub struct InMemoryDirectory {
    users: Arc<InMemoryUsers>,
    accounts: Arc<InMemoryAccounts>,
    mint: Arc<dyn TokenMint>,
}

impl InMemoryDirectory {
    /// The directory of these people.
    #[must_use]
    pub fn of(users: Arc<InMemoryUsers>, accounts: Arc<InMemoryAccounts>, mint: Arc<dyn TokenMint>) -> Self {
        Self { users, accounts, mint }
    }
}

#[async_trait]
impl Directory for InMemoryDirectory {
    async fn find_by_email(&self, email: &Email) -> Result<Option<UserId>, PortError> {
        let digest = email_digest(self.mint.as_ref(), email);
        let candidates = self.accounts.find_by_email(&digest).await?;
        Ok(candidates.into_iter().map(|row| row.user).find(|user| self.users.knows(*user)))
    }

    async fn people(&self, users: &[UserId]) -> Result<Vec<Person>, PortError> {
        let profiles: BTreeMap<_, _> = self.accounts.profiles(users).await?.into_iter().collect();
        let mut people = Vec::with_capacity(profiles.len());
        for (id, profile) in profiles {
            if let Some(record) = self.users.find(id).await?.filter(|_| self.users.knows(id)) {
                people.push(Person { id, email: profile.email, name: profile.name, since: record.created_at });
            }
        }
        Ok(people)
    }
}
