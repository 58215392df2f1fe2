use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    net::TcpStream,
};

use super::alarm::Alarm;

/// Timeout for sending it and letting it arrive.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last response to a client, even while it is still sending.
#[derive(Debug)]
pub(super) struct Farewell {
    text: Vec<u8>,
    said: usize,
    end: Alarm,
}

impl Farewell {
    pub(super) fn new(text: Vec<u8>) -> Self {
        let mut end = Alarm::unset();
        end.set(PATIENCE);
        Self { text, said: 0, end }
    }

    /// Sends it, then discards what still arrives: a socket closed with unread bytes is reset, and the text lost.
    pub(super) fn poll(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end.rings(cx) {
            return Poll::Ready(Ok(()));
        }
        while let Some(rest) = self.text.get(self.said..).filter(|rest| !rest.is_empty()) {
            self.said += ready!(Pin::new(&mut *stream).poll_write(cx, rest))?;
        }
        ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        let mut unwanted = [0; 4_096];
        loop {
            let mut arrived = ReadBuf::new(&mut unwanted);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut arrived))?;
            if arrived.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
