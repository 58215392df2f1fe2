//! Projects and their members.

mod add_member;
mod change_member_role;
mod change_project;
mod create_project;
mod get_member;
mod get_project;
mod invitations;
mod list_members;
mod list_projects;
mod ports;
mod project_history;
mod published;
mod remove_member;
mod views;

use std::sync::Arc;

pub use add_member::{AddMember, AddMemberHandler, PersonRef};
pub use change_member_role::{ChangeMemberRole, ChangeMemberRoleHandler};
pub use change_project::{ChangeProject, ChangeProjectHandler, ProjectChange};
pub use create_project::{CreateProject, CreateProjectHandler};
use devskyy_domain::projects::{Invitation, Project};
pub use get_member::{GetMember, GetMemberHandler};
pub use get_project::{GetProject, GetProjectHandler};
use invitations::Shown;
pub use invitations::{
    Addressed, Addressees, AnswerInvitation, AnswerInvitationHandler, GetInvitation, GetInvitationHandler,
    InvitationRecord, InvitationStatus, InvitationView, InvitationViews, InviteMember, InviteMemberHandler,
    IssuedInvitation, LISTED, ListInvitationsHandler, WithdrawInvitation, WithdrawInvitationHandler,
};
pub use list_members::{ListMembers, ListMembersHandler};
pub use list_projects::{ListProjects, ListProjectsHandler};
pub use ports::{Directory, Person, ProjectFilter, ProjectSort, ProjectViews};
pub use project_history::{ProjectHistory, ProjectHistoryHandler};
pub use remove_member::{RemoveMember, RemoveMemberHandler};
pub use views::{MemberRecord, MemberView, ProjectView};

use crate::{
    access::Access,
    es::{EventStore, Repository},
    ports::{Clock, IdGenerator},
};

/// The ports of the context.
#[derive(Clone)]
pub struct ProjectsPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Projects, derived from the log.
    pub views: Arc<dyn ProjectViews>,
    /// The directory of users.
    pub directory: Arc<dyn Directory>,
    /// Invitations, derived from the log.
    pub invitations: Arc<dyn InvitationViews>,
    /// The recipients of invitations.
    pub addressees: Arc<dyn Addressees>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Access rules.
    pub access: Access,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// The use cases of the context.
pub struct Projects {
    /// Creates a project.
    pub create: CreateProjectHandler,
    /// Lists the projects one may see.
    pub list: ListProjectsHandler,
    /// Returns one project.
    pub get: GetProjectHandler,
    /// Returns the history of a project.
    pub history: ProjectHistoryHandler,
    /// Renames, suspends, resumes, archives or transfers a project.
    pub change: ChangeProjectHandler,
    /// Lists a project's members.
    pub list_members: ListMembersHandler,
    /// Returns one member of a project.
    pub get_member: GetMemberHandler,
    /// Adds a person to a project.
    pub add_member: AddMemberHandler,
    /// Changes a member's role.
    pub change_member_role: ChangeMemberRoleHandler,
    /// Removes a member from a project.
    pub remove_member: RemoveMemberHandler,
    /// Invites a person into a project.
    pub invite_member: InviteMemberHandler,
    /// Lists open invitations.
    pub list_invitations: ListInvitationsHandler,
    /// Returns one invitation into a project.
    pub get_invitation: GetInvitationHandler,
    /// Accepts or declines an invitation.
    pub answer_invitation: AnswerInvitationHandler,
    /// Withdraws an invitation.
    pub withdraw_invitation: WithdrawInvitationHandler,
}

impl Projects {
    /// Creates the context from its ports.
    #[must_use]
    pub fn new(ports: ProjectsPorts) -> Self {
        let (invite_member, list_invitations) = (invite_member(&ports), list_invitations(&ports));
        let get_invitation = get_invitation(&ports);
        let (answer_invitation, withdraw_invitation) = (answer_invitation(&ports), withdraw_invitation(&ports));
        let ProjectsPorts { store, views, directory, access, ids, .. } = ports;
        let projects = Repository::<Project>::new(store);
        let get = GetProjectHandler { projects: projects.clone(), views: views.clone(), access: access.clone() };
        Self {
            create: CreateProjectHandler { projects: projects.clone(), get: get.clone(), ids },
            list: ListProjectsHandler { views: views.clone(), access: access.clone() },
            change: ChangeProjectHandler { projects: projects.clone(), views: views.clone(), access: access.clone() },
            history: ProjectHistoryHandler { projects: projects.clone(), get: get.clone() },
            get_member: GetMemberHandler { get: get.clone(), views: views.clone(), directory: directory.clone() },
            get,
            list_members: ListMembersHandler {
                views: views.clone(),
                directory: directory.clone(),
                access: access.clone(),
            },
            add_member: AddMemberHandler {
                projects: projects.clone(),
                views: views.clone(),
                directory: directory.clone(),
                access: access.clone(),
            },
            change_member_role: ChangeMemberRoleHandler {
                projects: projects.clone(),
                views: views.clone(),
                directory,
                access: access.clone(),
            },
            remove_member: RemoveMemberHandler { projects, access },
            invite_member,
            list_invitations,
            get_invitation,
            answer_invitation,
            withdraw_invitation,
        }
    }
}

fn shown(ports: &ProjectsPorts) -> Shown {
    Shown { views: ports.invitations.clone(), projects: ports.views.clone(), addressees: ports.addressees.clone() }
}

fn invite_member(ports: &ProjectsPorts) -> InviteMemberHandler {
    InviteMemberHandler {
        projects: Repository::<Project>::new(ports.store.clone()),
        invitations: Repository::<Invitation>::new(ports.store.clone()),
        addressees: ports.addressees.clone(),
        directory: ports.directory.clone(),
        shown: shown(ports),
        access: ports.access.clone(),
        clock: ports.clock.clone(),
        ids: ports.ids.clone(),
    }
}

fn list_invitations(ports: &ProjectsPorts) -> ListInvitationsHandler {
    ListInvitationsHandler {
        shown: shown(ports),
        directory: ports.directory.clone(),
        access: ports.access.clone(),
        clock: ports.clock.clone(),
    }
}

fn get_invitation(ports: &ProjectsPorts) -> GetInvitationHandler {
    GetInvitationHandler {
        invitations: Repository::<Invitation>::new(ports.store.clone()),
        shown: shown(ports),
        access: ports.access.clone(),
    }
}

fn answer_invitation(ports: &ProjectsPorts) -> AnswerInvitationHandler {
    AnswerInvitationHandler {
        store: ports.store.clone(),
        addressees: ports.addressees.clone(),
        directory: ports.directory.clone(),
        shown: shown(ports),
        clock: ports.clock.clone(),
    }
}

fn withdraw_invitation(ports: &ProjectsPorts) -> WithdrawInvitationHandler {
    WithdrawInvitationHandler {
        invitations: Repository::<Invitation>::new(ports.store.clone()),
        views: ports.invitations.clone(),
        addressees: ports.addressees.clone(),
        access: ports.access.clone(),
    }
}
