use std::fmt::Write as _;

use devskyy_domain::{identity::PlatformRole, projects::ProjectRole};

/// Something one may be allowed to do in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See that the project exists, and its name.
    ProjectsRead,
    /// Rename, suspend, resume and archive the project.
    ProjectsWrite,
    /// See who belongs to it.
    MembersRead,
    /// Invite, add and remove members and change their roles.
    MembersWrite,
    /// Make somebody an owner, take that from somebody else, and hand the project over.
    OwnersWrite,
    /// See agents and their versions.
    AgentsRead,
    /// Create, change, publish, activate, pause and archive agents.
    AgentsWrite,
    /// See runs, their steps and their events.
    RunsRead,
    /// Start runs.
    RunsStart,
    /// Cancel runs.
    RunsCancel,
    /// Answer what runs ask: approvals, and verdicts on unknown outcomes.
    RunsDecide,
    /// See the project's API keys, never their secrets.
    KeysRead,
    /// Issue and rotate API keys of no more power than one's own.
    KeysIssue,
    /// Revoke API keys.
    KeysRevoke,
    /// See the project's providers of models, never their keys.
    ProvidersRead,
    /// Add, change, test and remove providers of models, and set their keys.
    ProvidersWrite,
    /// See the secrets of the project's tools, never their values.
    SecretsRead,
    /// Add, replace and remove secrets of tools.
    SecretsWrite,
    /// See who did what in the project, and who was denied something.
    AuditRead,
    /// See budgets, and what was used of language models.
    BudgetsRead,
    /// Set and remove budgets.
    BudgetsWrite,
}

/// Something one may be allowed to do on the platform as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlatformPermission {
    /// Create projects of one's own.
    ProjectsCreate,
    /// See everybody's accounts.
    UsersRead,
    /// Invite people to the platform.
    UsersInvite,
    /// Change roles, disable, enable and erase accounts, and open administrators' ones.
    UsersWrite,
    /// See who did what on the whole platform.
    AuditReadAll,
}

use PlatformRole::{Admin, Member};
use ProjectRole::{Maintainer, Operator, Owner, Viewer};

/// The whole truth: a permission, the project roles that have it, and the platform roles that have it in every project.
const TABLE: [(Permission, &[ProjectRole], &[PlatformRole]); 21] = [
    (Permission::ProjectsRead, &[Owner, Maintainer, Operator, Viewer], &[Admin]),
    (Permission::ProjectsWrite, &[Owner], &[Admin]),
    (Permission::MembersRead, &[Owner, Maintainer, Operator, Viewer], &[Admin]),
    (Permission::MembersWrite, &[Owner], &[Admin]),
    (Permission::OwnersWrite, &[Owner], &[Admin]),
    (Permission::AgentsRead, &[Owner, Maintainer, Operator, Viewer], &[Admin]),
    (Permission::AgentsWrite, &[Owner, Maintainer], &[]),
    (Permission::RunsRead, &[Owner, Maintainer, Operator, Viewer], &[Admin]),
    (Permission::RunsStart, &[Owner, Maintainer, Operator], &[]),
    (Permission::RunsCancel, &[Owner, Maintainer, Operator], &[Admin]),
    (Permission::RunsDecide, &[Owner, Maintainer, Operator], &[]),
    (Permission::KeysRead, &[Owner, Maintainer], &[Admin]),
    (Permission::KeysIssue, &[Owner, Maintainer], &[]),
    (Permission::KeysRevoke, &[Owner, Maintainer], &[Admin]),
    (Permission::ProvidersRead, &[Owner, Maintainer], &[Admin]),
    (Permission::ProvidersWrite, &[Owner, Maintainer], &[]),
    (Permission::SecretsRead, &[Owner, Maintainer], &[Admin]),
    (Permission::SecretsWrite, &[Owner, Maintainer], &[]),
    (Permission::AuditRead, &[Owner], &[Admin]),
    (Permission::BudgetsRead, &[Owner, Maintainer, Operator, Viewer], &[Admin]),
    (Permission::BudgetsWrite, &[Owner, Maintainer], &[Admin]),
];

