//! A project with every kind of caller and one thing of each kind in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use actix_web::http::Method;
use chrono::TimeDelta;
use devskyy_application::{access::Permission, context::PlatformRole, ports::Clock};
use devskyy_domain::projects::ProjectRole;
use serde_json::{Value, json};

use crate::world::World;

/// The password of all users.
pub(super) const PASSWORD: &str = "Analytical1843";

/// The permissions of the restricted key.
const RESTRICTED: [Permission; 2] = [Permission::ProjectsRead, Permission::RunsRead];

/// Every kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Anonymous,
    /// Owns another project.
    Stranger,
    Viewer,
    Operator,
    Maintainer,
    Owner,
    /// Administers the platform and is in no project.
    Admin,
    /// A maintainer's key with two scopes.
    RestrictedKey,
    /// An owner's key with every scope.
    FullKey,
    /// A key of the other project with every scope.
    ForeignKey,
}

impl Who {
    pub(super) const ALL: [Self; 10] = [
        Self::Anonymous,
        Self::Stranger,
        Self::Viewer,
        Self::Operator,
        Self::Maintainer,
        Self::Owner,
        Self::Admin,
        Self::RestrictedKey,
        Self::FullKey,
        Self::ForeignKey,
    ];

    /// The user invited to the project.
    pub(super) const INVITED: Self = Self::Stranger;

    const PEOPLE: [Self; 6] =
        [Self::Stranger, Self::Viewer, Self::Operator, Self::Maintainer, Self::Owner, Self::Admin];

    pub(super) const fn is_key(self) -> bool {
        matches!(self, Self::RestrictedKey | Self::FullKey | Self::ForeignKey)
    }

    pub(super) const fn platform_role(self) -> PlatformRole {
        match self {
            Self::Admin => PlatformRole::Admin,
            _ => PlatformRole::Member,
        }
    }

    /// The role in the project.
    pub(super) const fn role(self) -> Option<ProjectRole> {
        match self {
            Self::Anonymous | Self::Stranger | Self::Admin | Self::ForeignKey => None,
            Self::Viewer => Some(ProjectRole::Viewer),
            Self::Operator => Some(ProjectRole::Operator),
            Self::Maintainer | Self::RestrictedKey => Some(ProjectRole::Maintainer),
            Self::Owner | Self::FullKey => Some(ProjectRole::Owner),
        }
    }

    /// The scopes of a key; `None` for users.
    pub(super) fn scopes(self) -> Option<BTreeSet<&'static str>> {
        match self {
            Self::RestrictedKey => Some(RESTRICTED.iter().map(|it| it.as_str()).collect()),
            Self::FullKey | Self::ForeignKey => {
                Some(Permission::ALL.iter().filter(|it| it.suits_keys()).map(|it| it.as_str()).collect())
            }
            _ => None,
        }
    }

    /// The e-mail of a user; for all others the guest's.
    pub(super) fn email(self) -> String {
        let name = if Self::PEOPLE.contains(&self) { format!("{self:?}").to_lowercase() } else { "guest".to_owned() };
        format!("{name}@example.org")
    }
}

/// A user's session.
struct SignIn {
    token: String,
    refresh: String,
    session: String,
}

/// A project, every kind of caller, and one thing of each kind.
pub(super) struct Place {
    pub(super) world: World,
    pub(super) project: String,
    /// A viewer who sends no requests, but is the object of some.
    pub(super) guest: String,
    agent: String,
    invitation: String,
    key: String,
    provider: String,
    secret: String,
    run: Value,
    /// Sessions by caller; a caller that is no user has one of the guest's.
    sign_ins: BTreeMap<Who, SignIn>,
    /// The credentials by caller.
    tokens: BTreeMap<Who, String>,
}

