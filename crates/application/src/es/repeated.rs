//! Lookup of the results of repeated requests by idempotency key.

use devskyy_domain::kernel::Aggregate;
use uuid::Uuid;

use super::{
    append::{AppendError, AppendRequest, Appended, Idempotency, Precondition, StreamWrite},
    recorded::{EventContext, Position, StreamId},
    repository::{Created, Loaded, Repository, Updated},
};
use crate::error::{Error, PortError};

impl<A: Aggregate> Repository<A> {
    /// Returns what an earlier identical request created. Called when the repetition would be refused: the first result
    /// stands, whatever happened in between.
    ///
    /// # Errors
    /// `refused`, if there was no earlier request; [`Error::KeyReused`] if the key was used for another request; or a
    /// failure of the log.
    pub async fn created_before(
        &self,
        context: EventContext,
        idempotency: Option<&Idempotency>,
        refused: Error,
    ) -> Result<Created<A>, Error> {
        let appended = self.answered_before(context, idempotency, refused).await?;
        self.replayed(&appended).await
    }

    /// Returns an aggregate as an earlier identical request left it. Called when the repetition would be refused.
    ///
    /// # Errors
    /// As [`Repository::created_before`].
    pub async fn changed_before(
        &self,
        context: EventContext,
        id: A::Id,
        idempotency: Option<&Idempotency>,
        refused: Error,
    ) -> Result<Updated<A>, Error> {
        let appended = self.answered_before(context, idempotency, refused).await?;
        Ok(Updated { loaded: self.as_of(id, appended.last).await?, replayed: true })
    }

    /// Appends under a precondition that never holds. Only a repeated request gets past it, because the log checks the
    /// key first.
    async fn answered_before(
        &self,
        context: EventContext,
        idempotency: Option<&Idempotency>,
        refused: Error,
    ) -> Result<Appended, Error> {
        let Some(idempotency) = idempotency.filter(|_| outdated_by_an_answer(&refused)) else { return Err(refused) };
        let nothing = StreamId { category: A::CATEGORY, id: Uuid::max() };
        let never = StreamWrite { stream: nothing, precondition: Precondition::Exists, events: Vec::new() };
        let idempotency = Some(idempotency.clone());
        let request = AppendRequest { writes: vec![never], claims: Vec::new(), idempotency, context };
        match self.store.append(request).await {
            Ok(appended) => Ok(appended),
            Err(AppendError::Conflict { .. }) => Err(refused),
            Err(error) => Err(error.into()),
        }
    }

    /// The aggregate as of a position of the log.
    pub(super) async fn as_of(&self, id: A::Id, position: Position) -> Result<Loaded<A>, PortError> {
        let mut loaded = Loaded { state: A::default(), version: 0 };
        self.fold_while(id, &mut loaded, |event| event.position <= position).await?;
        Ok(loaded)
    }
}

/// Whether an earlier result overrides this refusal. Unauthorised and impossible requests are refused regardless.
const fn outdated_by_an_answer(refused: &Error) -> bool {
    match refused {
        Error::Refused(_)
        | Error::Invalid(_)
        | Error::StaleVersion { .. }
        | Error::Stale
        | Error::Contended
        | Error::ClaimTaken(_) => true,
        Error::Unauthenticated
        | Error::BadCredentials
        | Error::Forbidden
        | Error::Denied
        | Error::PeopleOnly
        | Error::NotFound(_)
        | Error::KeyReused
        | Error::TooManyAttempts { .. }
        | Error::Overloaded
        | Error::Unknown(_)
        | Error::Port(_) => false,
    }
}
