use std::{collections::HashMap, sync::Arc};

use devskyy_domain::kernel::ids::ProjectId;

use super::{
    ports::{Directory, ProjectViews},
    views::MemberView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// A query for a project's members.
#[derive(Debug)]
pub struct ListMembers {
    /// The project.
    pub project: ProjectId,
    /// The requested part of the list.
    pub page: Part,
}

/// Lists members.
pub struct ListMembersHandler {
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) access: Access,
}

impl ListMembersHandler {
    /// The members, with their directory entries.
    ///
    /// # Errors
    /// [`Error::NotFound`], also without access, or a failing port.
    #[tracing::instrument(name = "projects.list_members", skip_all, fields(project = %query.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListMembers) -> Result<PageOf<MemberView>, Error> {
        self.access.require(actor, query.project, Permission::MembersRead).await?;
        let members = self.views.members(query.project, &query.page).await?;
        let ids: Vec<_> = members.items.iter().map(|member| member.user).collect();
        let people = self.directory.people(&ids).await?;
        let mut people: HashMap<_, _> = people.into_iter().map(|person| (person.id, person)).collect();
        Ok(members.map(|member| {
            let person = people.remove(&member.user);
            MemberView::new(member, person)
        }))
    }
}
