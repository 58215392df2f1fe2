use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{alarm::Alarm, bare, farewell::Farewell, turns::Turns};

/// The timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the head of a request, from its first byte; for the first request, from the start of the connection.
    pub(super) head: Duration,
    /// For the first byte of the next request.
    pub(super) idle: Duration,
    /// For reading more of a response.
    pub(super) unread: Duration,
}

/// Builds the complete response to a request that cannot be parsed.
pub(super) type Unread = Rc<dyn Fn(StatusCode) -> Vec<u8>>;

/// A connection with what the HTTP codec lacks: every head has a deadline, a client that does not read its response is
/// disconnected, and the codec's own bare responses are replaced by complete ones.
pub(super) struct Connection {
    stream: TcpStream,
    turns: Turns,
    patience: Patience,
    unread: Unread,
    /// The turn that is awaited.
    awaited: u64,
    /// Whether the head of that turn has begun to arrive.
    begun: bool,
    silent: Alarm,
    stuck: Alarm,
    ended: bool,
    farewell: Option<Farewell>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, patience: Patience, unread: Unread) -> Self {
        let mut silent = Alarm::unset();
        silent.set(patience.head);
        let (turns, stuck) = (Turns::default(), Alarm::unset());
        Self { stream, turns, patience, unread, awaited: 0, begun: true, silent, stuck, ended: false, farewell: None }
    }

    /// The requests of the connection.
    pub(super) fn turns(&self) -> Turns {
        self.turns.clone()
    }

    /// Sets the deadline for what is awaited.
    fn watch(&mut self, arrived: bool) {
        if self.turns.under_way() {
            self.silent.clear();
        } else if self.awaited != self.turns.begun() || !self.silent.is_set() {
            self.awaited = self.turns.begun();
            self.begun = arrived;
            self.silent.set(if arrived { self.patience.head } else { self.patience.idle + self.patience.head });
        } else if arrived && !self.begun {
            self.begun = true;
            self.silent.set(self.patience.head);
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if outcome.is_ready() {
            self.stuck.clear();
            return outcome;
        }
        if !self.stuck.is_set() {
            self.stuck.set(self.patience.unread);
        }
        if self.stuck.rings(cx) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }

    fn part(&mut self, cx: &mut Context<'_>, status: StatusCode) -> Poll<io::Result<()>> {
        let farewell = self.farewell.get_or_insert_with(|| Farewell::new((self.unread)(status)));
        farewell.poll(&mut self.stream, cx)
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buffer);
        this.watch(buffer.filled().len() > before);
        if outcome.is_pending() && this.silent.rings(cx) {
            this.ended = true;
            return Poll::Ready(Ok(()));
        }
        outcome
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match bare::find(bytes) {
            Some((0, status)) => {
                ready!(this.part(cx, status))?;
                Poll::Ready(Ok(bytes.len()))
            }
            Some((begin, _)) => this.write(cx, &bytes[..begin]),
            None => this.write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ended && this.begun {
            return this.part(cx, StatusCode::REQUEST_TIMEOUT);
        }
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