impl Place {
    /// A place; with a run that waits for an approval and a verdict only on request, since that takes time.
    pub(super) async fn new(with_run: bool) -> Self {
        let world = World::new();
        let offer = world.state.identity.bootstrap.handle().await.unwrap().unwrap();
        let (mut sign_ins, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        let guest = register(&world, "guest@example.org", None).await;
        for who in Who::ALL {
            if Who::PEOPLE.contains(&who) {
                register(&world, &who.email(), (who == Who::Admin).then_some(&offer.token)).await;
            }
            let sign_in = sign_in(&world, &who.email()).await;
            if Who::PEOPLE.contains(&who) {
                tokens.insert(who, sign_in.token.clone());
            }
            sign_ins.insert(who, sign_in);
        }
        let owner = tokens[&Who::Owner].clone();
        let project = world.project(&owner).await;
        for (who, role) in [(Who::Viewer, "viewer"), (Who::Operator, "operator"), (Who::Maintainer, "maintainer")] {
            world.acquaint(&owner, &tokens[&who]).await;
            join(&world, &owner, &project, &who.email(), role).await;
        }
        world.acquaint(&owner, &sign_ins[&Who::Anonymous].token).await;
        join(&world, &owner, &project, "guest@example.org", "viewer").await;
        let mut place = Self {
            agent: agent(&world, &owner, &project).await,
            invitation: invite(&world, &owner, &project).await,
            provider: provider(&world, &owner, &project).await,
            secret: secret(&world, &owner, &project).await,
            world,
            project,
            guest,
            key: String::new(),
            run: Value::Null,
            sign_ins,
            tokens,
        };
        place.set_budgets().await;
        place.hand_out_keys().await;
        if with_run {
            place.start_run().await;
        }
        place
    }

    async fn set_budgets(&self) {
        for of in [format!("projects/{}", self.project), format!("agents/{}", self.agent)] {
            let call = self.world.call(Method::PUT, &format!("/api/v1/{of}/budget"));
            let owner = &self.tokens[&Who::Owner];
            call.by(owner).json(&json!({"max_tokens": 1_000_000, "period": "month"})).send().await.expect(200);
        }
    }

    async fn hand_out_keys(&mut self) {
        let (owner, stranger) = (Who::Owner, Who::Stranger);
        let other = self.world.project(self.token(stranger).unwrap()).await;
        self.key = self.issue(owner, &self.project, "viewer", None).await["id"].as_str().unwrap().to_owned();
        let restricted = RESTRICTED.iter().map(|it| it.as_str()).collect();
        for (who, issued) in [
            (Who::RestrictedKey, self.issue(owner, &self.project, "maintainer", Some(restricted)).await),
            (Who::FullKey, self.issue(owner, &self.project, "owner", None).await),
            (Who::ForeignKey, self.issue(stranger, &other, "owner", None).await),
        ] {
            self.tokens.insert(who, issued["key"].as_str().unwrap().to_owned());
        }
    }

    async fn issue(&self, by: Who, project: &str, role: &str, scopes: Option<Vec<&str>>) -> Value {
        let call = self.world.post(&format!("/api/v1/projects/{project}/api-keys"));
        call.by(self.token(by).unwrap()).json(&self.wanted_key(role, scopes)).send().await.expect(201)
    }

    async fn start_run(&mut self) {
        let owner = self.token(Who::Owner).unwrap().to_owned();
        let execute = format!("/api/v1/agents/{}/execute", self.agent);
        let run = self.world.post(&execute).by(&owner).json(&json!({})).send().await.expect(202);
        self.world.work();
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        let both = |run: &Value| run["waiting_for"].as_array().is_some_and(|reasons| reasons.len() == 2);
        self.run = self.world.until(&path, &owner, both).await;
    }

    pub(super) async fn promote_the_guest(&self, role: &str) {
        let member = format!("/api/v1/projects/{}/members/{}", self.project, self.guest);
        let call = self.world.call(Method::PATCH, &member).by(&self.tokens[&Who::Owner]);
        call.json(&json!({"role": role})).send().await.expect(200);
    }

    /// Makes two users members of another common project.
    pub(super) async fn acquaint(&self, one: Who, other: Who) {
        self.world.acquaint(&self.tokens[&one], &self.tokens[&other]).await;
    }

    /// Changes the name of the guest, which only private rows contain.
    pub(super) async fn rename_the_guest(&self) {
        let token = &self.sign_ins[&Who::Anonymous].token;
        let present = self.world.get("/api/v1/auth/me").by(token).send().await.expect(200);
        let other = json!({"name": format!("{}.", present["name"].as_str().unwrap())});
        self.world.call(Method::PATCH, "/api/v1/auth/me").by(token).json(&other).send().await.expect(200);
    }

    pub(super) fn token(&self, who: Who) -> Option<&str> {
        self.tokens.get(&who).map(String::as_str)
    }

    /// A refresh token that is used nowhere else.
    pub(super) fn refresh_token(&self, who: Who) -> &str {
        &self.sign_ins[&who].refresh
    }

    /// A request body for an API key.
    pub(super) fn wanted_key(&self, role: &str, scopes: Option<Vec<&str>>) -> Value {
        let mut body = json!({"name": "key", "role": role, "expires_at": self.world.clock.now() + TimeDelta::days(30)});
        if let Some(scopes) = scopes {
            body["scopes"] = json!(scopes);
        }
        body
    }

    /// The value of a path parameter, given the part of the path before it.
    pub(super) fn parameter(&self, name: &str, below: &str, who: Who) -> String {
        let text = |value: &Value| value.as_str().unwrap_or("01938f2e-0000-7000-8000-000000000000").to_owned();
        let steps = || self.run["steps"].as_array().into_iter().flatten();
        match (name, below) {
            ("id", "projects") => self.project.clone(),
            ("id", "agents") => self.agent.clone(),
            ("id", "runs") => text(&self.run["id"]),
            ("id", "users") | ("user_id", _) => self.guest.clone(),
            ("invitation_id", _) => self.invitation.clone(),
            ("key_id", _) => self.key.clone(),
            ("provider_id", _) => self.provider.clone(),
            ("secret_id", _) => self.secret.clone(),
            ("number", _) => "1".to_owned(),
            ("session_id", _) => self.sign_ins[&who].session.clone(),
            ("approval_id", _) => {
                text(&steps().find_map(|step| step["approval"].get("id")).cloned().unwrap_or_default())
            }
            ("hash", _) => {
                text(&steps().find_map(|step| step["output_stored"].get("hash")).cloned().unwrap_or_default())
            }
            ("operation_id", _) => {
                let doubted = steps().find(|step| step["status"] == "in_doubt");
                text(&doubted.map(|step| step["operation_id"].clone()).unwrap_or_default())
            }
            _ => panic!("tell the matrix what stands in for `{{{name}}}` below `{below}`"),
        }
    }

    /// Waits until the effects of a request have settled, so that the next one meets a stable state.
    pub(super) async fn settle(&self) {
        if self.run != Value::Null {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Registers an account and returns its id.
async fn register(world: &World, email: &str, bootstrap: Option<&String>) -> String {
    let mut account = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
    if let Some(token) = bootstrap {
        account["bootstrap_token"] = json!(token);
    }
    let user = world.post("/api/v1/auth/register").json(&account).send().await.expect(201);
    user["id"].as_str().unwrap().to_owned()
}

async fn sign_in(world: &World, email: &str) -> SignIn {
    let body = json!({"email": email, "password": PASSWORD});
    let tokens = world.post("/api/v1/auth/login").json(&body).send().await.expect(200);
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let token = text("access_token");
    let sessions = world.get("/api/v1/auth/sessions").by(&token).send().await.expect(200);
    let mut sessions = sessions["items"].as_array().unwrap().iter();
    let session = sessions.find(|it| it["current"] == true).unwrap()["id"].as_str().unwrap().to_owned();
    SignIn { refresh: text("refresh_token"), token, session }
}

async fn join(world: &World, owner: &str, project: &str, email: &str, role: &str) {
    let members = format!("/api/v1/projects/{project}/members");
    world.post(&members).by(owner).json(&json!({"email": email, "role": role})).send().await.expect(201);
}

/// An invitation for the invited user.
async fn invite(world: &World, owner: &str, project: &str) -> String {
    let body = json!({"email": Who::INVITED.email(), "role": "viewer"});
    let path = format!("/api/v1/projects/{project}/invitations");
    let invitation = world.post(&path).by(owner).json(&body).send().await.expect(201);
    invitation["id"].as_str().unwrap().to_owned()
}

async fn secret(world: &World, owner: &str, project: &str) -> String {
    let body = json!({"name": "tracker", "value": "tr-0123456789", "hosts": ["tracker.example.org"]});
    let call = world.post(&format!("/api/v1/projects/{project}/secrets"));
    call.by(owner).json(&body).send().await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn provider(world: &World, owner: &str, project: &str) -> String {
    let body = json!({"name": "cloud", "kind": "openai", "base_url": "https://example.org/v1", "key": "some-key"});
    let call = world.post(&format!("/api/v1/projects/{project}/providers"));
    call.by(owner).json(&body).send().await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// An agent whose runs ask for an approval, lose a response and keep a large result, all at once.
async fn agent(world: &World, owner: &str, project: &str) -> String {
    let request = json!({"method": "POST", "url": "https://bank.example.org/charges"});
    let definition = json!({
        "tools": {"charge": {"kind": "http", "effect": "unsafe", "request": request}},
        "steps": [
            {"id": "ask", "approval": {"prompt": "Really?"}},
            {"id": "pay", "tool": "charge", "arguments": {}},
            {"id": "print", "tool": "jq", "arguments": "x".repeat(70_000)}
        ]
    });
    let body = json!({"name": "Careful", "type": "workflow", "project_id": project, "definition": definition});
    let made = world.post("/api/v1/agents").by(owner).json(&body).send().await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}
