use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{identity::User, kernel::ids::UserId};

use super::change_ports::{AccountChanges, Unrecorded, UnrecordedChange};
use crate::{
    error::Error,
    es::{ActorName, EventContext, Idempotency, Repository},
    ports::{Clock, IdGenerator},
};

/// Age from which a change without an event is recorded here; requests in progress record their own.
const OVERDUE: TimeDelta = TimeDelta::minutes(1);

/// Records password changes.
///
/// Events hold no password hash, so it is written beside the log, together with a mark that its event is missing. The
/// mark is cleared when the event is recorded. After a crash or a failure of the log it remains, and the event is
/// recorded later: before the user's next change, or by housekeeping.
#[derive(Clone)]
pub struct PasswordRecording {
    pub(super) users: Repository<User>,
    pub(super) changes: Arc<dyn AccountChanges>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl PasswordRecording {
    /// Records the changes whose events are missing. Returns how many. A failure does not prevent the others.
    ///
    /// # Errors
    /// The first failure.
    pub async fn complete(&self) -> Result<u64, Error> {
        let (mut recorded, mut failure) = (0, None);
        let overdue = Unrecorded::Before(self.clock.now() - OVERDUE);
        for UnrecordedChange { user, at } in self.changes.unrecorded(overdue).await? {
            match self.record(self.context(user), user, at).await {
                Ok(()) => recorded += 1,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(recorded), Err)
    }

    /// Records a user's last change if its event is missing.
    ///
    /// # Errors
    /// A failure of the log or of the private rows.
    pub(super) async fn catch_up(&self, user: UserId) -> Result<(), Error> {
        for UnrecordedChange { user, at } in self.changes.unrecorded(Unrecorded::Of(user)).await? {
            self.record(self.context(user), user, at).await?;
        }
        Ok(())
    }

    /// Records a change, exactly once however often it is called.
    ///
    /// # Errors
    /// A failure of the log or of the private rows.
    pub(super) async fn record(&self, context: EventContext, user: UserId, at: DateTime<Utc>) -> Result<(), Error> {
        let decide = |person: &User| match person {
            // Erased since; no further events are recorded.
            User::Erased => Ok(vec![]),
            person => person.change_password(),
        };
        self.users.update_once(context, user, None, Some(once(user, at)), decide).await?;
        Ok(self.changes.recorded(user, at).await?)
    }

    /// Only users themselves change their password.
    fn context(&self, user: UserId) -> EventContext {
        let id = self.ids.next();
        let actor = ActorName::User(user).to_string();
        EventContext { actor, project: None, correlation_id: id, causation_id: id, source: None, traceparent: None }
    }
}

/// The idempotency key of a change. Clients cannot send one with a space.
fn once(user: UserId, at: DateTime<Utc>) -> Idempotency {
    let key = format!("password changed {}", at.timestamp_micros());
    Idempotency { scope: user.into(), key, fingerprint: [0; 32] }
}
