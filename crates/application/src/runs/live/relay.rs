//! Tells other processes what is listened to here, and what is said here that they listen to.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, future::select, select_biased};

use super::{
    LiveRuns,
    wire::{LiveLine, LiveMessage, LiveWire},
};
use crate::{error::PortError, ports::Clock};

/// Shortest time between two times of saying something: what a model says meanwhile goes together.
const BETWEEN: Duration = Duration::from_millis(100);
/// How often others are reminded of what is listened to here.
const REMINDER: Duration = Duration::from_secs(2);
/// How long they believe it without being reminded.
const BELIEVED: Duration = Duration::from_secs(7);
/// Longest silence on a line: one that nobody uses might be broken without anybody noticing.
const SILENCE: Duration = Duration::from_secs(15);
/// Shortest and longest pause before joining again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Hands what models say from process to process.
pub struct LiveRelay {
    live: Arc<LiveRuns>,
    wire: Arc<dyn LiveWire>,
    clock: Arc<dyn Clock>,
}

/// When something was said last.
struct Turn {
    said: DateTime<Utc>,
    reminded: DateTime<Utc>,
}

impl LiveRelay {
    /// A relay between the listeners and workers of this process and those of others.
    #[must_use]
    pub fn new(live: Arc<LiveRuns>, wire: Arc<dyn LiveWire>, clock: Arc<dyn Clock>) -> Self {
        Self { live, wire, clock }
    }

    /// Hands on until `stop` completes. While the wire is away nothing is handed on, and nobody is held up by it.
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
        // Nobody waited for what was said while the wire was away, and others may have forgotten who listens here.
        let now = self.clock.now();
        self.live.take_owed(now);
        let mut turn = Turn { said: now - BETWEEN, reminded: now - REMINDER };
        loop {
            let heard = {
                let mut due = pin!(self.due(&turn).fuse());
                // Saying comes first: it is due ten times a second at most, while there may always be something to hear.
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
