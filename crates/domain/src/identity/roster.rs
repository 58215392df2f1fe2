use serde::{Deserialize, Serialize};

use super::error::IdentityError;
use crate::kernel::{
    Aggregate, Decision,
    ids::{RosterId, UserId},
};

/// Somebody is about to run the platform no longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdministratorLeft {
    /// Who.
    pub user: UserId,
}

crate::first_version! {
    AdministratorLeft = "roster.administrator_left",
}

crate::event_set! {
    /// What can happen to those who run the platform, taken together.
    pub enum RosterEvent {
        /// Somebody is about to run the platform no longer.
        AdministratorLeft(AdministratorLeft),
    }
}

/// Those who run the platform, taken together: whoever leaves writes here, so that of two who leave at once the second
/// counts again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roster;

impl Roster {
    /// Lets one administrator go, of as many as there are.
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