/// The same for the platform as a whole: a permission, and the platform roles that have it. API keys have none of these.
const PLATFORM: [(PlatformPermission, &[PlatformRole]); 5] = [
    (PlatformPermission::ProjectsCreate, &[Admin, Member]),
    (PlatformPermission::UsersRead, &[Admin]),
    (PlatformPermission::UsersInvite, &[Admin]),
    (PlatformPermission::UsersWrite, &[Admin]),
    (PlatformPermission::AuditReadAll, &[Admin]),
];

/// Whether a person with this role may do this on the platform as a whole.
#[must_use]
pub fn allows_on_platform(role: PlatformRole, permission: PlatformPermission) -> bool {
    PLATFORM.iter().any(|(listed, roles)| *listed == permission && roles.contains(&role))
}

/// Whether a person with these roles may do this.
#[must_use]
pub fn allows(platform: PlatformRole, project: Option<ProjectRole>, permission: Permission) -> bool {
    TABLE.iter().any(|(listed, in_project, everywhere)| {
        *listed == permission
            && (everywhere.contains(&platform) || project.is_some_and(|role| in_project.contains(&role)))
    })
}

impl Permission {
    /// Every permission, in the order of the table.
    pub const ALL: [Self; 21] = [
        Self::ProjectsRead,
        Self::ProjectsWrite,
        Self::MembersRead,
        Self::MembersWrite,
        Self::OwnersWrite,
        Self::AgentsRead,
        Self::AgentsWrite,
        Self::RunsRead,
        Self::RunsStart,
        Self::RunsCancel,
        Self::RunsDecide,
        Self::KeysRead,
        Self::KeysIssue,
        Self::KeysRevoke,
        Self::ProvidersRead,
        Self::ProvidersWrite,
        Self::SecretsRead,
        Self::SecretsWrite,
        Self::AuditRead,
        Self::BudgetsRead,
        Self::BudgetsWrite,
    ];

    /// The name used in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProjectsRead => "projects.read",
            Self::ProjectsWrite => "projects.write",
            Self::MembersRead => "members.read",
            Self::MembersWrite => "members.write",
            Self::OwnersWrite => "owners.write",
            Self::AgentsRead => "agents.read",
            Self::AgentsWrite => "agents.write",
            Self::RunsRead => "runs.read",
            Self::RunsStart => "runs.start",
            Self::RunsCancel => "runs.cancel",
            Self::RunsDecide => "runs.decide",
            Self::KeysRead => "keys.read",
            Self::KeysIssue => "keys.issue",
            Self::KeysRevoke => "keys.revoke",
            Self::ProvidersRead => "providers.read",
            Self::ProvidersWrite => "providers.write",
            Self::SecretsRead => "secrets.read",
            Self::SecretsWrite => "secrets.write",
            Self::AuditRead => "audit.read",
            Self::BudgetsRead => "budgets.read",
            Self::BudgetsWrite => "budgets.write",
        }
    }

    /// What it lets one do, in words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ProjectsRead => "see that the project exists, and its name",
            Self::ProjectsWrite => "rename, suspend, resume and archive the project",
            Self::MembersRead => "see who belongs to it",
            Self::MembersWrite => "invite, add and remove members and change their roles",
            Self::OwnersWrite => "make somebody an owner, demote or remove one, and hand the project over",
            Self::AgentsRead => "see agents and their versions",
            Self::AgentsWrite => "create, change, publish, activate, pause and archive agents",
            Self::RunsRead => "see runs, their steps and their events",
            Self::RunsStart => "start runs",
            Self::RunsCancel => "cancel runs",
            Self::RunsDecide => "answer approvals and give verdicts on unknown outcomes",
            Self::KeysRead => "see API keys, never their secrets",
            Self::KeysIssue => "issue and rotate API keys of no more power than one's own",
            Self::KeysRevoke => "revoke API keys",
            Self::ProvidersRead => "see providers of models, never their keys",
            Self::ProvidersWrite => "add, change, test and remove providers of models, and set their keys",
            Self::SecretsRead => "see secrets of tools, never their values",
            Self::SecretsWrite => "add, replace and remove secrets of tools",
            Self::AuditRead => "see who did what in the project, and who was denied something",
            Self::BudgetsRead => "see budgets, and what was used of language models",
            Self::BudgetsWrite => "set and remove budgets",
        }
    }

    /// Whether it needs a project in use: one on hold or archived can only be looked at, governed and calmed down.
    #[must_use]
    pub const fn needs_active_project(self) -> bool {
        match self {
            Self::AgentsWrite
            | Self::RunsStart
            | Self::RunsDecide
            | Self::KeysIssue
            | Self::ProvidersWrite
            | Self::SecretsWrite => true,
            Self::ProjectsRead
            | Self::ProjectsWrite
            | Self::MembersRead
            | Self::MembersWrite
            | Self::OwnersWrite
            | Self::AgentsRead
            | Self::RunsRead
            | Self::RunsCancel
            | Self::KeysRead
            | Self::KeysRevoke
            | Self::ProvidersRead
            | Self::SecretsRead
            | Self::AuditRead
            | Self::BudgetsRead
            | Self::BudgetsWrite => false,
        }
    }

    /// What it takes to give somebody a role.
    #[must_use]
    pub const fn to_give(role: ProjectRole) -> Self {
        Self::to_change(None, Some(role))
    }

    /// What it takes to give somebody who has the one role the other, or none.
    #[must_use]
    pub const fn to_change(from: Option<ProjectRole>, to: Option<ProjectRole>) -> Self {
        match (from, to) {
            (Some(Owner), _) | (_, Some(Owner)) => Self::OwnersWrite,
            (Some(Maintainer | Operator | Viewer) | None, Some(Maintainer | Operator | Viewer) | None) => {
                Self::MembersWrite
            }
        }
    }

    /// Whether an API key can have it as a scope. Keys are handed out by people, never by keys, and make nobody an owner,
    /// who would outlive them; nor do they turn out those who can revoke them.
    #[must_use]
    pub const fn suits_keys(self) -> bool {
        !matches!(self, Self::KeysIssue | Self::KeysRevoke | Self::OwnersWrite)
    }
}

