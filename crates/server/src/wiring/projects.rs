//! Wiring of projects, their members and invitations.

use std::sync::Arc;

use devskyy_application::{
    identity::TokenMint,
    projects::{Projects, ProjectsPorts},
};
use devskyy_infrastructure::{
    identity::{AccountDirectory, SqlAccounts, SqlAddressees, SqlUsers},
    projects::{SqlProjectInvitations, SqlProjects},
};

use super::Ground;

pub(super) fn projects(ground: &Ground, mint: Arc<dyn TokenMint>) -> Projects {
    let Ground { database, clock, ids, access, .. } = ground.clone();
    let (users, accounts) = (Arc::new(SqlUsers::new(database.clone())), Arc::new(SqlAccounts::new(database.clone())));
    Projects::new(ProjectsPorts {
        store: ground.audited(),
        views: Arc::new(SqlProjects::new(database.clone())),
        directory: Arc::new(AccountDirectory::new(users, accounts, mint.clone())),
        invitations: Arc::new(SqlProjectInvitations::new(database.clone())),
        addressees: Arc::new(SqlAddressees::new(database, mint)),
        clock,
        access,
        ids,
    })
}
