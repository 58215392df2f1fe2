use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

/// A body that is told of and not sent.
struct Unsent(BodySize);

impl MessageBody for Unsent {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

/// What goes with the head of an answer to `HEAD` (RFC 9110, 9.3.2) instead of a body of this size. The body itself is let go:
/// the web framework would read it to its end, which of a stream of events comes with the end of the run.
pub(super) fn unsent(size: BodySize) -> BoxBody {
    BoxBody::new(Unsent(size))
}
