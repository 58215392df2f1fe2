//! Compares the claimed unique values with their holders according to the log.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Claim, Position, RecordedEvent},
};
use devskyy_domain::kernel::Aggregate;
use futures_util::TryStreamExt as _;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, StreamTrait as _};
use uuid::Uuid;

use super::{super::statements::statement, Fault, Law};
use crate::sql::Port;

/// The holder of a unique value, according to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The owner.
    pub owner: Uuid,
    /// What it holds.
    pub holds: Holding,
    /// The event since which it holds it.
    pub position: Position,
}

/// What the log reveals about a unique value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// This value is held.
    This(Claim),
    /// At most one value of this scope is held; the log does not reveal which, nor whether there is one.
    AtMostOne(&'static str),
}

/// Derives the holders of unique values from the events of one kind of aggregate.
#[async_trait]
pub trait Holders: Send {
    /// The kind of aggregate.
    fn category(&self) -> &'static str;

    /// Applies the next event of that kind.
    ///
    /// # Errors
    /// [`PortError`] when the event cannot be decoded.
    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError>;

    /// All holders, according to the log and the private data beside it.
    ///
    /// # Errors
    /// [`PortError`] when that data cannot be read.
    async fn holders(self: Box<Self>, live: &DatabaseTransaction) -> Result<Vec<Holder>, PortError>;
}

/// The unique value of each aggregate of a kind, if its events alone determine it.
pub struct HeldByEach<A: Aggregate> {
    after: fn(Option<Claim>, &A::Event) -> Option<Claim>,
    held: HashMap<Uuid, (Claim, Position)>,
}

impl<A: Aggregate> HeldByEach<A> {
    /// Derives the value after an event from the value before it and the event.
    #[must_use]
    pub fn following(after: fn(Option<Claim>, &A::Event) -> Option<Claim>) -> Self {
        Self { after, held: HashMap::new() }
    }
}

#[async_trait]
impl<A: Aggregate> Holders for HeldByEach<A> {
    fn category(&self) -> &'static str {
        A::CATEGORY
    }

    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError> {
        let fact = event.decode::<A::Event>()?;
        let (before, since) = self.held.remove(&event.stream_id).unzip();
        if let Some(claim) = (self.after)(before.clone(), &fact) {
            let kept = since.filter(|_| before.as_ref() == Some(&claim));
            self.held.insert(event.stream_id, (claim, kept.unwrap_or(event.position)));
        }
        Ok(())
    }

    async fn holders(self: Box<Self>, _live: &DatabaseTransaction) -> Result<Vec<Holder>, PortError> {
        let holder = |(owner, (claim, position))| Holder { owner, holds: Holding::This(claim), position };
        Ok(self.held.into_iter().map(holder).collect())
    }
}

/// Every held unique value is claimed by its holder, and no other value is claimed.
pub struct ClaimLaw {
    all: Vec<Box<dyn Holders>>,
    categories: Vec<&'static str>,
}

impl ClaimLaw {
    /// The law over all holders.
    #[must_use]
    pub fn over(all: Vec<Box<dyn Holders>>) -> Self {
        Self { categories: all.iter().map(|holders| holders.category()).collect(), all }
    }
}

#[async_trait]
impl Law for ClaimLaw {
    fn categories(&self) -> &[&'static str] {
        &self.categories
    }

    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError> {
        let mut of_kind = self.all.iter_mut().filter(|holders| holders.category() == event.category);
        of_kind.try_for_each(|holders| holders.hear(event))
    }

    async fn conclude(self: Box<Self>, live: &DatabaseTransaction) -> Result<Vec<Fault>, PortError> {
        let mut expected = Expected::default();
        for holders in self.all {
            holders.holders(live).await?.into_iter().for_each(|holder| expected.add(holder));
        }
        let faults = expected.compare(live).await;
        faults.map_err(Port("verification").failed("reading unique values"))
    }
}

#[derive(Default)]
struct Expected {
    these: BTreeMap<Claim, (Uuid, Position)>,
    /// Scopes of which an owner may hold one value.
    any: HashMap<Uuid, Vec<&'static str>>,
    faults: Vec<Fault>,
}

impl Expected {
    fn add(&mut self, Holder { owner, holds, position }: Holder) {
        match holds {
            Holding::AtMostOne(scope) => self.any.entry(owner).or_default().push(scope),
            Holding::This(claim) => match self.these.remove(&claim) {
                None => {
                    self.these.insert(claim, (owner, position));
                }
                Some(other) => {
                    let ((before, first), (after, position)) =
                        if other.1 < position { (other, (owner, position)) } else { ((owner, position), other) };
                    let why = format!("a value of {} is {after}'s though it was {before}'s already", claim.scope);
                    self.faults.push(Fault::Claim { position: Some(position), why });
                    self.these.insert(claim, (before, first));
                }
            },
        }
    }

    /// Walks the claims in key order.
    async fn compare(mut self, live: &DatabaseTransaction) -> Result<Vec<Fault>, DbErr> {
        let sql = "SELECT scope, value, owner FROM es_claims ORDER BY scope, value";
        let mut rows = live.stream_raw(statement(ConnectionTrait::get_database_backend(live), sql, vec![])).await?;
        while let Some(row) = rows.try_next().await? {
            let claim = Claim { scope: row.try_get_by_index(0)?, value: row.try_get_by_index(1)? };
            // An owner that cannot be read counts as none.
            self.meet(&claim, row.try_get_by_index(2).ok());
        }
        let missing = |(claim, (holder, position)): (Claim, (Uuid, Position))| {
            let why = format!("a value of {} that is {holder}'s is not taken", claim.scope);
            Fault::Claim { position: Some(position), why }
        };
        self.faults.extend(self.these.into_iter().map(missing));
        Ok(self.faults)
    }

    /// Values are not reported, because some are derived from personal data.
    fn meet(&mut self, claim: &Claim, owner: Option<Uuid>) {
        let (scope, by) = (&claim.scope, owner.map_or("nobody".to_owned(), |owner| owner.to_string()));
        let (position, why) = match self.these.remove(claim) {
            Some((holder, _)) if owner == Some(holder) => return,
            Some((holder, position)) => {
                (Some(position), format!("a value of {scope} that is {holder}'s is taken by {by}"))
            }
            None if owner.is_some_and(|owner| self.free(scope, owner)) => return,
            None => (None, format!("a value of {scope} is taken by {by}, who does not hold it")),
        };
        self.faults.push(Fault::Claim { position, why });
    }

    /// Whether an owner may hold a value of a scope and has not been matched to one yet.
    fn free(&mut self, scope: &str, owner: Uuid) -> bool {
        let Some(scopes) = self.any.get_mut(&owner) else { return false };
        let known = scopes.iter().position(|of| *of == scope);
        known.map(|index| scopes.swap_remove(index)).is_some()
    }
}
