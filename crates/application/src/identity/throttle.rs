use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{identity::Email, kernel::ids::SessionId};

use super::{
    attempts::{AttemptKey, Attempts, Charge, Charged, KNOWN_FOR, Spent},
    ports::TokenMint,
};
use crate::{
    context::{self, Actor},
    error::Error,
    ports::Clock,
};

/// Failure limit of a source known to an account, as a multiple of the limit for strangers.
const KNOWN: u32 = 4;
/// Failures of all strangers with one account, as a multiple of a stranger's limit, beyond which each has one attempt.
const PRESSURE: u32 = 10;
/// Bytes of a presented e-mail that distinguish accounts.
const LONGEST_ACCOUNT: usize = 256;

/// Limits of attempts per window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// Duration of a window, from its first attempt.
    pub window: TimeDelta,
    /// Failed sign-ins from one address, across all accounts.
    pub source: u32,
    /// Failed sign-ins with one account from one address.
    pub account: u32,
    /// Successful sign-ins with one account from one address.
    pub sign_ins: u32,
    /// Registrations from one address.
    pub registrations: u32,
    /// Password changes within one session.
    pub password_changes: u32,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        let window = TimeDelta::minutes(15);
        Self { window, source: 100, account: 5, sign_ins: 300, registrations: 60, password_changes: 10 }
    }
}

/// An attempt that was charged in advance, both as a failure and as a success.
#[derive(Debug)]
pub(super) struct Attempt {
    failed: Vec<AttemptKey>,
    succeeded: AttemptKey,
    source: AttemptKey,
}

/// Throttles attempts before they cost a hash.
///
/// The limits depend on the address and the presented e-mail, never on whether the account exists.
#[derive(Clone)]
pub(super) struct Throttle {
    pub(super) attempts: Arc<dyn Attempts>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: ThrottleLimits,
}

impl Throttle {
    /// Charges a sign-in both as a failure and as a success, until the outcome is known. Successes are limited too,
    /// because each costs a hash that others wait for.
    pub(super) async fn sign_in(&self, actor: &Actor, email: &str) -> Result<Attempt, Error> {
        let (network, account) = (network(actor.source), account(email));
        let pair = format!("{account}\n{network}");
        let source = self.key("known-source", &pair);
        let now = self.clock.now();
        let known = self.attempts.last_seen(&source).await?.is_some_and(|seen| now - seen < KNOWN_FOR);
        let own = self.key(if known { "sign-in.known" } else { "sign-in.stranger" }, &pair);
        let succeeded = self.key("sign-in.success", &pair);
        let mut charges = vec![self.allow(succeeded, self.limits.sign_ins)];
        if known {
            charges.push(self.allow(own, self.limits.account.saturating_mul(KNOWN)));
        } else {
            let from_network = self.allow(self.key("sign-in.network", &network), self.limits.source);
            // Counted without a limit: exhausting one would lock out the owner.
            let of_strangers = self.allow(self.key("sign-in.account", &account), u32::MAX);
            charges.extend([from_network, of_strangers, self.allow(own, self.limits.account)]);
        }
        let spent = self.charge(&charges).await?;
        let failed = charges.iter().skip(1).map(|charge| charge.allowance).collect();
        let attempt = Attempt { failed, succeeded, source };
        if let [_, _, strangers, pair] = spent.as_slice() {
            let besieged = strangers.count > self.limits.account.saturating_mul(PRESSURE);
            if besieged && pair.count > 1 {
                self.failed(&attempt).await;
                return Err(wait(pair.until, now));
            }
        }
        Ok(attempt)
    }

    /// Refunds the failure and remembers the source.
    pub(super) async fn succeeded(&self, attempt: &Attempt) -> Result<(), Error> {
        self.attempts.refund(&attempt.failed).await?;
        Ok(self.attempts.remember(&attempt.source, self.clock.now()).await?)
    }

    /// Refunds the success.
    pub(super) async fn failed(&self, attempt: &Attempt) {
        self.give_back(&[attempt.succeeded]).await;
    }

    /// Refunds both, because the attempt was not judged.
    pub(super) async fn withdraw(&self, attempt: &Attempt) {
        self.give_back(&[attempt.failed.as_slice(), &[attempt.succeeded]].concat()).await;
    }

    async fn give_back(&self, allowances: &[AttemptKey]) {
        if let Err(error) = self.attempts.refund(allowances).await {
            tracing::warn!(%error, "an attempt stays counted for what it was not until its window ends");
        }
    }

    /// Charges a registration.
    pub(super) async fn register(&self, actor: &Actor) -> Result<(), Error> {
        let key = self.key("registration.network", &network(actor.source));
        self.charge(&[self.allow(key, self.limits.registrations)]).await.map(|_| ())
    }

    /// Charges a password change. By session, so that a stolen one does not lock out the user elsewhere.
    pub(super) async fn change_password(&self, session: SessionId) -> Result<(), Error> {
        let key = self.key("password-change.session", &session.to_string());
        self.charge(&[self.allow(key, self.limits.password_changes)]).await.map(|_| ())
    }

    async fn charge(&self, charges: &[Charge]) -> Result<Vec<Spent>, Error> {
        let now = self.clock.now();
        match self.attempts.charge(charges, now).await? {
            Charged::Within(spent) => Ok(spent),
            Charged::Exhausted { until } => Err(wait(until, now)),
        }
    }

    fn allow(&self, allowance: AttemptKey, most: u32) -> Charge {
        Charge { allowance, most, window: self.limits.window }
    }

    fn key(&self, purpose: &str, value: &str) -> AttemptKey {
        self.mint.keyed(purpose, value.as_bytes())
    }
}

fn wait(until: DateTime<Utc>, now: DateTime<Utc>) -> Error {
    let seconds = (until - now).num_milliseconds().max(0).unsigned_abs().div_ceil(1_000).max(1);
    Error::TooManyAttempts { wait_s: seconds }
}

/// The network of an address: the holder of one IPv6 address has its whole /64.
fn network(source: Option<IpAddr>) -> String {
    match source {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(source @ IpAddr::V6(_)) => format!("{}/64", context::network(source)),
        None => "unknown".to_owned(),
    }
}

/// A canonical name of an account, also for texts that are no e-mail.
fn account(email: &str) -> String {
    match Email::parse(email) {
        Ok(email) => email.as_str().to_owned(),
        Err(_) => {
            let nonsense = email.trim().to_lowercase();
            let end = nonsense.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST_ACCOUNT).last();
            nonsense.get(..end.unwrap_or_default()).unwrap_or_default().to_owned()
        }
    }
}
