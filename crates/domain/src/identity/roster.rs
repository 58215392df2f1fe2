use serde::{Deserialize, Serialize};

use super::error::IdentityError;
use crate::kernel::{
    Aggregate, Decision,
    ids::{RosterId, UserId},
};

/// An administrator is about to lose that role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdministratorLeft {
    /// The administrator.
    pub user: UserId,
}

crate::first_version! {
    AdministratorLeft = "roster.administrator_left",
}

crate::event_set! {
    /// What can happen to the group of administrators.
    pub enum RosterEvent {
        /// An administrator is about to lose that role.
        AdministratorLeft(AdministratorLeft),
    }
}

/// The group of all administrators: each one who leaves is recorded in this stream, so that of two who leave at once
/// the second is checked again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roster;

impl Roster {
    /// Lets one of `administrators` administrators leave.
    ///
    /// # Errors
    /// [`IdentityError::LastAdministrator`] when they are the only one.
    pub fn let_go(&self, user: UserId, administrators: u64) -> Decision<Self> {
        if administrators > 1 {
            Ok(vec![AdministratorLeft { user }.into()])
        } else {
            Err(IdentityError::LastAdministrator)
        }
    }
}

impl Aggregate for Roster {
    const CATEGORY: &'static str = "roster";
    type Id = RosterId;
    type Event = RosterEvent;
    type Error = IdentityError;

    fn apply(&mut self, _event: &RosterEvent) {}
}
