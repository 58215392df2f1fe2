use std::fmt::Write as _;

use devskyy_domain::{identity::PlatformRole, projects::ProjectRole};

use PlatformRole::{Admin, Member};
use ProjectRole::{Maintainer, Operator, Owner, Viewer};

/// A row of the table.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    meaning: &'static str,
    /// The project roles that have it.
    in_project: &'static [ProjectRole],
    /// The platform roles that have it: in every project, or on the platform as a whole.
    everywhere: &'static [PlatformRole],
    in_use_only: bool,
    people_only: bool,
}

impl Row {
    const fn plain(
        name: &'static str,
        meaning: &'static str,
        in_project: &'static [ProjectRole],
        everywhere: &'static [PlatformRole],
    ) -> Self {
        Self { name, meaning, in_project, everywhere, in_use_only: false, people_only: false }
    }

    const fn in_use_only(self) -> Self {
        Self { in_use_only: true, ..self }
    }

    const fn people_only(self) -> Self {
        Self { people_only: true, ..self }
    }
}

/// Declares permissions, one row each: name, name in documents, description, the project roles and the platform roles
/// that have it, and flags. `in_use_only` requires an active project; `people_only` excludes API keys.
macro_rules! permissions {
    (
        $(#[$about:meta])*
        $kind:ident {
            $($variant:ident $name:literal $meaning:literal [$($project:ident)*] [$($platform:ident)*] $($flag:ident)*;)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind {
            $(#[doc = concat!("Lets the caller ", $meaning, ".")] $variant,)+
        }

        impl $kind {
            /// Every permission, in the order of the table.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => {
                        Row::plain($name, $meaning, &[$($project),*], &[$($platform),*])$(.$flag())*
                    })+
                }
            }

            /// The name used in documents.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                self.row().name
            }

            /// What it allows, in words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                self.row().meaning
            }
        }
    };
}

permissions! {
    /// A permission in a project.
    Permission {
        ProjectsRead "projects.read" "see that the project exists, and its name"
            [Owner Maintainer Operator Viewer] [Admin];
        ProjectsWrite "projects.write" "rename, suspend, resume and archive the project"
            [Owner] [Admin];
        MembersRead "members.read" "see its members"
            [Owner Maintainer Operator Viewer] [Admin];
        MembersWrite "members.write" "invite, add and remove members and change their roles"
            [Owner] [Admin];
        OwnersWrite "owners.write" "add, invite, promote, demote and remove owners and maintainers, and transfer the project"
            [Owner] [Admin] people_only;
        AgentsRead "agents.read" "see agents and their versions"
            [Owner Maintainer Operator Viewer] [Admin];
        AgentsWrite "agents.write" "create, change, publish, activate, pause and archive agents"
            [Owner Maintainer] [] in_use_only;
        RunsRead "runs.read" "see runs, their steps and their events"
            [Owner Maintainer Operator Viewer] [Admin];
        RunsStart "runs.start" "start runs"
            [Owner Maintainer Operator] [] in_use_only;
        RunsCancel "runs.cancel" "cancel runs"
            [Owner Maintainer Operator] [Admin];
        RunsDecide "runs.decide" "answer approvals and give verdicts on unknown outcomes"
            [Owner Maintainer Operator] [] in_use_only;
        KeysRead "keys.read" "see API keys, never their secrets"
            [Owner Maintainer] [Admin];
        KeysIssue "keys.issue" "issue and rotate API keys that do not exceed one's own role"
            [Owner Maintainer] [] in_use_only people_only;
        KeysRevoke "keys.revoke" "revoke API keys"
            [Owner Maintainer] [Admin] people_only;
        ProvidersRead "providers.read" "see model providers, never their keys"
            [Owner Maintainer] [Admin];
        ProvidersWrite "providers.write" "add, change, test and remove model providers, and set their keys"
            [Owner Maintainer] [] in_use_only;
        SecretsRead "secrets.read" "see tool secrets, never their values"
            [Owner Maintainer] [Admin];
        SecretsWrite "secrets.write" "add, replace and remove tool secrets"
            [Owner Maintainer] [] in_use_only;
        AuditRead "audit.read" "see who did what in the project, and who was denied something"
            [Owner] [Admin];
        BudgetsRead "budgets.read" "see budgets and the usage of language models"
            [Owner Maintainer Operator Viewer] [Admin];
        BudgetsWrite "budgets.write" "set and remove budgets"
            [Owner Maintainer] [Admin];
    }
}