impl PlatformPermission {
    /// The name used in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProjectsCreate => "projects.create",
            Self::UsersRead => "users.read",
            Self::UsersInvite => "users.invite",
            Self::UsersWrite => "users.write",
            Self::AuditReadAll => "audit.read_all",
        }
    }

    /// What it lets one do, in words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ProjectsCreate => "create projects of one's own",
            Self::UsersRead => "see everybody's accounts",
            Self::UsersInvite => "invite people to the platform",
            Self::UsersWrite => "change roles, disable, enable and erase accounts, and open administrators' ones",
            Self::AuditReadAll => "see who did what on the whole platform",
        }
    }
}

/// The tables as a page for people.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Who may do what\n\nGenerated from `crates/application/src/access/table.rs`; a test fails when it is stale \
         ([CONTRIBUTING](../CONTRIBUTING.md) says how it is written anew).\n\nA project one may not see does not exist: every question about it \
         answers 404. One that may be seen, but not acted upon, answers 403. A platform administrator has the last \
         column in every project, without being a member. Permissions marked * need a project that is neither \
         suspended nor archived.\n\nAn API key \
         may what the lesser of its own role and its issuer's present role may, within its scopes (the names of \
         permissions), in its project only; it never has an administrator's column. Permissions marked † are for people \
         alone.\n\n| permission | lets one | owner | maintainer | operator | viewer | administrator |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for permission in Permission::ALL {
        let star = if permission.needs_active_project() { " *" } else { "" };
        let dagger = if permission.suits_keys() { "" } else { " †" };
        let _ = write!(page, "| `{}`{star}{dagger} | {} |", permission.as_str(), permission.meaning());
        for role in ProjectRole::ALL {
            page.push_str(mark(allows(PlatformRole::Member, Some(role), permission)));
        }
        page.push_str(mark(allows(PlatformRole::Admin, None, permission)));
        page.push('\n');
    }
    page.push_str(
        "\n## The platform as a whole\n\nThese are about no project. API keys have none of them. What is one's own (account, \
         sign-ins, invitations) is everybody's who has signed in as a person.\n\n\
         | permission | lets one | administrator | member |\n|---|---|---|---|\n",
    );
    for (permission, _) in PLATFORM {
        let _ = write!(page, "| `{}` | {} |", permission.as_str(), permission.meaning());
        for role in PlatformRole::ALL {
            page.push_str(mark(allows_on_platform(role, permission)));
        }
        page.push('\n');
    }
    page
}

const fn mark(yes: bool) -> &'static str {
    if yes { " yes |" } else { " – |" }
}
