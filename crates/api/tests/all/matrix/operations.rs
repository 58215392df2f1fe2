//! The rule of every operation, and its request. An operation that is not listed here fails the matrix.

use devskyy_application::access::{Permission, PlatformPermission};
use serde_json::{Value, json};

use super::place::{PASSWORD, Place, Who};
use crate::world::definition;

/// Who may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Every caller, signed in or not.
    Public,
    /// Every signed-in caller, user or key; only their own data is shown.
    SignedIn,
    /// Every signed-in user; only their own data is shown or changed.
    Person,
    /// Users with the permission on the platform as a whole.
    Platform(PlatformPermission),
    /// Users and keys with the permission in the project.
    Project(Permission),
    /// The invited user; to all others the invitation does not exist.
    Invited,
    /// As [`Rule::Project`], but users only.
    PersonInProject(Permission),
}

/// One row: an operation by its name in the document, its rule, and the rest of its request.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) rule: Rule,
    pub(super) query: Option<fn(&Place) -> String>,
    pub(super) body: Option<fn(&Place, Who) -> Value>,
}

impl Operation {
    /// With a query string.
    const fn asking(self, query: fn(&Place) -> String) -> Self {
        Self { query: Some(query), ..self }
    }

    /// With the smallest valid body.
    pub(super) const fn sending(self, body: fn(&Place, Who) -> Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

pub(super) const fn on(id: &'static str, rule: Rule) -> Operation {
    Operation { id, rule, query: None, body: None }
}

use Permission::{
    AgentsRead, AgentsWrite, AuditRead, BudgetsRead, BudgetsWrite, KeysIssue, KeysRead, KeysRevoke, MembersRead,
    MembersWrite, OwnersWrite, ProjectsRead, ProjectsWrite, ProvidersRead, ProvidersWrite, RunsCancel, RunsDecide,
    RunsRead, RunsStart, SecretsRead, SecretsWrite,
};
use PlatformPermission::{ProjectsCreate, UsersInvite, UsersRead, UsersWrite};
use Rule::{Invited, Person, PersonInProject, Platform, Project, Public, SignedIn};

/// Every operation of the document.
pub(super) const OPERATIONS: &[Operation] = &[
    // The platform.
    on("public_keys", Public),
    on("health", Public),
    on("live", Public),
    on("ready", Public),
    // One's own account.
    on("register", Public).sending(
        |_, who| json!({"email": format!("another-{who:?}@example.org"), "password": PASSWORD, "name": "Another"}),
    ),
    on("log_in", Public).sending(|_, who| json!({"email": who.email(), "password": PASSWORD})),
    on("refresh", Public).sending(|place, who| json!({"refresh_token": place.refresh_token(who)})),
    on("log_out", Person),
    on("me", Person),
    on("update_me", Person).sending(|_, _| json!({"name": "Somebody"})),
    on("change_password", Person).sending(|_, _| json!({"current_password": PASSWORD, "password": "Differential1991"})),
    on("list_sessions", Person),
    on("end_session", Person),
    // All accounts.
    on("list_users", Platform(UsersRead)),
    on("invite", Platform(UsersInvite)),
    on("get_user", Platform(UsersRead)),
    on("change_user", Platform(UsersWrite)).sending(|_, _| json!({"role": "member"})),
    on("erase_user", Platform(UsersWrite)),
    on("disable_user", Platform(UsersWrite)),
    on("enable_user", Platform(UsersWrite)),
    // Projects.
    on("list_projects", SignedIn),
    on("create_project", Platform(ProjectsCreate)).sending(|_, _| json!({"name": "Another project"})),
    on("get_project", Project(ProjectsRead)),
    on("project_history", Project(MembersRead)),
    on("rename_project", Project(ProjectsWrite)).sending(|_, _| json!({"name": "Another name"})),
    on("suspend_project", Project(ProjectsWrite)),
    on("resume_project", Project(ProjectsWrite)),
    on("archive_project", Project(ProjectsWrite)),
    on("transfer_project", PersonInProject(OwnersWrite)).sending(|place, _| json!({"user_id": place.guest})),
    // Members.
    on("list_members", Project(MembersRead)),
    on("get_member", Project(MembersRead)),
    on("add_member", Project(MembersWrite)).sending(|place, _| json!({"user_id": place.guest, "role": "viewer"})),
    on("change_member_role", Project(MembersWrite)).sending(|_, _| json!({"role": "operator"})),
    on("remove_member", Project(MembersWrite)),
    // Invitations into projects.
    on("invite_member", Project(MembersWrite)).sending(|_, who| {
        json!({"email": format!("invited-{who:?}@example.org"), "role": "viewer"})
    }),
    on("list_invitations", Project(MembersWrite)),
    on("get_invitation", Project(MembersWrite)),
    on("withdraw_invitation", Project(MembersWrite)),
    on("list_own_invitations", Person),
    on("accept_invitation", Invited),
    on("decline_invitation", Invited),
    // API keys.
    on("list_keys", Project(KeysRead)),
    on("issue_key", PersonInProject(KeysIssue)).sending(|place, _| place.wanted_key("viewer", None)),
    on("get_key", Project(KeysRead)),
    on("rotate_key", PersonInProject(KeysIssue)).sending(|_, _| json!({})),
    on("revoke_key", PersonInProject(KeysRevoke)),
    // Providers of models.
    on("list_providers", Project(ProvidersRead)),
    on("add_provider", Project(ProvidersWrite)).sending(
        |_, who| json!({"name": format!("of-{who:?}").to_lowercase(), "kind": "openai", "base_url": "https://example.org/v1"}),
    ),
    on("get_provider", Project(ProvidersRead)),
    on("change_provider", Project(ProvidersWrite)).sending(|_, _| json!({"enabled": false})),
    on("set_provider_key", Project(ProvidersWrite)).sending(|_, _| json!({"key": "another-key"})),
    on("test_provider", Project(ProvidersWrite)),
    on("remove_provider", Project(ProvidersWrite)),
    // Secrets of tools.
    on("list_secrets", Project(SecretsRead)),
    on("add_secret", Project(SecretsWrite))
        .sending(|_, _| json!({"name": "another", "value": "another-value", "hosts": ["example.org"]})),
    on("get_secret", Project(SecretsRead)),
    on("replace_secret", Project(SecretsWrite)).sending(|_, _| json!({"value": "another-value"})),
    on("remove_secret", Project(SecretsWrite)),
    // Agents.
    on("list_agents", Project(AgentsRead)).asking(of_project),
    on("create_agent", Project(AgentsWrite)).sending(
        |place, who| json!({"name": format!("Agent of {who:?}"), "type": "workflow", "project_id": place.project}),
    ),
    on("get_agent", Project(AgentsRead)),
    on("update_agent", Project(AgentsWrite)).sending(|_, _| json!({"description": "Another"})),
    on("activate_agent", Project(AgentsWrite)),
    on("pause_agent", Project(AgentsWrite)),
    on("resume_agent", Project(AgentsWrite)),
    on("archive_agent", Project(AgentsWrite)),
    on("list_versions", Project(AgentsRead)),
    on("get_version", Project(AgentsRead)),
    on("agent_history", Project(AgentsRead)),
    on("publish_version", Project(AgentsWrite)).sending(|_, _| json!({"definition": definition("another")})),
    // The audit trail.
    on("list_audit", Project(AuditRead)).asking(of_project),
    // Budgets.
    on("get_project_budget", Project(BudgetsRead)),
    on("set_project_budget", Project(BudgetsWrite)).sending(|_, _| json!({"max_tokens": 1_000, "period": "day"})),
    on("remove_project_budget", Project(BudgetsWrite)),
    on("get_agent_budget", Project(BudgetsRead)),
    on("set_agent_budget", Project(BudgetsWrite)).sending(|_, _| json!({"max_tokens": 1_000, "period": "day"})),
    on("remove_agent_budget", Project(BudgetsWrite)),
    on("get_usage", Project(BudgetsRead)),
    // Runs.
    on("execute_agent", Project(RunsStart)).sending(|_, _| json!({"input": {}})),
    on("list_runs", Project(RunsRead)).asking(of_project),
    on("get_run", Project(RunsRead)),
    on("run_events", Project(RunsRead)),
    on("get_result", Project(RunsRead)),
    on("cancel_run", Project(RunsCancel)),
    on("retry_run", Project(RunsStart)),
    on("fork_run", Project(RunsStart)).sending(|_, _| json!({"step": "ask"})),
    on("list_approvals", Project(RunsRead)).asking(of_project),
    on("decide_approval", Project(RunsDecide)).sending(|_, _| json!({"decision": "approve"})),
    on("reconcile_operation", Project(RunsDecide)).sending(|_, _| json!({"verdict": "failed"})),
];

fn of_project(place: &Place) -> String {
    format!("project_id={}", place.project)
}
