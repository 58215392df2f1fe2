//! The stored forms of all events of users, projects and agents.

use devskyy_domain::{
    agents::{
        AgentActivated, AgentArchived, AgentCapabilitiesChanged, AgentCreated, AgentDescribed, AgentEvent, AgentName,
        AgentPaused, AgentRenamed, AgentResumed, AgentType, Capabilities, Description, VersionPublished,
        VersionRestored,
    },
    assistant::{Assistant, AssistantLimits, AssistantTool, ContextPolicy, Price},
    definition::Definition,
    identity::{
        AdministratorLeft, PasswordChanged, PlatformRole, PlatformRoleChanged, RosterEvent, UserDisabled, UserEnabled,
        UserErased, UserEvent, UserRegistered,
    },
    kernel::{Json, ids::UserId},
    projects::{
        InvitationAccepted, InvitationDeclined, InvitationEvent, InvitationIssued, InvitationWithdrawn, MemberAdded,
        MemberRemoved, MemberRoleChanged, ProjectArchived, ProjectCreated, ProjectEvent, ProjectName, ProjectRenamed,
        ProjectResumed, ProjectRole, ProjectSuspended,
    },
    workflow::{Action, Approval, Backoff, Effect, HttpMethod, HttpRequest, Limits, Step, Workflow},
};
use uuid::Uuid;

use crate::golden::{Example, also, holds, today};

fn id<T: From<Uuid>>(n: u64) -> T {
    Uuid::from_u64_pair(0x0199_0000_0000_7000, 0x8000_0000_0000_0000 | n).into()
}

#[test]
fn everything_that_happened_to_a_person_is_still_understood() {
    holds::<UserEvent>(&[
        today(UserRegistered { role: PlatformRole::Member, personal_project: id(2) }),
        today(UserDisabled {}),
        today(UserEnabled {}),
        today(PasswordChanged {}),
        today(UserErased {}),
        today(PlatformRoleChanged { role: PlatformRole::Admin }),
    ]);
}

#[test]
fn everything_that_happened_to_a_project_is_still_understood() {
    let name = ProjectName::parse("Light House").unwrap_or_else(|error| panic!("{error}"));
    let (slug, user): (_, UserId) = (name.slug(), id(1));
    holds::<ProjectEvent>(&[
        today(ProjectCreated { name: name.clone(), slug: slug.clone(), owner: user, personal: false }),
        today(ProjectRenamed { name, slug }),
        today(MemberAdded { user, role: ProjectRole::Viewer }),
        today(MemberRoleChanged { user, role: ProjectRole::Maintainer }),
        today(MemberRemoved { user }),
        today(ProjectSuspended {}),
        today(ProjectResumed {}),
        today(ProjectArchived {}),
    ]);
}

#[test]
fn everything_that_happened_to_an_invitation_is_still_understood() {
    let expires_at = chrono::DateTime::from_timestamp(1_767_830_400, 0).unwrap_or_default();
    holds::<InvitationEvent>(&[
        today(InvitationIssued { project: id(2), role: ProjectRole::Viewer, expires_at }),
        today(InvitationAccepted { user: id(1) }),
        today(InvitationDeclined { user: id(1) }),
        today(InvitationWithdrawn {}),
    ]);
}

fn definition() -> Workflow {
    let step = Step {
        id: "greet".to_owned(),
        needs: vec![],
        when: Some(".input.name".to_owned()),
        for_each: None,
        action: Action::Tool {
            name: "template".to_owned(),
            arguments: Json::from_iter([("template".to_owned(), Json::from("Hello {{ name }}"))]),
        },
    };
    Workflow {
        input_schema: Some(Json::from(true)),
        output_schema: None,
        tools: [].into(),
        steps: vec![step],
        output: Json::from("done"),
        limits: Limits::default(),
        retry: Backoff::default(),
        approval_expires_s: None,
    }
}

fn assistant() -> Definition {
    let (effect, timeout_s, url) = (Effect::Unsafe, 30, "https://x.example".to_owned());
    let (method, headers, send_arguments) = (HttpMethod::Post, [].into(), true);
    let request = HttpRequest { method, url, headers, send_arguments, body: None, form: false, timeout_s };
    let (description, input_schema) =
        ("Files a ticket.".to_owned(), Json::from_iter([("type".to_owned(), "object".into())]));
    let approval = Approval::When(".large".to_owned());
    let tool = AssistantTool::Http { effect, description, input_schema, approval, request };
    let price = Price { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: Some(5) };
    let assistant = Assistant {
        model: "openai/gpt".to_owned(),
        fallbacks: vec!["local/small".to_owned()],
        instructions: "Be brief.".to_owned(),
        tools: [("file".to_owned(), tool)].into(),
        input_schema: None,
        output_schema: Some(Json::from(true)),
        context: ContextPolicy { window_turns: Some(20), window_tokens: Some(9_000), pinned_turns: 1, summary: true },
        limits: AssistantLimits { max_tokens: Some(7), max_cost_micros: Some(8), ..AssistantLimits::default() },
        retry: Backoff::default(),
        temperature: Some(0.5),
        max_output_tokens: 4_096,
        approval_expires_s: Some(60),
        prices: [("openai/gpt".to_owned(), price)].into(),
    };
    assistant.into()
}

