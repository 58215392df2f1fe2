use std::sync::Arc;

use devskyy_application::{
    access::Access,
    agents::{AgentView, Agents, AgentsPorts, CreateAgent},
    audit::SecurityLog,
    context::{Actor, Subject},
    es::{EventStore, Idempotency, Repository},
    identity::{
        Identity, IdentityPorts, LogIn, OpenAccount, Register, RegistrationMode, SessionPolicy, ThrottleLimits, Tokens,
        UserView,
    },
    projects::{Projects, ProjectsPorts},
    workflow::DefinitionCheck,
};
use devskyy_domain::{
    identity::{PasswordPolicy, PlatformRole, User},
    kernel::{
        Json,
        ids::{ProjectId, SessionId, UserId},
    },
    projects::{Project, ProjectRole},
};
use devskyy_testkit::fakes::{
    FixedClock, FixedSecrets, InMemoryAccessTokens, InMemoryAccounts, InMemoryAddressees, InMemoryAgents,
    InMemoryAttempts, InMemoryAudit, InMemoryBootstrap, InMemoryDirectory, InMemoryErasures, InMemoryEventStore,
    InMemoryInvitations, InMemoryPasswordHasher, InMemoryProjectInvitations, InMemoryProjects, InMemorySessions,
    InMemoryUsers, NamedDestinations, PathExpressions, PlainSchemas, ScriptedModels, ScriptedTools, SequentialIds,
    SequentialTokenMint,
};
use uuid::Uuid;

pub(super) const PASSWORD: &str = "Correct-Horse-7";

/// Real handlers over in-memory adapters.
pub(super) struct World {
    pub(super) identity: Identity,
    pub(super) projects: Projects,
    pub(super) agents: Agents,
    pub(super) store: Arc<InMemoryEventStore>,
    pub(super) clock: Arc<FixedClock>,
    pub(super) hasher: Arc<InMemoryPasswordHasher>,
    pub(super) accounts: Arc<InMemoryAccounts>,
    pub(super) addressees: Arc<InMemoryAddressees>,
    pub(super) attempts: Arc<InMemoryAttempts>,
    pub(super) sessions: Arc<InMemorySessions>,
    pub(super) erasures: Arc<InMemoryErasures>,
    pub(super) trail: Arc<InMemoryAudit>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_log(|store| store)
    }

    /// A world whose accounts use a log of the test, over the one in memory.
    pub(super) fn with_log<L: EventStore + 'static>(log: impl FnOnce(Arc<InMemoryEventStore>) -> Arc<L>) -> Self {
        let clock = Arc::new(FixedClock::default());
        let store = Arc::new(InMemoryEventStore::with_clock(clock.clone()));
        let (ids, mint) = (Arc::new(SequentialIds::default()), Arc::new(SequentialTokenMint::default()));
        let users = InMemoryUsers::following(&store);
        let views = InMemoryProjects::following(&store);
        let access = Access::new(views.clone());
        let sessions = Arc::new(InMemorySessions::of(users.clone()));
        let accounts = Arc::new(InMemoryAccounts::of(users.clone(), sessions.clone()));
        let hasher = Arc::new(InMemoryPasswordHasher::default());
        let attempts = Arc::new(InMemoryAttempts::default());
        let erasures = Arc::new(InMemoryErasures::default());
        let addressees = Arc::new(InMemoryAddressees::new(mint.clone()));
        let trail = InMemoryAudit::following(&store);
        let identity = Identity::new(IdentityPorts {
            store: log(store.clone()),
            accounts: accounts.clone(),
            changes: accounts.clone(),
            erasures: erasures.clone(),
            mentions: addressees.clone(),
            invitations: Arc::new(InMemoryInvitations::default()),
            registration: RegistrationMode::Open,
            password_policy: PasswordPolicy::Classic,
            session_list: sessions.clone(),
            users: users.clone(),
            sessions: sessions.clone(),
            standings: sessions.clone(),
            tokens: Arc::new(InMemoryAccessTokens::default()),
            hasher: hasher.clone(),
            mint: mint.clone(),
            bootstrap: Arc::new(InMemoryBootstrap::default()),
            clock: clock.clone(),
            ids: ids.clone(),
            attempts: attempts.clone(),
            limits: ThrottleLimits::default(),
            policy: SessionPolicy::default(),
            security: SecurityLog::new(trail.clone(), clock.clone(), ids.clone()),
        });
        let agents = Agents::new(AgentsPorts {
            store: store.clone(),
            views: InMemoryAgents::following(&store, views.clone()),
            access: access.clone(),
            check: DefinitionCheck::new(Arc::new(PathExpressions), Arc::new(PlainSchemas), Arc::new(NamedDestinations)),
            models: Arc::new(ScriptedModels::taking([])),
            prices: Arc::new(ScriptedModels::taking([])),
            secrets: Arc::new(FixedSecrets::named("tracker")),
            descriptions: Arc::new(ScriptedTools::default()),
            ids: ids.clone(),
        });
        let directory = Arc::new(InMemoryDirectory::of(users, accounts.clone(), mint));
        let projects = Projects::new(ProjectsPorts {
            store: store.clone(),
            views,
            directory,
            invitations: InMemoryProjectInvitations::following(&store),
            addressees: addressees.clone(),
            clock: clock.clone(),
            access,
            ids,
        });
        Self {
            identity,
            projects,
            agents,
            store,
            clock,
            hasher,
            accounts,
            addressees,
            attempts,
            sessions,
            erasures,
            trail,
        }
    }

    pub(super) async fn register(&self, name: &str) -> UserView {
        self.identity.register.handle(&anonymous(), registration(name)).await.unwrap()
    }

    /// Registers and signs in.
    pub(super) async fn person(&self, name: &str) -> (Actor, UserView) {
        let user = self.register(name).await;
        (self.bearer(&self.log_in(name).await).await.unwrap(), user)
    }

    /// An administrator, created from the command line and signed in.
    pub(super) async fn admin(&self, name: &str) -> Actor {
        let command =
            OpenAccount::parse(&email(name), PASSWORD, name, PlatformRole::Admin, PasswordPolicy::Classic).unwrap();
        self.identity.open_account.handle(&Actor::system("command-line", Uuid::nil()), command).await.unwrap();
        self.bearer(&self.log_in(name).await).await.unwrap()
    }

    pub(super) async fn log_in(&self, name: &str) -> Tokens {
        let command = LogIn { email: email(name), password: PASSWORD.to_owned() };
        self.identity.log_in.handle(&anonymous(), command).await.unwrap()
    }

    /// The actor of an access token.
    pub(super) async fn bearer(&self, tokens: &Tokens) -> Result<Actor, devskyy_application::error::Error> {
        let subject = self.identity.authenticate.handle(&tokens.access_token).await?;
        Ok(Actor { subject, ..anonymous() })
    }

    pub(super) async fn join(&self, owner: &Actor, project: ProjectId, user: UserId, role: ProjectRole) {
        let projects = Repository::<Project>::new(self.store.clone());
        let context = owner.event_context(Some(project));
        projects.update(context, project, None, |it| it.add_member(user, role)).await.unwrap();
    }

    pub(super) async fn agent(&self, actor: &Actor, name: &str) -> AgentView {
        let command = CreateAgent { definition: Some(definition("done")), ..agent_named(name) };
        self.agents.create.handle(actor, command).await.unwrap()
    }

    pub(super) async fn disable(&self, user: UserId) {
        let users = Repository::<User>::new(self.store.clone());
        users.update(anonymous().event_context(None), user, None, User::disable).await.unwrap();
    }

    /// The number of events, to check that nothing changed.
    pub(super) fn events(&self) -> usize {
        self.store.events().len()
    }
}

