use std::sync::Arc;

use devskyy_domain::{
    identity::{DisplayName, Email, IdentityError, Password, PlatformRole, User},
    kernel::ids::{ProjectId, UserId},
    projects::{Project, ProjectName},
};

use super::{
    get_profile::user_view,
    invitations::INVITATION_SCOPE,
    ports::{Accounts, PasswordHasher, PrivateAccount, Profile, TokenMint, UserViews},
    views::UserView,
};
use crate::{
    context::Actor,
    error::Error,
    es::{Claim, ClaimChange, Created, EventStore, Idempotency, Precondition, Repository},
    ports::{Clock, IdGenerator},
};

/// The scope in which e-mails are unique: the whole platform.
pub(super) const EMAIL_SCOPE: &str = "user.email";

/// The keyed digest by which an e-mail is looked up and claimed.
#[must_use]
pub fn email_digest(mint: &dyn TokenMint, email: &Email) -> [u8; 32] {
    mint.keyed(EMAIL_SCOPE, email.as_str().as_bytes())
}

/// A person who is about to get an account.
pub(super) struct Enrolled {
    pub(super) email: Email,
    pub(super) password: Password,
    pub(super) name: DisplayName,
    pub(super) role: PlatformRole,
    /// Claimed for the new user in the same unit of work.
    pub(super) claim: Option<Claim>,
    pub(super) idempotency: Option<Idempotency>,
}

/// Opens accounts: first the private rows, then one append that makes them valid.
#[derive(Clone)]
pub(super) struct Enrolment {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) users: Arc<dyn UserViews>,
    pub(super) hasher: Arc<dyn PasswordHasher>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl Enrolment {
    pub(super) async fn enrol(&self, actor: &Actor, person: Enrolled) -> Result<UserView, Error> {
        let account = PrivateAccount {
            user: UserId::from(self.ids.next()),
            email_digest: email_digest(self.mint.as_ref(), &person.email),
            password: self.hasher.hash(&person.password).await?,
            email: person.email.clone(),
            name: person.name.clone(),
            created_at: self.clock.now(),
        };
        self.accounts.save(&account).await?;
        match self.record(actor, &account, person).await {
            Ok(created) if !created.replayed => self.view(created.id).await,
            Ok(created) => {
                self.withdraw(account.user).await;
                self.view(created.id).await
            }
            // The append may have been accepted without an answer: the rows stay, and the sweep decides later.
            Err(error) if !error.surely_refused() => Err(error),
            Err(error) => {
                self.withdraw(account.user).await;
                Err(error)
            }
        }
    }

    /// Returns the user an earlier identical request enrolled. Called when the repetition would be refused.
    pub(super) async fn enrolled_before(
        &self,
        actor: &Actor,
        idempotency: Option<Idempotency>,
        refused: Error,
    ) -> Result<UserView, Error> {
        let users = Repository::<User>::new(self.store.clone());
        let before = users.created_before(actor.event_context(None), idempotency.as_ref(), refused).await?;
        self.view(before.id).await
    }

    async fn record(&self, actor: &Actor, account: &PrivateAccount, person: Enrolled) -> Result<Created<User>, Error> {
        let (user, project) = (account.user, ProjectId::from(self.ids.next()));
        let events = User::default().register(person.role, project)?;
        let personal = Project::default().create(&ProjectName::personal(), user, true)?;
        let personal = Repository::<Project>::write(project, Precondition::NoStream, &personal)?;
        let claims = std::iter::once(email_claim(&account.email_digest)).chain(person.claim);
        let claims = claims.map(|claim| ClaimChange::Take { claim, owner: user.into() }).collect();
        Repository::<User>::new(self.store.clone())
            .create(actor.event_context(None), user, &events, claims, vec![personal], person.idempotency)
            .await
            .map_err(|error| match error {
                Error::ClaimTaken(claim) if claim.scope == EMAIL_SCOPE => IdentityError::EmailTaken.into(),
                Error::ClaimTaken(claim) if claim.scope == INVITATION_SCOPE => IdentityError::InvitationRefused.into(),
                Error::ClaimTaken(_) => IdentityError::BootstrapRefused.into(),
                other => other,
            })
    }

    async fn withdraw(&self, user: UserId) {
        if let Err(error) = self.accounts.remove(user).await {
            tracing::warn!(%error, "private rows without a user stay until the next sweep");
        }
    }

    async fn view(&self, user: UserId) -> Result<UserView, Error> {
        let profiles = self.accounts.profiles(&[user]).await?;
        let profile = profiles.into_iter().next().map(|(_, profile)| profile);
        let missing = || Error::NotFound(format!("user {user}"));
        let record = self.users.find(user).await?.ok_or_else(missing)?;
        let profile: Profile = profile.ok_or_else(missing)?;
        Ok(user_view(record, profile))
    }
}

/// The claim of an e-mail, by its keyed hash.
#[must_use]
pub fn email_claim(digest: &[u8]) -> Claim {
    Claim { scope: EMAIL_SCOPE.to_owned(), value: hex(digest) }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