/// With all optional members, and every kind of tool and step.
const WORKFLOW: &str = r##"{
    "input_schema": {"type": "object"},
    "output_schema": true,
    "tools": {
        "read": {"kind": "builtin", "builtin": "parse"},
        "file": {
            "kind": "http", "effect": "idempotent", "input_schema": true, "approval": "always",
            "request": {
                "method": "POST", "url": "https://x.example/{{ arguments.n }}", "headers": {"x-a": "b"},
                "send_arguments": true, "timeout_s": 9
            }
        },
        "find": {
            "kind": "mcp", "effect": "read_only", "input_schema": true, "approval": {"when": ".large"},
            "server": {"url": "https://mcp.example", "tool": "find", "headers": {"x-a": "b"}, "timeout_s": 9}
        }
    },
    "steps": [
        {"id": "a", "tool": "read", "arguments": {"format": "json", "text": "1"}},
        {"id": "b", "needs": ["a"], "when": ".steps.a.output", "for_each": "[1]", "tool": "file", "arguments": {"n": 1}},
        {"id": "c", "needs": ["b"], "approval": {"prompt": "?", "data": 1, "on_deny": "continue"}},
        {"id": "d", "needs": ["c"], "agent": "01990000-0000-7000-8000-000000000001", "input": 1}
    ],
    "output": {"$jq": ".steps.d.output"},
    "limits": {"max_steps": 9, "concurrency": 2, "wall_clock_s": 60},
    "retry": {},
    "approval_expires_s": 60
}"##;

/// A request with a body of its own, as a form and as JSON.
const BODIES: &str = r##"{
    "tools": {
        "form": {"kind": "http", "effect": "unsafe", "request": {
            "method": "POST", "url": "https://x.example", "body": {"n": {"$jq": ".arguments.n"}}, "form": true
        }},
        "query": {"kind": "http", "effect": "read_only", "request": {
            "method": "POST", "url": "https://x.example", "body": {"query": "{ me }"}
        }}
    },
    "steps": [{"id": "a", "tool": "form"}]
}"##;

/// A definition as a client submits it.
fn bare(kind: &str, text: &str) -> Definition {
    let text = format!(r#"{{"{kind}":{text}}}"#);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn everything_that_happened_to_an_agent_is_still_understood() {
    let name = AgentName::parse("Night Watch").unwrap_or_else(|error| panic!("{error}"));
    let capabilities = Capabilities::parse(&["audit", "report"]).unwrap_or_else(|error| panic!("{error}"));
    let description = Description::parse("Watches.\nReports.").unwrap_or_else(|error| panic!("{error}"));
    holds::<AgentEvent>(&[
        today(AgentCreated {
            project: id(2),
            name: name.clone(),
            kind: AgentType::Workflow,
            capabilities: capabilities.clone(),
            description: description.clone(),
        }),
        today(VersionPublished { number: 1, definition: assistant() }),
        also(
            "bare",
            VersionPublished { number: 1, definition: bare("assistant", r#"{"model":"a/b","instructions":"?"}"#) },
        ),
        also("workflow", VersionPublished { number: 1, definition: bare("workflow", WORKFLOW) }),
        also("bodies", VersionPublished { number: 1, definition: bare("workflow", BODIES) }),
        Example {
            version: 1,
            form: None,
            event: VersionPublished { number: 1, definition: definition().into() }.into(),
        },
        today(VersionRestored { number: 1 }),
        today(AgentActivated {}),
        today(AgentPaused {}),
        today(AgentResumed {}),
        today(AgentArchived {}),
        today(AgentRenamed { name }),
        today(AgentDescribed { description }),
        today(AgentCapabilitiesChanged { capabilities }),
    ]);
}

#[test]
fn everything_that_happened_to_the_roster_is_still_understood() {
    holds::<RosterEvent>(&[today(AdministratorLeft { user: id(1) })]);
}
