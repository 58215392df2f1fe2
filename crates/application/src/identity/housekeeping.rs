use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{keys::KeyVault, ports::Accounts};
use crate::{error::PortError, ports::Clock};

/// Age at which private rows and secrets without an event are orphaned; the append that refers to them takes seconds.
const ORPHANED: TimeDelta = TimeDelta::days(1);
/// How long sessions, invitations and attempts are kept after they end.
const ENDED: TimeDelta = TimeDelta::days(1);
/// How long the recipient of a project invitation is kept; it can be accepted for a week.
const INVITED: TimeDelta = TimeDelta::days(8);
/// How long idempotency keys are kept.
const REMEMBERED: TimeDelta = TimeDelta::days(14);

/// Rows that become obsolete with time.
#[async_trait]
pub trait Perishable: Send + Sync {
    /// Deletes the rows that became obsolete before an instant. Returns how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// The ports of housekeeping.
#[derive(Clone)]
pub struct HousekeepingPorts {
    /// Private rows; those that no event refers to are deleted.
    pub accounts: Arc<dyn Accounts>,
    /// Digests of API keys' secrets; those that no event refers to are deleted.
    pub vault: Arc<dyn KeyVault>,
    /// Sessions with their refresh tokens, by their end.
    pub sessions: Arc<dyn Perishable>,
    /// Invitations to open an account, by their end.
    pub invitations: Arc<dyn Perishable>,
    /// Recipients of project invitations, by their creation.
    pub addressees: Arc<dyn Perishable>,
    /// Attempts, by the end of their window, and known sources, by their expiry.
    pub attempts: Arc<dyn Perishable>,
    /// Idempotency keys, by their use.
    pub used_keys: Arc<dyn Perishable>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The number of rows a pass deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Users' private rows.
    pub accounts: u64,
    /// Digests of secrets.
    pub secrets: u64,
    /// Sessions.
    pub sessions: u64,
    /// Invitations to open an account.
    pub invitations: u64,
    /// E-mails of project invitations.
    pub addressees: u64,
    /// Attempts and known sources.
    pub attempts: u64,
    /// Idempotency keys.
    pub used_keys: u64,
}

/// Deletes obsolete rows. Several processes may do so concurrently.
pub struct Housekeeping(HousekeepingPorts);

impl Housekeeping {
    /// Creates housekeeping from its ports.
    #[must_use]
    pub const fn new(ports: HousekeepingPorts) -> Self {
        Self(ports)
    }

    /// Sweeps everything once. A sweep that fails does not prevent the others.
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
