use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    identity::{Accounts, TokenMint, UserViews, email_digest},
    projects::{Directory, Person},
};
use devskyy_domain::{identity::Email, kernel::ids::UserId};

/// A directory of registered users.
#[derive(Clone)]
pub struct AccountDirectory {
    users: Arc<dyn UserViews>,
    accounts: Arc<dyn Accounts>,
    mint: Arc<dyn TokenMint>,
}

impl AccountDirectory {
    /// Creates the directory from its ports.
    #[must_use]
    pub fn new(users: Arc<dyn UserViews>, accounts: Arc<dyn Accounts>, mint: Arc<dyn TokenMint>) -> Self {
        Self { users, accounts, mint }
    }
}

#[async_trait]
impl Directory for AccountDirectory {
    async fn find_by_email(&self, email: &Email) -> Result<Option<UserId>, PortError> {
        let digest = email_digest(self.mint.as_ref(), email);
        for candidate in self.accounts.find_by_email(&digest).await? {
            if self.users.find(candidate.user).await?.is_some() {
                return Ok(Some(candidate.user));
            }
        }
        Ok(None)
    }

    async fn people(&self, users: &[UserId]) -> Result<Vec<Person>, PortError> {
        let mut people = Vec::with_capacity(users.len());
        for (id, profile) in self.accounts.profiles(users).await? {
            // Rows without a registered user remain from a failed registration.
            if let Some(record) = self.users.find(id).await? {
                people.push(Person { id, email: profile.email, name: profile.name, since: record.created_at });
            }
        }
        Ok(people)
    }
}
