//! Stopping a long-running process: in order after the first signal, at once after the second.

use std::{
    io::{IsTerminal as _, Write as _},
    pin::pin,
};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// The message shown while the process stops in order.
const AGAIN: &str = "stopping; press Ctrl-C again to stop at once";

/// How a stop is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// As a line on the terminal.
    Plainly,
    /// In the log, which programs read.
    InTheLog,
}

/// Runs until the work has ended, which the first SIGINT or SIGTERM requests. The second drops the work: acknowledged
/// changes are in the log, and runs in progress resume from there.
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
            // A terminal echoes `^C` on the current line.
            let begun = if out.is_terminal() { "\n" } else { "" };
            let _ = writeln!(out, "{begun}{AGAIN}");
        }
    }
}

/// The signals that request a stop.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::operation);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next signal.
    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        }
    }
}
