use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

/// A body whose size is announced but which is not sent.
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

/// The body of a response to `HEAD` (RFC 9110, 9.3.2), with the size of the real one. The real body is dropped: the
/// web framework would read it to its end, which for a stream of events is the end of the run.
pub(super) fn unsent(size: BodySize) -> BoxBody {
    BoxBody::new(Unsent(size))
}
