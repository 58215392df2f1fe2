use std::sync::Arc;

use devskyy_domain::{
    kernel::ids::{InvitationId, ProjectId},
    projects::Invitation,
};

use super::{
    list_invitations::absent,
    ports::{Addressees, InvitationViews},
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::Repository,
};

/// A request to withdraw an invitation.
#[derive(Debug)]
pub struct WithdrawInvitation {
    /// The project.
    pub project: ProjectId,
    /// The invitation.
    pub invitation: InvitationId,
}

/// Withdraws invitations.
pub struct WithdrawInvitationHandler {
    pub(in crate::projects) invitations: Repository<Invitation>,
    pub(in crate::projects) views: Arc<dyn InvitationViews>,
    pub(in crate::projects) addressees: Arc<dyn Addressees>,
    pub(in crate::projects) access: Access,
}

impl WithdrawInvitationHandler {
    /// Withdraws the invitation and deletes its recipient. Requires the same permission as inviting.
    ///
    /// # Errors
    /// [`devskyy_domain::projects::InvitationError`], [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "projects.withdraw_invitation", skip_all, fields(invitation = %command.invitation), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: WithdrawInvitation) -> Result<(), Error> {
        let WithdrawInvitation { project, invitation } = command;
        self.access.require(actor, project, Permission::MembersWrite).await?;
        let record = self.views.find(&[invitation]).await?.pop().filter(|record| record.project == project);
        let record = record.ok_or_else(|| absent(invitation))?;
        self.access.require(actor, project, Permission::to_give(record.role)).await?;
        let context = actor.event_context(Some(project));
        self.invitations.update(context, invitation, None, Invitation::withdraw).await?;
        self.addressees.remove(invitation).await?;
        Ok(())
    }
}
