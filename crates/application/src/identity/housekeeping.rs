use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{keys::KeyVault, ports::Accounts};
use crate::{error::PortError, ports::Clock};

/// Age of private rows and secrets that no event refers to; the append that would refer to them takes seconds.
const ORPHANED: TimeDelta = TimeDelta::days(1);
/// How long sign-ins, invitations and attempts are kept after their end.
const ENDED: TimeDelta = TimeDelta::days(1);
/// How long it is kept for whom an invitation into a project is; it can be accepted for a week.
const INVITED: TimeDelta = TimeDelta::days(8);
/// How long idempotency keys are remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(14);

/// Keeps rows that time takes the meaning from.
#[async_trait]
pub trait Perishable: Send + Sync {
    /// Deletes the rows that had lost their meaning before an instant, and says how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// Whatever is swept now and then.
#[derive(Clone)]
pub struct HousekeepingPorts {
    /// Private rows, of which those go that no event refers to.
    pub accounts: Arc<dyn Accounts>,
    /// Digests of API keys' secrets, of which those go that no event refers to.
    pub vault: Arc<dyn KeyVault>,
    /// Sign-ins with their refresh tokens, by their end.
    pub sessions: Arc<dyn Perishable>,
    /// Invitations to open an account, by their end.
    pub invitations: Arc<dyn Perishable>,
    /// For whom invitations into projects are, by their beginning.
    pub addressees: Arc<dyn Perishable>,
    /// Attempts by the end of their window, and known sources by the end of their being known.
    pub attempts: Arc<dyn Perishable>,
    /// Idempotency keys, by their use.
    pub used_keys: Arc<dyn Perishable>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// How many rows a pass removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// People's private rows.
    pub accounts: u64,
    /// Digests of secrets.
    pub secrets: u64,
    /// Sign-ins.
    pub sessions: u64,
    /// Invitations to open an account.
    pub invitations: u64,
    /// E-mails of invitations into projects.
    pub addressees: u64,
    /// Attempts and known sources.
    pub attempts: u64,
    /// Idempotency keys.
    pub used_keys: u64,
}

/// Removes what has lost its meaning. Several processes may do so at once: what is gone is gone.
pub struct Housekeeping(HousekeepingPorts);

impl Housekeeping {
    /// Housekeeping over its ports.
    #[must_use]
    pub const fn new(ports: HousekeepingPorts) -> Self {
        Self(ports)
    }

    /// Sweeps everything once. One sweep that fails keeps no other from being made.
    ///
    /// # Errors
    /// The first failing port.
    #[tracing::instrument(name = "identity.housekeeping", skip_all, err(Debug))]
    pub async fn pass(&self) -> Result<Swept, PortError> {
        let HousekeepingPorts { accounts, vault, sessions, invitations, addressees, attempts, used_keys, clock } =
            &self.0;
        let now = clock.now();
        let accounts = accounts.sweep(now - ORPHANED).await;
        let secrets = vault.sweep(now - ORPHANED).await;
        let sessions = sessions.sweep(now - ENDED).await;
        let invitations = invitations.sweep(now - ENDED).await;
        let addressees = addressees.sweep(now - INVITED).await;
        let attempts = attempts.sweep(now - ENDED).await;
        let used_keys = used_keys.sweep(now - REMEMBERED).await;
        Ok(Swept {
            accounts: accounts?,
            secrets: secrets?,
            sessions: sessions?,
            invitations: invitations?,
            addressees: addressees?,
            attempts: attempts?,
            used_keys: used_keys?,
        })
    }
}
