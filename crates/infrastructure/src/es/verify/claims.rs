//! Holds the unique values that are taken to what the log tells of those who hold them.

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

/// Somebody who holds a unique value, as the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub owner: Uuid,
    /// What.
    pub holds: Holding,
    /// The event since which.
    pub position: Position,
}

/// What is known of a unique value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// It is this one, and it is held.
    This(Claim),
    /// At most one of this scope; the log tells neither which nor whether.
    AtMostOne(&'static str),
}

/// Who holds unique values, by what happened to one kind of aggregate.
#[async_trait]
pub trait Holders: Send {
    /// The kind.
    fn category(&self) -> &'static str;

    /// Takes in the next event of that kind.
    ///
    /// # Errors
    /// [`PortError`] when the event cannot be understood.
    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError>;

    /// Everybody who holds one, as far as the log and the private data beside it say.
    ///
    /// # Errors
    /// [`PortError`] when that data cannot be read.
    async fn holders(self: Box<Self>, live: &DatabaseTransaction) -> Result<Vec<Holder>, PortError>;
}

/// The unique value that each aggregate of a kind holds, where its events alone tell which.
pub struct HeldByEach<A: Aggregate> {
    after: fn(Option<Claim>, &A::Event) -> Option<Claim>,
    held: HashMap<Uuid, (Claim, Position)>,
}

impl<A: Aggregate> HeldByEach<A> {
    /// Follows what one holds by what it held before an event, and the event.
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

/// Exactly those unique values are taken that somebody holds, each by its holder.
pub struct ClaimLaw {
    all: Vec<Box<dyn Holders>>,
    categories: Vec<&'static str>,
}

impl ClaimLaw {
    /// The law over everybody who holds unique values.
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
    /// Scopes of which an owner may hold a value.
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

    /// Goes through what is taken, in the order of its keys.
    async fn compare(mut self, live: &DatabaseTransaction) -> Result<Vec<Fault>, DbErr> {
        let sql = "SELECT scope, value, owner FROM es_claims ORDER BY scope, value";
        let mut rows = live.stream_raw(statement(ConnectionTrait::get_database_backend(live), sql, vec![])).await?;
        while let Some(row) = rows.try_next().await? {
            let claim = Claim { scope: row.try_get_by_index(0)?, value: row.try_get_by_index(1)? };
            // There is no owner where that cannot be read.
            self.meet(&claim, row.try_get_by_index(2).ok());
        }
        let missing = |(claim, (holder, position)): (Claim, (Uuid, Position))| {
            let why = format!("a value of {} that is {holder}'s is not taken", claim.scope);
            Fault::Claim { position: Some(position), why }
        };
        self.faults.extend(self.these.into_iter().map(missing));
        Ok(self.faults)
    }

    /// Values are not told: some are made of what is personal.
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

    /// Whether somebody may hold one of a scope and holds no other.
    fn free(&mut self, scope: &str, owner: Uuid) -> bool {
        let Some(scopes) = self.any.get_mut(&owner) else { return false };
        let known = scopes.iter().position(|of| *of == scope);
        known.map(|index| scopes.swap_remove(index)).is_some()
    }
}
