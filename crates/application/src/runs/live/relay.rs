//! Announces local subscriptions to other processes, and sends them the deltas they subscribe to.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, future::select, select_biased};

use super::{
    LiveRuns,
    wire::{LiveLine, LiveMessage, LiveWire},
};
use crate::{error::PortError, ports::Clock};

/// Minimum interval between two sends; deltas in between are sent together.
const BETWEEN: Duration = Duration::from_millis(100);
/// Interval at which local subscriptions are announced again.
const REMINDER: Duration = Duration::from_secs(2);
/// How long other processes keep a subscription that is not announced again.
const BELIEVED: Duration = Duration::from_secs(7);
/// Maximum silence on a line, because a broken line is noticed only when it is used.
const SILENCE: Duration = Duration::from_secs(15);
/// Minimum and maximum backoff before joining again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Relays deltas between processes.
pub struct LiveRelay {
    live: Arc<LiveRuns>,
    wire: Arc<dyn LiveWire>,
    clock: Arc<dyn Clock>,
}

/// Times of the last send and the last announcement.
struct Turn {
    said: DateTime<Utc>,
    reminded: DateTime<Utc>,
}

impl LiveRelay {
    /// Creates a relay between this process and the others.
    #[must_use]
    pub fn new(live: Arc<LiveRuns>, wire: Arc<dyn LiveWire>, clock: Arc<dyn Clock>) -> Self {
        Self { live, wire, clock }
    }

    /// Relays until `stop` completes. While the wire is unavailable nothing is relayed, and nothing waits for it.
    pub async fn work(&self, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop.fuse());
        let mut pause = PAUSE.0;
        loop {
            let joined = self.clock.now();
            let mut exchange = pin!(self.exchange().fuse());
            let Err(error) = select_biased! { () = stop => return, broke = exchange => broke };
            if self.clock.now() - joined > chrono::TimeDelta::from_std(PAUSE.1).unwrap_or_default() {
                pause = PAUSE.0;
            }
            tracing::debug!(error = ?error, ?pause, "what models say does not cross processes for a while");
            let mut passed = pin!(self.clock.sleep(pause).fuse());
            select_biased! { () = stop => return, () = passed => {} }
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn exchange(&self) -> Result<Infallible, PortError> {
        let mut line = self.wire.join().await?;
        // Deltas from before the reconnect are stale, and other processes may have dropped the subscriptions.
        let now = self.clock.now();
        self.live.take_owed(now);
        let mut turn = Turn { said: now - BETWEEN, reminded: now - REMINDER };
        loop {
            let heard = {
                let mut due = pin!(self.due(&turn).fuse());
                // Sending comes first: it is due at most ten times a second, but there may always be messages.
                select_biased! { () = due => None, heard = line.hear().fuse() => Some(heard?) }
            };
            match heard {
                None => self.speak(line.as_mut(), &mut turn).await?,
                Some(LiveMessage::Spoken(spoken)) => self.live.hear(&spoken),
                Some(LiveMessage::Listening(runs)) => {
                    self.live.listened_to_elsewhere(runs, self.clock.now() + BELIEVED);
                }
            }
        }
    }

    async fn due(&self, turn: &Turn) {
        let owing = pin!(async {
            self.live.owing().await;
            self.reach(turn.said + BETWEEN).await;
        });
        select(owing, pin!(self.reach(turn.reminded + REMINDER))).await;
    }

    async fn reach(&self, instant: DateTime<Utc>) {
        if let Ok(left) = (instant - self.clock.now()).to_std() {
            self.clock.sleep(left).await;
        }
    }

    async fn speak(&self, line: &mut dyn LiveLine, turn: &mut Turn) -> Result<(), PortError> {
        let now = self.clock.now();
        let reminds = now >= turn.reminded + REMINDER;
        if reminds {
            turn.reminded = now;
        }
        let runs = self.live.take_interest(reminds);
        let interest = if runs.is_empty() { None } else { Some(LiveMessage::Listening(runs)) };
        let owed = self.live.take_owed(now).into_iter().map(LiveMessage::Spoken);
        let messages: Vec<_> = interest.into_iter().chain(owed).collect();
        if messages.is_empty() && now < turn.said + SILENCE {
            return Ok(());
        }
        turn.said = now;
        line.say(messages).await
    }
}
