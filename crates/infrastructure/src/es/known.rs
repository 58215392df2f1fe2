//! The head of the log, as far as this process knows it.

use std::future::Future;

use devskyy_application::es::{LogHead, Position};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};
use tokio::sync::{Notify, watch};

use super::rows::hash;
use crate::sql::{sound_number, stored};

/// The newest event, and the hash that the log holds at the known position.
pub(super) const LOOK: &str = "SELECT e.position, e.hash, (SELECT k.hash FROM es_events k WHERE k.position = $1) \
     FROM es_events e ORDER BY e.position DESC LIMIT 1";

/// An event of the log, by place and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) position: Position,
    pub(super) hash: [u8; 32],
}

impl From<LogHead> for Mark {
    fn from(LogHead { position, hash, .. }: LogHead) -> Self {
        Self { position, hash }
    }
}

/// The result of a look at the log: its newest event, and the hash at the known position.
#[derive(Debug)]
pub(super) struct Found {
    newest: Mark,
    known: Option<[u8; 32]>,
}

impl Found {
    /// Converts the row of [`LOOK`]; there is none if the log is empty.
    pub(super) fn of(row: Option<(i64, Vec<u8>, Option<Vec<u8>>)>) -> Result<Self, DbErr> {
        let Some((position, newest, known)) = row else {
            return Ok(Self { newest: LogHead::default().into(), known: None });
        };
        let newest = Mark { position: sound_number(position)?, hash: hash(newest)? };
        Ok(Self { newest, known: known.map(hash).transpose()? })
    }

    fn read(row: Option<QueryResult>) -> Result<Self, DbErr> {
        let Some(row) = row else { return Self::of(None) };
        Self::of(Some((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?)))
    }
}

/// The newest event this process knows of, and how often it detected a rewind of the log.
///
/// A position is accepted only if the log is known to lead there from the known event: a log that lost its end and grew
/// again holds other events at the same positions, which no reader has seen.
pub(super) struct Known {
    seen: watch::Sender<Seen>,
    doubt: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    mark: Mark,
    rewinds: u64,
}

impl Known {
    pub(super) fn new(head: LogHead) -> Self {
        Self { seen: watch::Sender::new(Seen { mark: head.into(), rewinds: 0 }), doubt: Notify::new() }
    }

    pub(super) fn position(&self) -> Position {
        self.mark().position
    }

    pub(super) fn rewinds(&self) -> u64 {
        self.seen.borrow().rewinds
    }

    fn mark(&self) -> Mark {
        self.seen.borrow().mark
    }

    /// Waits until the known head is beyond a position, or the rewind count differs from the caller's.
    pub(super) async fn beyond(&self, position: Position, rewinds: u64) -> Position {
        let mut seen = self.seen.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let there = seen.wait_for(|seen| seen.mark.position > position || seen.rewinds != rewinds).await;
        there.map_or(position, |seen| seen.mark.position)
    }

    /// Updates the head from under the log's mutex. No other process can append then, so known events beyond it are
    /// lost.
    pub(super) fn under_the_mutex(&self, head: Mark) {
        let known = self.mark();
        if head.position < known.position || (head.position == known.position && head.hash != known.hash) {
            self.put_back(known, head);
        }
    }

    /// Records that one transaction extended the log from one event to another. If the first is not the known head, a
    /// look at the log is requested.
    pub(super) fn grown(&self, from: Mark, to: Mark) {
        let mut unproved = false;
        self.seen.send_if_modified(|seen| {
            let leads_on = seen.mark == from && to.position > from.position;
            unproved = seen.mark != from && seen.mark.position < to.position;
            if leads_on {
                seen.mark = to;
            }
            leads_on
        });
        if unproved {
            self.doubt.notify_one();
        }
    }

    /// Waits until a look at the log is requested.
    pub(super) async fn doubted(&self) {
        self.doubt.notified().await;
    }

    /// Reads the log's head. Returns whether it has changed.
    pub(super) async fn look(&self, connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
        self.look_with(|known| async move {
            let backend = connection.get_database_backend();
            let look = Statement::from_sql_and_values(backend, LOOK, [stored(known).into()]);
            Found::read(connection.query_one_raw(look).await?)
        })
        .await
    }

