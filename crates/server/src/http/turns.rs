//! Tracks whether a connection has a request in progress.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

/// The requests of one connection, shared by the side that receives bytes and the side that answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    begun: Cell<u64>,
    under_way: Cell<u64>,
}

impl Turns {
    /// Number of requests whose head has arrived.
    pub(super) fn begun(&self) -> u64 {
        self.0.begun.get()
    }

    /// Whether one of them is being answered.
    pub(super) fn under_way(&self) -> bool {
        self.0.under_way.get() > 0
    }

    /// Begins a turn, which lasts until it is dropped.
    pub(super) fn take(&self) -> Turn {
        self.0.begun.set(self.0.begun.get() + 1);
        self.0.under_way.set(self.0.under_way.get() + 1);
        Turn(self.0.clone())
    }
}

/// One request, from its head to the last byte of its response.
#[derive(Debug)]
pub(super) struct Turn(Rc<Counts>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
    }
}

/// The body of a response; dropping it ends the turn.
pub(super) struct Body {
    body: BoxBody,
    _turn: Option<Turn>,
}

impl Body {
    pub(super) fn of(body: BoxBody, turn: Option<Turn>) -> Self {
        Self { body, _turn: turn }
    }
}

impl MessageBody for Body {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
