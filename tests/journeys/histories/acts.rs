//! All possible actions, as data.

use reqwest::Method;
use serde_json::{Value, json};

use super::cast::Cast;

/// The object of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum To {
    Platform,
    User,
    Project,
    /// A member of a project.
    Member,
    /// An invitation as the project sees it.
    Sent,
    /// An invitation as its recipient sees it.
    Received,
    Key,
    Provider,
    Secret,
    Agent,
    Run,
}

/// One action, whether or not it succeeds.
pub(super) struct Deed {
    pub(super) name: &'static str,
    pub(super) method: fn() -> Method,
    pub(super) to: To,
    /// The rest of the path, after the object's address.
    pub(super) at: &'static str,
    pub(super) body: fn(&mut Cast) -> Value,
    /// What is created, and below which address if not this one.
    pub(super) makes: Option<(To, &'static str)>,
    /// Whether it is mostly left out, because little can be done afterwards.
    pub(super) rare: bool,
}

const fn deed(name: &'static str, method: fn() -> Method, to: To, at: &'static str) -> Deed {
    Deed { name, method, to, at, body: |_| json!({}), makes: None, rare: false }
}

const fn post(name: &'static str, to: To, at: &'static str) -> Deed {
    deed(name, || Method::POST, to, at)
}

const fn patch(name: &'static str, to: To, at: &'static str) -> Deed {
    deed(name, || Method::PATCH, to, at)
}

const fn put(name: &'static str, to: To, at: &'static str) -> Deed {
    deed(name, || Method::PUT, to, at)
}

const fn delete(name: &'static str, to: To, at: &'static str) -> Deed {
    deed(name, || Method::DELETE, to, at)
}

impl Deed {
    const fn saying(self, body: fn(&mut Cast) -> Value) -> Self {
        Self { body, ..self }
    }

    const fn rarely(self) -> Self {
        Self { rare: true, ..self }
    }

    const fn making(self, what: To, below: &'static str) -> Self {
        Self { makes: Some((what, below)), ..self }
    }
}

fn budget(cast: &mut Cast) -> Value {
    let period = cast.one_of(&["day", "month", "total"]);
    json!({"max_tokens": 1 + cast.chance.below(5_000), "period": period})
}

fn role(cast: &mut Cast) -> &'static str {
    cast.one_of(&["viewer", "operator", "maintainer", "owner"])
}

/// A few steps, one of which sometimes asks for an approval.
fn workflow(cast: &mut Cast) -> Value {
    json!({
        "steps": [
            {"id": "each", "for_each": "[range(.input.n)]", "tool": "jq",
             "arguments": {"program": ".", "input": {"$jq": ".item"}}},
            {"id": "ask", "needs": ["each"], "when": ".input.n > 2", "approval": {"prompt": "Go on?"}},
            {"id": "last", "needs": ["ask"], "tool": "jq", "arguments": {"program": ". + 1", "input": cast.chance.below(4)}}
        ],
        "output": {"$jq": ".steps.last.output"}
    })
}

fn assistant(cast: &mut Cast) -> Value {
    json!({"model": "house/echo-1", "instructions": format!("Be brief {}.", cast.chance.below(3))})
}

fn agent(cast: &mut Cast, kind: &str, definition: Option<Value>) -> Value {
    let project = cast.id_of(To::Project);
    let mut body = json!({"name": cast.name(), "type": kind, "project_id": project});
    if let Some(definition) = definition {
        body["definition"] = definition;
    }
    body
}