/// An anonymous caller at some address.
pub(super) fn from(address: &str) -> Actor {
    Actor { source: Some(address.parse().unwrap()), ..anonymous() }
}

pub(super) fn anonymous() -> Actor {
    Actor { subject: Subject::Anonymous, correlation_id: Uuid::nil(), source: None, traceparent: None }
}

/// A signed-in user who is in no project.
pub(super) fn stranger() -> Actor {
    let (id, session) = (UserId::from(Uuid::from_u128(404)), SessionId::from(Uuid::from_u128(405)));
    let role = devskyy_domain::identity::PlatformRole::Member;
    Actor { subject: Subject::User { id, role, session }, ..anonymous() }
}

pub(super) fn email(name: &str) -> String {
    format!("{name}@example.org")
}

pub(super) fn registration(name: &str) -> Register {
    Register::parse(&email(name), PASSWORD, name, PasswordPolicy::Classic).unwrap()
}

pub(super) fn agent_named(name: &str) -> CreateAgent {
    CreateAgent::parse(name, "workflow", &["audit".to_owned()], "Looks after things.").unwrap()
}

pub(super) fn key(text: &str, fingerprint: u8) -> Idempotency {
    Idempotency { scope: Uuid::nil(), key: text.to_owned(), fingerprint: [fingerprint; 32] }
}

/// A workflow of one step as a client submits it.
pub(super) fn definition(output: &str) -> Json {
    json(&format!(
        r#"{{"steps": [{{"id": "echo", "tool": "template", "arguments": {{"template": "{output}", "context": {{}}}}}}],
            "output": "{output}"}}"#
    ))
}

pub(super) fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}
