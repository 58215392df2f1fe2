use std::collections::BTreeMap;

use async_trait::async_trait;
use devskyy_application::es::RecordedEvent;
use devskyy_domain::{
    kernel::Aggregate,
    projects::{Project, ProjectCreated, ProjectEvent, ProjectRole, ProjectStatus},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::entity::{member, project};
use crate::{
    es::{ProjectionError, StreamRows},
    sql::{micros, stored},
};

/// One row per project and one per member.
#[derive(Debug, Clone, Copy)]
pub struct ProjectsProjection;

/// A project with its loaded members and the changes since.
#[derive(Debug)]
pub struct ProjectRow {
    project: project::Model,
    members: BTreeMap<Uuid, member::Model>,
    touched: BTreeMap<Uuid, Touched>,
}

/// The write a member needs.
#[derive(Debug, Clone, Copy)]
enum Touched {
    Changed,
    Removed,
}

impl ProjectRow {
    fn new(event: &RecordedEvent, created: &ProjectCreated) -> Self {
        let project = project::Model {
            id: event.stream_id,
            name: created.name.as_str().to_owned(),
            name_key: created.name.as_str().to_lowercase(),
            slug: created.slug.as_str().to_owned(),
            status: ProjectStatus::Active.as_str().to_owned(),
            personal_of: created.personal.then(|| created.owner.into()),
            created_at: micros(event.recorded_at),
            version: stored(event.version),
            position: stored(event.position),
        };
        let mut row = Self { project, members: BTreeMap::new(), touched: BTreeMap::new() };
        row.put(event, created.owner.into(), ProjectRole::Owner);
        row
    }

    fn put(&mut self, event: &RecordedEvent, user: Uuid, role: ProjectRole) {
        let fresh = || member::Model {
            project_id: event.stream_id,
            user_id: user,
            role: String::new(),
            added_at: micros(event.recorded_at),
            position: 0,
        };
        let member = self.members.entry(user).or_insert_with(fresh);
        role.as_str().clone_into(&mut member.role);
        member.position = stored(event.position);
        self.touched.insert(user, Touched::Changed);
    }

    fn take_in(&mut self, event: &RecordedEvent, fact: ProjectEvent) {
        self.project.version = stored(event.version);
        self.project.position = stored(event.position);
        match fact {
            ProjectEvent::Created(_) => {}
            ProjectEvent::Renamed(it) => {
                it.name.as_str().clone_into(&mut self.project.name);
                self.project.name_key = it.name.as_str().to_lowercase();
                it.slug.as_str().clone_into(&mut self.project.slug);
            }
            ProjectEvent::MemberAdded(it) => self.put(event, it.user.into(), it.role),
            ProjectEvent::MemberRoleChanged(it) => self.put(event, it.user.into(), it.role),
            ProjectEvent::MemberRemoved(it) => {
                self.members.remove(&it.user.into());
                self.touched.insert(it.user.into(), Touched::Removed);
            }
            ProjectEvent::Suspended(_) => self.set(ProjectStatus::Suspended),
            ProjectEvent::Resumed(_) => self.set(ProjectStatus::Active),
            ProjectEvent::Archived(_) => self.set(ProjectStatus::Archived),
        }
    }

    fn set(&mut self, status: ProjectStatus) {
        status.as_str().clone_into(&mut self.project.status);
    }
}

#[async_trait]
impl StreamRows for ProjectsProjection {
    type Row = ProjectRow;

    fn name(&self) -> &'static str {
        "projects"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["project_members", "projects"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[Project::CATEGORY]
    }

    async fn load(&self, tx: &DatabaseTransaction, ids: &[Uuid]) -> Result<Vec<(Uuid, ProjectRow)>, ProjectionError> {
        let projects = project::Entity::find().filter(project::Column::Id.is_in(ids.iter().copied())).all(tx).await?;
        let members =
            member::Entity::find().filter(member::Column::ProjectId.is_in(ids.iter().copied())).all(tx).await?;
        let mut of_project: BTreeMap<Uuid, BTreeMap<Uuid, member::Model>> = BTreeMap::new();
        for member in members {
            of_project.entry(member.project_id).or_default().insert(member.user_id, member);
        }
        let row = |project: project::Model| {
            let members = of_project.remove(&project.id).unwrap_or_default();
            (project.id, ProjectRow { project, members, touched: BTreeMap::new() })
        };
        Ok(projects.into_iter().map(row).collect())
    }

    fn fold(&self, row: Option<ProjectRow>, event: &RecordedEvent) -> Result<Option<ProjectRow>, ProjectionError> {
        let fact: ProjectEvent = event.decode()?;
        if let ProjectEvent::Created(it) = &fact {
            return Ok(Some(ProjectRow::new(event, it)));
        }
        let Some(mut row) = row else { return Ok(None) };
        row.take_in(event, fact);
        Ok(Some(row))
    }

    async fn save(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<(Uuid, Option<ProjectRow>)>,
    ) -> Result<(), ProjectionError> {
        let (mut projects, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for mut row in rows.into_iter().filter_map(|(_, row)| row) {
            for (user, touched) in row.touched {
                match touched {
                    Touched::Changed => changed.extend(row.members.remove(&user)),
                    Touched::Removed => removed.push((row.project.id, user)),
                }
            }
            projects.push(row.project);
        }
        save_projects(tx, projects).await?;
        for of_one in removed {
            member::Entity::delete_by_id(of_one).exec(tx).await?;
        }
        for some in changed.chunks(crate::es::ROWS_AT_ONCE) {
            save_members(tx, some.to_vec()).await?;
        }
        Ok(())
    }
}

async fn save_projects(tx: &DatabaseTransaction, rows: Vec<project::Model>) -> Result<(), ProjectionError> {
    use project::Column::{Id, Name, NameKey, Position, Slug, Status, Version};
    let newer = OnConflict::column(Id).update_columns([Name, NameKey, Slug, Status, Version, Position]).to_owned();
    let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
    project::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}

async fn save_members(tx: &DatabaseTransaction, rows: Vec<member::Model>) -> Result<(), ProjectionError> {
    use member::Column::{AddedAt, Position, ProjectId, Role, UserId};
    let newer = OnConflict::columns([ProjectId, UserId]).update_columns([Role, AddedAt, Position]).to_owned();
    let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
    member::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}