/// In an order in which each can succeed: those that end something come last.
pub(super) const ACTS: &[Deed] = &[
    post("project created", To::Platform, "/projects").saying(|it| json!({"name": it.name()})).making(To::Project, ""),
    patch("project renamed", To::Project, "").saying(|it| json!({"name": it.name()})),
    post("member added", To::Project, "/members").saying(|it| json!({"user_id": it.id_of(To::User), "role": role(it)})),
    patch("member's role changed", To::Member, "").saying(|it| json!({"role": role(it)})),
    post("project handed over", To::Project, "/transfer").saying(|it| json!({"user_id": it.id_of(To::User)})),
    post("invitation sent", To::Project, "/invitations")
        .saying(|it| json!({"email": it.somebody_invited(), "role": role(it)}))
        .making(To::Sent, ""),
    post("invitation accepted", To::Received, "/accept").saying(|it| it.token()),
    post("invitation declined", To::Received, "/decline").saying(|it| it.token()).rarely(),
    post("key issued", To::Project, "/api-keys")
        .saying(|it| json!({"name": it.name(), "role": "viewer", "expires_at": Cast::next_month()}))
        .making(To::Key, ""),
    post("key rotated", To::Key, "/rotate"),
    post("provider added", To::Project, "/providers")
        .saying(|it| json!({"name": it.slug(), "kind": "openai", "base_url": "https://models.example.org/v1"}))
        .making(To::Provider, ""),
    patch("provider changed", To::Provider, "").saying(|it| json!({"enabled": it.chance.below(2) == 0})),
    put("provider's key set", To::Provider, "/key").saying(|it| json!({"key": it.slug()})),
    post("secret added", To::Project, "/secrets")
        .saying(|it| json!({"name": it.slug().replace('-', "_"), "value": "hidden-value", "hosts": ["example.org"]}))
        .making(To::Secret, ""),
    put("secret replaced", To::Secret, "").saying(|it| json!({"value": format!("hidden-{}", it.slug())})),
    put("project's budget set", To::Project, "/budget").saying(budget),
    post("agent drafted", To::Platform, "/agents")
        .saying(|it| agent(it, "workflow", None))
        .making(To::Agent, "/api/v1/agents"),
    post("version published", To::Agent, "/versions").saying(|it| json!({"definition": workflow(it)})),
    post("agent activated", To::Agent, "/activate"),
    post("workflow created", To::Platform, "/agents")
        .saying(|it| {
            let definition = workflow(it);
            agent(it, "workflow", Some(definition))
        })
        .making(To::Agent, "/api/v1/agents"),
    post("assistant created", To::Platform, "/agents")
        .saying(|it| {
            let definition = assistant(it);
            agent(it, "assistant", Some(definition))
        })
        .making(To::Agent, "/api/v1/agents"),
    patch("agent renamed", To::Agent, "").saying(|it| json!({"name": it.name()})),
    patch("agent described", To::Agent, "").saying(|it| json!({"description": it.name(), "capabilities": ["test"]})),
    put("agent's budget set", To::Agent, "/budget").saying(budget),
    post("run started", To::Agent, "/execute")
        .saying(|it| json!({"input": {"n": it.chance.below(5)}, "wait_s": it.chance.below(2)}))
        .making(To::Run, "/api/v1/runs"),
    post("run started again", To::Agent, "/execute")
        .saying(|it| json!({"input": {"n": it.chance.below(5)}}))
        .making(To::Run, "/api/v1/runs"),
    post("run retried", To::Run, "/retry").making(To::Run, "/api/v1/runs"),
    post("run forked", To::Run, "/fork").saying(|_| json!({"step": "last"})).making(To::Run, "/api/v1/runs"),
    post("run cancelled", To::Run, "/cancel"),
    post("agent paused", To::Agent, "/pause").rarely(),
    post("agent resumed", To::Agent, "/resume"),
    post("project suspended", To::Project, "/suspend").rarely(),
    post("project resumed", To::Project, "/resume"),
    patch("person's role changed", To::User, "").saying(|it| json!({"role": it.one_of(&["member", "admin"])})),
    post("person disabled", To::User, "/disable").rarely(),
    post("person enabled", To::User, "/enable"),
    delete("agent's budget removed", To::Agent, "/budget"),
    delete("project's budget removed", To::Project, "/budget"),
    delete("secret removed", To::Secret, "").rarely(),
    delete("provider removed", To::Provider, "").rarely(),
    delete("key revoked", To::Key, "").rarely(),
    delete("invitation withdrawn", To::Sent, "").rarely(),
    delete("member removed", To::Member, "").rarely(),
    post("agent archived", To::Agent, "/archive").rarely(),
];
