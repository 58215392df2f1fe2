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

/// How often a source that is known to an account may fail, as a multiple of what strangers may.
const KNOWN: u32 = 4;
/// Failures of strangers with one account, as a multiple of what one may, from which on each has a single attempt.
const PRESSURE: u32 = 10;
/// Bytes of what is presented as an e-mail that tell one account from another.
const LONGEST_ACCOUNT: usize = 256;

/// How much may be tried before somebody has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// How long after the first attempt all is forgotten.
    pub window: TimeDelta,
    /// Failed sign-ins from one address, whatever the accounts.
    pub source: u32,
    /// Failed sign-ins with one account from one address.
    pub account: u32,
    /// Sign-ins with one account from one address that succeed.
    pub sign_ins: u32,
    /// Accounts opened from one address.
    pub registrations: u32,
    /// Changes of the password within one sign-in.
    pub password_changes: u32,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        let window = TimeDelta::minutes(15);
        Self { window, source: 100, account: 5, sign_ins: 300, registrations: 60, password_changes: 10 }
    }
}

/// An attempt that was counted in advance, both as a failure and as a success.
#[derive(Debug)]
pub(super) struct Attempt {
    failed: Vec<AttemptKey>,
    succeeded: AttemptKey,
    source: AttemptKey,
}

/// Makes people wait who have tried too much, before it costs a hash.
///
/// Who waits depends on the address and on what was presented as an e-mail, never on whether there is such an account.
#[derive(Clone)]
pub(super) struct Throttle {
    pub(super) attempts: Arc<dyn Attempts>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: ThrottleLimits,
}

impl Throttle {
    /// Counts a sign-in, until it is known how it ended, as both. Whoever knows the password is bounded too, for each of their
    /// sign-ins costs a hash that others wait for.
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
            // Counted without a limit: whoever exhausted it would lock the owner out.
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

    /// The attempt was no failure, and the source is known from now on.
    pub(super) async fn succeeded(&self, attempt: &Attempt) -> Result<(), Error> {
        self.attempts.refund(&attempt.failed).await?;
        Ok(self.attempts.remember(&attempt.source, self.clock.now()).await?)
    }

    /// The attempt was no success.
    pub(super) async fn failed(&self, attempt: &Attempt) {
        self.give_back(&[attempt.succeeded]).await;
    }

    /// The attempt was not judged at all.
    pub(super) async fn withdraw(&self, attempt: &Attempt) {
        self.give_back(&[attempt.failed.as_slice(), &[attempt.succeeded]].concat()).await;
    }

    async fn give_back(&self, allowances: &[AttemptKey]) {
        if let Err(error) = self.attempts.refund(allowances).await {
            tracing::warn!(%error, "an attempt stays counted for what it was not until its window ends");
        }
    }

    /// Counts an account that is about to be opened.
    pub(super) async fn register(&self, actor: &Actor) -> Result<(), Error> {
        let key = self.key("registration.network", &network(actor.source));
        self.charge(&[self.allow(key, self.limits.registrations)]).await.map(|_| ())
    }

    /// Counts a change of the password. By sign-in, so that a stolen one does not keep its owner from it elsewhere.
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

/// Whoever holds one IPv6 address holds the 64 bits below its network.
fn network(source: Option<IpAddr>) -> String {
    match source {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(source @ IpAddr::V6(_)) => format!("{}/64", context::network(source)),
        None => "unknown".to_owned(),
    }
}

/// One name for everything that signs in to the same account, also where there can be no such account.
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
