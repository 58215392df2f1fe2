//! Bodies of responses.

use chrono::{DateTime, Utc};
use devskyy_application::{
    agents::{AgentVersionSummary, AgentVersionView, AgentView},
    identity::UserView,
    projects::{MemberView, ProjectView},
};
use devskyy_domain::{assistant::Assistant, definition::Definition, kernel::Version, workflow::Workflow};
use serde::Serialize;
use utoipa::ToSchema;

use super::definition_schema::DefinitionSchema;
use crate::{
    bounds::{AgentStatusName, AgentTypeName, PlatformRoleName, ProjectRoleName, ProjectStatusName, UserStatusName},
    extract::{Revision, digest},
    ids::{AgentRef, ProjectRef, UserRef},
};

/// A person's account as they see it themselves.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserBody {
    /// Who.
    id: UserRef,
    /// What they sign in with.
    #[schema(format = "email")]
    email: String,
    /// The name they go by.
    name: String,
    /// `admin` or `member` of the platform.
    #[schema(value_type = PlatformRoleName)]
    role: &'static str,
    /// `active` or `disabled`.
    #[schema(value_type = UserStatusName)]
    status: &'static str,
    /// When they registered.
    created_at: DateTime<Utc>,
    /// The project that their things go to when they name none.
    personal_project_id: ProjectRef,
    #[serde(skip)]
    version: Version,
}

impl Revision for UserBody {
    fn version(&self) -> Version {
        self.version
    }

    /// The name is no fact of the log and has no version.
    fn beside_version(&self) -> Option<u32> {
        Some(digest(&[&self.email, &self.name]))
    }
}

impl From<UserView> for UserBody {
    fn from(user: UserView) -> Self {
        Self {
            id: user.id.into(),
            email: user.email,
            name: user.name,
            role: user.role.as_str(),
            status: user.status.as_str(),
            created_at: user.created_at,
            personal_project_id: user.personal_project_id.into(),
            version: user.version,
        }
    }
}

/// A unit of isolation and membership.
#[derive(Serialize, ToSchema)]
#[schema(as = Project)]
pub(super) struct ProjectBody {
    /// Which.
    id: ProjectRef,
    /// Its name.
    #[schema(example = "Supply chain")]
    name: String,
    /// The short form of its name.
    #[schema(example = "supply-chain")]
    slug: String,
    /// `active`, `suspended` or `archived`.
    #[schema(value_type = ProjectStatusName)]
    status: &'static str,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// Its version, also its `ETag`.
    #[schema(value_type = u64)]
    version: Version,
}

impl From<ProjectView> for ProjectBody {
    fn from(project: ProjectView) -> Self {
        Self {
            id: project.id.into(),
            name: project.name,
            slug: project.slug,
            status: project.status.as_str(),
            created_at: project.created_at,
            version: project.version,
        }
    }
}

impl Revision for ProjectBody {
    fn version(&self) -> Version {
        self.version
    }
}

/// A member of a project.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct MemberBody {
    /// Who.
    user_id: UserRef,
    /// Their e-mail, unless the account was erased.
    email: Option<String>,
    /// The name they go by, unless the account was erased.
    name: Option<String>,
    /// `owner`, `maintainer`, `operator` or `viewer`.
    #[schema(value_type = ProjectRoleName)]
    role: &'static str,
    /// Since when.
    added_at: DateTime<Utc>,
}

impl From<MemberView> for MemberBody {
    fn from(member: MemberView) -> Self {
        Self {
            user_id: member.user_id.into(),
            email: member.email,
            name: member.name,
            role: member.role.as_str(),
            added_at: member.added_at,
        }
    }
}

/// A member as of a version of the project, which covers all but personal data.
#[derive(Serialize)]
pub(super) struct MemberAsOf {
    #[serde(flatten)]
    member: MemberBody,
    #[serde(skip)]
    version: Version,
}

impl From<(MemberView, Version)> for MemberAsOf {
    fn from((member, version): (MemberView, Version)) -> Self {
        Self { member: member.into(), version }
    }
}

impl Revision for MemberAsOf {
    fn version(&self) -> Version {
        self.version
    }

    fn beside_version(&self) -> Option<u32> {
        let MemberBody { email, name, .. } = &self.member;
        Some(digest(&[email.as_deref().unwrap_or_default(), name.as_deref().unwrap_or_default()]))
    }
}

/// A named definition that can be run.
#[derive(Serialize, ToSchema)]
#[schema(as = Agent)]
pub(super) struct AgentBody {
    /// Which.
    id: AgentRef,
    /// The project it belongs to.
    project_id: ProjectRef,
    /// Its name, unique in its project.
    #[schema(example = "Dependency review")]
    name: String,
    /// How it works: `workflow`, a declared graph of steps, or `assistant`, a model in a loop with tools.
    #[schema(value_type = AgentTypeName)]
    r#type: &'static str,
    /// The capabilities.
    capabilities: Vec<String>,
    /// The description.
    description: String,
    /// `draft`, `active`, `paused` or `archived`.
    #[schema(value_type = AgentStatusName)]
    status: &'static str,
    /// The version that runs start from.
    current_version: Option<u32>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Its version, also its `ETag`; not the number of a version of its definition.
    #[schema(value_type = u64)]
    version: Version,
}

impl From<AgentView> for AgentBody {
    fn from(agent: AgentView) -> Self {
        Self {
            id: agent.id.into(),
            project_id: agent.project_id.into(),
            name: agent.name,
            r#type: agent.kind.as_str(),
            capabilities: agent.capabilities,
            description: agent.description,
            status: agent.status.as_str(),
            current_version: agent.current_version,
            created_at: agent.created_at,
            updated_at: agent.updated_at,
            version: agent.version,
        }
    }
}

impl Revision for AgentBody {
    fn version(&self) -> Version {
        self.version
    }
}

/// One version of an agent, in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = AgentVersionSummary)]
pub(super) struct VersionSummaryBody {
    /// The agent.
    agent_id: AgentRef,
    /// Its number, from 1.
    number: u32,
    /// When it was published.
    published_at: DateTime<Utc>,
    /// Who published it.
    #[schema(example = "user:01938f2e-0000-7000-8000-000000000000")]
    published_by: String,
}

impl From<AgentVersionSummary> for VersionSummaryBody {
    fn from(version: AgentVersionSummary) -> Self {
        let AgentVersionSummary { agent_id, number, published_at, published_by } = version;
        Self { agent_id: agent_id.into(), number, published_at, published_by }
    }
}

/// A version of an agent with its definition; it never changes.
#[derive(Serialize, ToSchema)]
#[schema(as = AgentVersion)]
pub(super) struct VersionBody {
    #[serde(flatten)]
    summary: VersionSummaryBody,
    /// The definition.
    #[schema(value_type = DefinitionSchema)]
    definition: DefinitionBody,
}

impl Revision for VersionBody {
    /// It never changes, so its number distinguishes it from any other state at its address.
    fn version(&self) -> Version {
        self.summary.number.into()
    }
}

/// The definition of a version as it was published, by the type of the agent.
#[derive(Serialize)]
#[serde(untagged)]
enum DefinitionBody {
    Workflow(Workflow),
    Assistant(Box<Assistant>),
}

impl From<AgentVersionView> for VersionBody {
    fn from(version: AgentVersionView) -> Self {
        let definition = match version.definition {
            Definition::Workflow(workflow) => DefinitionBody::Workflow(workflow),
            Definition::Assistant(assistant) => DefinitionBody::Assistant(assistant),
        };
        Self { summary: version.summary.into(), definition }
    }
}
