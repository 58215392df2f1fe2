use async_trait::async_trait;
use devskyy_application::{
    access::ListScope,
    agents::{AgentFilter, AgentOrder, AgentVersionSummary, AgentVersionView, AgentView, AgentViews},
    error::PortError,
    paging::{PageOf, PageRequest},
};
use devskyy_domain::{
    agents::{AgentStatus, AgentType, VersionNumber},
    kernel::ids::AgentId,
};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{
    entity::{agent, version},
    projection::number,
};
use crate::{
    projects::projects_of,
    sql::{Database, instant, loaded, port_error},
};

const PORT: &str = "agent views";

/// Agents as projected into `agents` and `agent_versions`.
#[derive(Debug, Clone)]
pub struct SqlAgents(Database);

impl SqlAgents {
    /// Agents of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn page(&self, filter: AgentFilter, page: PageRequest) -> Result<(u64, Vec<agent::Model>), DbErr> {
        let total = matching(filter).select_only().column(agent::Column::Id).count(&self.0.reader).await?;
        let in_order = ordered(matching(filter), filter.order);
        let rows = in_order.offset(page.offset()).limit(page.page_size).all(&self.0.reader).await?;
        Ok((total, rows))
    }
}

fn matching(filter: AgentFilter) -> Select<agent::Entity> {
    use agent::Column::{Kind, ProjectId, Status};
    let all = agent::Entity::find();
    let within = match filter.scope {
        ListScope::Everything => all,
        ListScope::MemberOf(user) => all.filter(ProjectId.in_subquery(projects_of(user))),
        ListScope::Project(project) => all.filter(ProjectId.eq(Uuid::from(project))),
    };
    within
        .apply_if(filter.status, |some, status| some.filter(Status.eq(status.as_str())))
        .apply_if(filter.kind, |some, kind| some.filter(Kind.eq(kind.as_str())))
}

fn ordered(some: Select<agent::Entity>, order: AgentOrder) -> Select<agent::Entity> {
    use agent::Column::{CreatedAt, Id, NameKey};
    match order {
        AgentOrder::NewestFirst => some.order_by_desc(CreatedAt).order_by_desc(Id),
        AgentOrder::OldestFirst => some.order_by_asc(CreatedAt).order_by_asc(Id),
        AgentOrder::Name => some.order_by_asc(NameKey).order_by_asc(Id),
    }
}

#[async_trait]
impl AgentViews for SqlAgents {
    async fn find(&self, id: AgentId) -> Result<Option<AgentView>, PortError> {
        let row = agent::Entity::find_by_id(Uuid::from(id)).one(&self.0.reader).await;
        row.map_err(failed("finding an agent"))?.map(view).transpose()
    }

    async fn list(&self, filter: AgentFilter, page: PageRequest) -> Result<PageOf<AgentView>, PortError> {
        let (total, rows) = self.page(filter, page).await.map_err(failed("listing agents"))?;
        Ok(PageOf { items: rows.into_iter().map(view).collect::<Result<_, _>>()?, total })
    }

    async fn versions(&self, id: AgentId, page: PageRequest) -> Result<PageOf<AgentVersionSummary>, PortError> {
        use version::Column::{AgentId, Number, PublishedAt, PublishedBy};
        let of_agent = || {
            let columns = [Number, PublishedAt, PublishedBy];
            version::Entity::find().select_only().columns(columns).filter(AgentId.eq(Uuid::from(id)))
        };
        let found = async {
            let total = of_agent().count(&self.0.reader).await?;
            let in_order = of_agent().order_by_desc(Number).offset(page.offset()).limit(page.page_size);
            Ok((total, in_order.into_tuple::<(i32, i64, String)>().all(&self.0.reader).await?))
        };
        let (total, rows) = found.await.map_err(failed("listing versions"))?;
        let summary = |(number, published_at, published_by)| AgentVersionSummary {
            agent_id: id,
            number: unsigned(number),
            published_at: instant(published_at),
            published_by,
        };
        Ok(PageOf { items: rows.into_iter().map(summary).collect(), total })
    }

    async fn version(&self, id: AgentId, wanted: VersionNumber) -> Result<Option<AgentVersionView>, PortError> {
        let key = (Uuid::from(id), number(wanted));
        let found = version::Entity::find_by_id(key).one(&self.0.reader).await.map_err(failed("finding a version"))?;
        let Some(row) = found else { return Ok(None) };
        let summary = AgentVersionSummary {
            agent_id: id,
            number: unsigned(row.number),
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
        kind: AgentType::parse(&row.kind).map_err(|_| damaged(&row.kind))?,
        status: AgentStatus::from_name(&row.status).ok_or_else(|| damaged(&row.status))?,
        capabilities: json(&row.capabilities)?,
        name: row.name,
        description: row.description,
        current_version: row.current_version.map(unsigned),
        created_at: instant(row.created_at),
        updated_at: instant(row.updated_at),
        version: loaded(row.version),
    })
}

fn unsigned(number: i32) -> VersionNumber {
    VersionNumber::try_from(number).unwrap_or_default()
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, PortError> {
    serde_json::from_str(text).map_err(|error| PortError::bug(PORT, "reading a value", error))
}

fn damaged(what: &str) -> PortError {
    PortError::bug(PORT, "reading an agent", format!("`{what}` is no such value"))
}

fn failed(doing: &'static str) -> impl Fn(DbErr) -> PortError {
    move |error| port_error(PORT, doing, error)
}
