use async_trait::async_trait;
use devskyy_application::{
    access::ListScope,
    agents::{AgentFilter, AgentSort, AgentVersionSummary, AgentVersionView, AgentView, AgentViews},
    error::PortError,
    paging::{PageOf, Part, Sort},
};
use devskyy_domain::{
    agents::{AgentStatus, AgentType, VersionNumber},
    kernel::ids::AgentId,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait, Select};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{
    entity::{agent, summary, version},
    projection::number,
};
use crate::{
    projects::projects_of,
    sql::{Database, Order, Port, containing, instant, loaded, part_of},
    totals::{Kept, List},
};

const PORT: Port = Port("agent views");

/// Agents from the projections `agents` and `agent_versions`.
#[derive(Debug, Clone)]
pub struct SqlAgents(Database);

impl SqlAgents {
    /// Uses the agents of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }
}

fn matching(filter: &AgentFilter) -> Select<agent::Entity> {
    use agent::Column::{Capabilities, Kind, NameKey, ProjectId, Status};
    let all = agent::Entity::find();
    let within = match filter.scope {
        ListScope::Everything => all,
        ListScope::MemberOf(user) => all.filter(ProjectId.in_subquery(projects_of(user))),
        ListScope::Project(project) => all.filter(ProjectId.eq(Uuid::from(project))),
    };
    within
        .apply_if(filter.status, |some, status| some.filter(Status.eq(status.as_str())))
        .apply_if(filter.kind, |some, kind| some.filter(Kind.eq(kind.as_str())))
        .apply_if(filter.name.as_deref(), |some, name| containing(some, NameKey.into_expr(), name))
        // A JSON array of slugs, which contain no quotes, so searching for the quoted slug is exact.
        .apply_if(filter.capability.as_deref(), |some, slug| {
            containing(some, Capabilities.into_expr(), &format!("\"{slug}\""))
        })
}

fn kept(filter: &AgentFilter) -> Option<Kept> {
    let AgentFilter { scope, status, kind, name, capability, sort: _ } = filter;
    let narrowed = status.is_some() || kind.is_some() || name.is_some() || capability.is_some();
    (!narrowed).then(|| Kept::within(List::Agents, *scope))
}

fn order(sort: Sort<AgentSort>) -> Order<agent::Column> {
    use agent::Column::{CreatedAt, Id, NameKey, UpdatedAt};
    let by = match sort.by {
        AgentSort::CreatedAt => CreatedAt,
        AgentSort::UpdatedAt => UpdatedAt,
        AgentSort::Name => NameKey,
    };
    Order { by, id: Id, descending: sort.descending }
}

#[async_trait]
impl AgentViews for SqlAgents {
    async fn find(&self, id: AgentId) -> Result<Option<AgentView>, PortError> {
        let row = agent::Entity::find_by_id(Uuid::from(id)).one(&self.0.reader).await;
        row.map_err(PORT.failed("finding an agent"))?.map(view).transpose()
    }

    async fn list(&self, filter: AgentFilter, part: &Part) -> Result<PageOf<AgentView>, PortError> {
        let order = order(filter.sort);
        let found = part_of(&self.0.reader, matching(&filter), order, part, kept(&filter)).await;
        found.map_err(PORT.failed("listing agents"))?.try_map(view)
    }

    async fn versions(&self, id: AgentId, part: &Part) -> Result<PageOf<AgentVersionSummary>, PortError> {
        let order = Order { by: summary::Column::Number, id: summary::Column::AgentId, descending: true };
        let of_agent = summary::Entity::find().filter(summary::Column::AgentId.eq(Uuid::from(id)));
        let kept = Some(Kept::Of(List::Versions, id.into()));
        let found =
            part_of(&self.0.reader, of_agent, order, part, kept).await.map_err(PORT.failed("listing versions"))?;
        found.try_map(|row| {
            Ok(AgentVersionSummary {
                agent_id: id,
                number: version_number(row.number)?,
                published_at: instant(row.published_at),
                published_by: row.published_by,
            })
        })
    }

    async fn version(&self, id: AgentId, wanted: VersionNumber) -> Result<Option<AgentVersionView>, PortError> {
        let key = (Uuid::from(id), number(wanted));
        let found =
            version::Entity::find_by_id(key).one(&self.0.reader).await.map_err(PORT.failed("finding a version"))?;
        let Some(row) = found else { return Ok(None) };
        let summary = AgentVersionSummary {
            agent_id: id,
            number: version_number(row.number)?,
            published_at: instant(row.published_at),
            published_by: row.published_by,
        };
        Ok(Some(AgentVersionView { summary, definition: json(&row.definition)? }))
    }
}

fn view(row: agent::Model) -> Result<AgentView, PortError> {
    Ok(AgentView {
        id: row.id.into(),
        project_id: row.project_id.into(),
        kind: AgentType::parse(&row.kind).map_err(|_| PORT.damaged("reading an agent", &row.kind))?,
        status: AgentStatus::from_name(&row.status).ok_or_else(|| PORT.damaged("reading an agent", &row.status))?,
        capabilities: json(&row.capabilities)?,
        name: row.name,
        description: row.description,
        current_version: row.current_version.map(version_number).transpose()?,
        created_at: instant(row.created_at),
        updated_at: instant(row.updated_at),
        version: loaded(row.version),
    })
}

fn version_number(number: i32) -> Result<VersionNumber, PortError> {
    VersionNumber::try_from(number).map_err(|_| PORT.damaged("reading an agent", &number.to_string()))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, PortError> {
    serde_json::from_str(text).map_err(PORT.bug("reading a value"))
}

#[cfg(test)]
mod tests {
    use devskyy_application::paging::Key;

    use super::{AgentFilter, AgentSort, ListScope, Order, Sort, Uuid, matching, order, summary};
    use crate::sql::{
        Database,
        tests::{goes_on_by_index, on_both_engines},
    };

    on_both_engines!(agents_of_a_project_and_of_all_go_on_by_index_in_every_order);

    async fn agents_of_a_project_and_of_all_go_on_by_index_in_every_order(db: &Database) {
        for scope in [ListScope::Everything, ListScope::Project(Uuid::max().into())] {
            for (by, place) in [
                (AgentSort::CreatedAt, Key::by_number(1, Uuid::nil())),
                (AgentSort::UpdatedAt, Key::by_number(1, Uuid::nil())),
                (AgentSort::Name, Key::by_name("m", Uuid::nil())),
            ] {
                for sort in [Sort::ascending(by), Sort::descending(by)] {
                    let filter = AgentFilter { scope, status: None, kind: None, name: None, capability: None, sort };
                    goes_on_by_index(db, matching(&filter), order(sort), &place).await;
                }
            }
        }
    }

    on_both_engines!(versions_go_on_by_index);

    async fn versions_go_on_by_index(db: &Database) {
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
        let order = Order { by: summary::Column::Number, id: summary::Column::AgentId, descending: true };
        let rows = summary::Entity::find().filter(summary::Column::AgentId.eq(Uuid::max()));
        goes_on_by_index(db, rows, order, &Key::by_number(1, Uuid::max())).await;
    }
}
