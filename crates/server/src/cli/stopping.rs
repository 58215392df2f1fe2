//! How a process that goes on until it is told to ends: in order when it is asked once, at once when it is asked again.

use std::{
    io::{IsTerminal as _, Write as _},
    pin::pin,
};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// What whoever asked is told while the work ends in order.
const AGAIN: &str = "stopping; press Ctrl-C again to stop at once";

/// How it is told that the work is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// A line for whoever sits there.
    Plainly,
    /// In the log, which programs read.
    InTheLog,
}

/// Works until the work has ended, which the first SIGINT or SIGTERM asks of it. The second drops the work: what was
/// acknowledged is in the log, and runs under way go on from there.
pub(super) async fn until_asked<F: Future<Output = Result<(), Failure>>>(
    told: Told,
    work: impl FnOnce(CancellationToken) -> F,
) -> Result<(), Failure> {
    let mut asked = Asked::listen()?;
    let stop = CancellationToken::new();
    let mut work = pin!(work(stop.clone()));
    tokio::select! { done = &mut work => return done, _ = asked.next() => {} }
    tell(told);
    stop.cancel();
    tokio::select! { done = work => done, signal = asked.next() => Err(Failure::stopped(signal)) }
}

fn tell(told: Told) {
    match told {
        Told::InTheLog => tracing::info!("{AGAIN}"),
        Told::Plainly => {
            let mut out = std::io::stderr().lock();
            // Where a key was pressed, the terminal shows it on the line one was on.
            let begun = if out.is_terminal() { "\n" } else { "" };
            let _ = writeln!(out, "{begun}{AGAIN}");
        }
    }
}

/// The signals that ask a process to stop.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::operation);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// The next of them.
    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        }
    }
}