permissions! {
    /// A permission on the platform as a whole. API keys have none of these.
    PlatformPermission {
        ProjectsCreate "projects.create" "create projects of one's own"
            [] [Admin Member];
        UsersRead "users.read" "see all accounts"
            [] [Admin];
        UsersInvite "users.invite" "invite people to the platform"
            [] [Admin];
        UsersWrite "users.write" "change roles, disable, enable and erase accounts, and create administrators"
            [] [Admin];
        AuditReadAll "audit.read_all" "see who did what on the whole platform"
            [] [Admin];
    }
}

/// Whether this platform role has the permission.
#[must_use]
pub fn allows_on_platform(role: PlatformRole, permission: PlatformPermission) -> bool {
    permission.row().everywhere.contains(&role)
}

/// Whether a user with these roles has the permission.
#[must_use]
pub fn allows(platform: PlatformRole, project: Option<ProjectRole>, permission: Permission) -> bool {
    let row = permission.row();
    row.everywhere.contains(&platform) || project.is_some_and(|role| row.in_project.contains(&role))
}

impl Permission {
    /// Whether it needs an active project. The others allow viewing, administration and cancellation.
    #[must_use]
    pub const fn needs_active_project(self) -> bool {
        self.row().in_use_only
    }

    /// Whether an API key can have it as a scope. Only people issue and revoke keys.
    #[must_use]
    pub const fn suits_keys(self) -> bool {
        !self.row().people_only
    }

    /// The permission needed to give a role.
    #[must_use]
    pub fn to_give(role: ProjectRole) -> Self {
        Self::to_change(None, Some(role))
    }

    /// The permission needed to change a member's role, or to add or remove one.
    ///
    /// A role with a permission for people only is also given and taken by people only. A key that could give it would
    /// let its holder get that permission as a person. A key that could take it might leave no one to revoke the key.
    #[must_use]
    pub fn to_change(from: Option<ProjectRole>, to: Option<ProjectRole>) -> Self {
        let of_people = |role: ProjectRole| {
            Self::ALL.into_iter().any(|it| it.row().people_only && it.row().in_project.contains(&role))
        };
        if from.into_iter().chain(to).any(of_people) { Self::OwnersWrite } else { Self::MembersWrite }
    }
}

/// The tables as a page of the documentation.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Who may do what\n\nGenerated from `crates/application/src/access/table.rs`; a test fails if it is stale \
         ([CONTRIBUTING](../CONTRIBUTING.md#generated-pages) describes how to regenerate it).\n\n\
         A project that the caller may not see answers 404 to every request. A project they may see, but not act upon, \
         answers 403. A platform administrator has the last column in every project, without being a member. Permissions \
         marked * require a project that is neither suspended nor archived.\n\n\
         An API key may do what the lesser of its own role and its issuer's present role allows, within its scopes (the \
         names of permissions) and in its project only. It never has the administrator's column. Permissions marked † are \
         for people only, and so are the roles that have one: a key adds, invites, promotes, demotes and removes operators \
         and viewers only.\n\n| permission | lets the caller | owner | maintainer | operator | viewer | administrator |\n\
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
        "\n## The platform as a whole\n\nThese permissions concern no single project. API keys have none of them. Every \
         person who has signed in may manage their own account, sign-ins and invitations.\n\n\
         | permission | lets the caller | administrator | member |\n|---|---|---|---|\n",
    );
    for permission in PlatformPermission::ALL {
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
