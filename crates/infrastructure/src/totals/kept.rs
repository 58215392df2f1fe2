use devskyy_application::access::ListScope;
use devskyy_domain::kernel::ids::UserId;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Value};
use uuid::Uuid;

use crate::{es::statement, sql::loaded};

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    /// All users.
    Users,
    /// Projects of the platform, or of a user.
    Projects,
    /// Members of a project.
    Members,
    /// API keys of a project.
    ApiKeys,
    /// Agents of the platform, or of a project.
    Agents,
    /// Versions of an agent.
    Versions,
    /// Runs of the platform, or of a project.
    Runs,
    /// Approvals of the platform, or of a project.
    Approvals,
}

impl List {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Projects => "projects",
            Self::Members => "members",
            Self::ApiKeys => "api_keys",
            Self::Agents => "agents",
            Self::Versions => "versions",
            Self::Runs => "runs",
            Self::Approvals => "approvals",
        }
    }
}

/// The key of lists of the whole platform.
pub(super) const ALL: Uuid = Uuid::nil();

/// The rows that hold the length of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// One row.
    Of(List, Uuid),
    /// One row per project a user belongs to.
    OfProjectsOf(List, UserId),
}

impl Kept {
    /// The length of the list of the whole platform.
    pub(crate) const fn all(list: List) -> Self {
        Self::Of(list, ALL)
    }

    /// The length of a list of the contents of projects.
    pub(crate) fn within(list: List, scope: ListScope) -> Self {
        match scope {
            ListScope::Everything => Self::all(list),
            ListScope::MemberOf(user) => Self::OfProjectsOf(list, user),
            ListScope::Project(project) => Self::Of(list, project.into()),
        }
    }

    /// The length; 0 if the list was never non-empty.
    pub(crate) async fn total(self, db: &DatabaseConnection) -> Result<u64, DbErr> {
        let (which, list, of) = match self {
            Self::Of(list, of) => ("of_id = ?", list, of),
            Self::OfProjectsOf(list, user) => {
                ("of_id IN (SELECT project_id FROM project_members WHERE user_id = ?)", list, user.into())
            }
        };
        let sql = format!("SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM list_totals WHERE list = ? AND {which}");
        let values: Vec<Value> = vec![list.as_str().into(), of.into()];
        let row = db.query_one_raw(statement(db.get_database_backend(), &sql, values)).await?;
        row.map_or(Ok(0), |row| Ok(loaded(row.try_get_by_index(0)?)))
    }
}
