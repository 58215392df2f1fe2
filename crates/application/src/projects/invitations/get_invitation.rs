use devskyy_domain::{
    kernel::{
        Version,
        ids::{InvitationId, ProjectId},
    },
    projects::Invitation,
};

use super::{
    list_invitations::{Shown, absent},
    ports::InvitationView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::Repository,
};

/// A query for one invitation of a project.
#[derive(Debug)]
pub struct GetInvitation {
    /// The project.
    pub project: ProjectId,
    /// The invitation.
    pub invitation: InvitationId,
}

/// Returns invitations to actors who manage members.
pub struct GetInvitationHandler {
    pub(in crate::projects) invitations: Repository<Invitation>,
    pub(in crate::projects) shown: Shown,
    pub(in crate::projects) access: Access,
}

impl GetInvitationHandler {
    /// The invitation, even after its end, and a version of it that is not newer.
    ///
    /// # Errors
    /// [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "projects.get_invitation", skip_all, fields(invitation = %query.invitation), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetInvitation) -> Result<(InvitationView, Version), Error> {
        let GetInvitation { project, invitation } = query;
        self.access.require(actor, project, Permission::MembersWrite).await?;
        let version = self.invitations.load(invitation).await?.version;
        let view = self.shown.one(invitation).await?;
        if view.record.project == project { Ok((view, version)) } else { Err(absent(invitation)) }
    }
}