    /// Reads the log's head with the given function, which receives the known position and runs [`LOOK`].
    pub(super) async fn look_with<E, F: Future<Output = Result<Found, E>>>(
        &self,
        look: impl FnOnce(Position) -> F,
    ) -> Result<bool, E> {
        let Seen { mark: known, rewinds } = *self.seen.borrow();
        let found = look(known.position).await?;
        if known.position > 0 && found.known != Some(known.hash) {
            self.put_back(known, found.newest);
            return Ok(true);
        }
        let mut late = false;
        let grown = self.seen.send_if_modified(|seen| {
            late = seen.rewinds != rewinds;
            let grown = !late && found.newest.position > seen.mark.position;
            if grown {
                seen.mark = found.newest;
            }
            grown
        });
        // A result from before the rewind is outdated.
        if late {
            self.doubt.notify_one();
        }
        Ok(grown)
    }

    fn put_back(&self, known: Mark, newest: Mark) {
        let put_back = self.seen.send_if_modified(|seen| {
            // If the mark has changed meanwhile, a later look has already handled it.
            let still = seen.mark == known;
            if still {
                *seen = Seen { mark: newest, rewinds: seen.rewinds + 1 };
            }
            still
        });
        if put_back {
            tracing::error!(
                known = known.position,
                newest = newest.position,
                "the log was put back to an earlier state: events that were acknowledged are lost, and readers begin again \
                 where the log says they are"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::{Found, Known, Mark};
    use devskyy_application::es::LogHead;
    use futures_util::FutureExt as _;

    fn mark(position: u64, branch: u8) -> Mark {
        Mark { position, hash: [branch; 32] }
    }

    fn knowing(position: u64) -> Known {
        let known = Known::new(LogHead::default());
        known.grown(LogHead::default().into(), mark(position, 1));
        known
    }

    fn finding(known: &Known, newest: Mark, there: Option<u8>) {
        let found = Found { newest, known: there.map(|branch| [branch; 32]) };
        known.look_with(|_| async { Ok::<_, Infallible>(found) }).now_or_never().unwrap().unwrap();
    }

    fn state(known: &Known) -> (u64, u64) {
        (known.position(), known.rewinds())
    }

    #[test]
    fn a_log_that_leads_on_from_what_is_known_has_grown() {
        let known = knowing(5);
        finding(&known, mark(9, 1), Some(1));
        assert_eq!(state(&known), (9, 0));
    }

    #[test]
    fn a_log_that_ends_before_what_is_known_was_put_back() {
        let known = knowing(5);
        finding(&known, mark(3, 1), None);
        assert_eq!(state(&known), (3, 1));
    }

    #[test]
    fn a_log_that_grew_again_after_it_was_put_back_is_found_by_its_hash() {
        let known = knowing(5);
        finding(&known, mark(9, 2), Some(2));
        assert_eq!(state(&known), (9, 1));
    }

    /// A log that is rewound during a look at it.
    fn overtaken() -> Known {
        let known = knowing(5);
        let found = Found { newest: mark(9, 1), known: Some([1; 32]) };
        let looked = known.look_with(|_| async {
            known.under_the_mutex(mark(4, 1));
            Ok::<_, Infallible>(found)
        });
        looked.now_or_never().unwrap().unwrap();
        known
    }

    #[test]
    fn what_was_seen_before_the_log_was_put_back_raises_nothing() {
        assert_eq!(state(&overtaken()), (4, 1));
    }

    #[test]
    fn whoever_looked_while_the_log_was_put_back_has_somebody_look_again() {
        assert!(overtaken().doubted().now_or_never().is_some());
    }

    #[test]
    fn whoever_holds_the_mutex_and_finds_less_than_is_known_finds_a_log_that_was_put_back() {
        let known = knowing(5);
        known.under_the_mutex(mark(4, 1));
        assert_eq!(state(&known), (4, 1));
    }

    #[test]
    fn an_append_to_something_unknown_is_not_believed_before_somebody_looks() {
        let known = knowing(5);
        known.grown(mark(7, 2), mark(8, 2));
        assert!(known.position() == 5 && known.doubted().now_or_never().is_some());
    }

    #[test]
    fn a_reader_that_waits_is_woken_when_the_log_is_put_back() {
        let known = knowing(5);
        let mut waits = Box::pin(known.beyond(5, known.rewinds()));
        assert!(waits.as_mut().now_or_never().is_none());
        known.under_the_mutex(mark(4, 1));
        assert_eq!(waits.now_or_never(), Some(4));
    }

    #[test]
    fn a_reader_that_is_about_to_wait_when_the_log_is_put_back_does_not_wait() {
        let known = knowing(5);
        let (position, rewinds) = state(&known);
        known.under_the_mutex(mark(4, 1));
        assert_eq!(known.beyond(position, rewinds).now_or_never(), Some(4));
    }
}
