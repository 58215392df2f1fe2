//! What one evaluation may use, and how it is stopped when it uses more.
//!
//! Neither the interpreter nor the validator can be interrupted. But the interpreter asks for its lookup table before each
//! step of a program and calls the value type for each operation on data, and the validator asks a keyword in every schema;
//! all of these are ours and count. Whoever overdraws unwinds the evaluating thread up to the place that started the
//! evaluation. Unwinding is the only exit that no program can catch.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Steps between two looks at the watch.
const WATCH_INTERVAL: u64 = 4_096;

/// What one evaluation may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps of the interpreter; copying and comparing data counts too. The bound that is the same on every machine.
    pub steps: u64,
    /// Bytes of data alive at once.
    pub bytes: usize,
    /// Suspended computations alive at once.
    pub suspended: usize,
    /// Bytes of the thread's stack.
    pub stack: usize,
    /// Time, in case a step is slower than expected.
    pub time: Duration,
    /// Bytes of the result as JSON or text.
    pub output: usize,
}

impl Limits {
    /// Enough for documents of some megabytes, at most some seconds.
    pub const DEFAULT: Self = Self {
        steps: 20_000_000,
        bytes: 64 << 20,
        suspended: 200_000,
        stack: 16 << 20,
        time: Duration::from_secs(5),
        output: 2 << 20,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which limit an evaluation met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Exhausted {
    #[error("it takes too many steps")]
    Steps,
    #[error("it takes too long")]
    Time,
    #[error("it holds too much data")]
    Memory,
    #[error("it keeps too many computations open")]
    Suspended,
    #[error("it recurses too deeply")]
    Stack,
    #[error("its data is nested too deeply")]
    Depth,
    #[error("it matches a text with a pattern that is too long for that")]
    Text,
}

struct Meter {
    steps: Cell<u64>,
    bytes: Cell<usize>,
    suspended: Cell<usize>,
    slices: Cell<usize>,
    stack_floor: Cell<usize>,
    until_watch: Cell<u64>,
    deadline: Cell<Option<Instant>>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            steps: Cell::new(0),
            bytes: Cell::new(0),
            suspended: Cell::new(0),
            slices: Cell::new(0),
            stack_floor: Cell::new(0),
            until_watch: Cell::new(0),
            deadline: Cell::new(None),
        }
    };
}

/// Deepest nesting of values; everything that walks a value recurses at most this far.
pub(super) const MAX_DEPTH: u16 = 512;
/// Slices in paths; paths are linked lists whose disposal recurses.
const MAX_PATH_SLICES: usize = 2_000;

/// Starts counting on this thread.
pub(super) fn start(limits: &Limits) {
    METER.with(|meter| {
        meter.steps.set(limits.steps);
        meter.bytes.set(limits.bytes);
        meter.suspended.set(limits.suspended);
        meter.slices.set(MAX_PATH_SLICES);
        meter.stack_floor.set(stack_pointer().saturating_sub(limits.stack));
        meter.until_watch.set(WATCH_INTERVAL);
        meter.deadline.set(Some(Instant::now() + limits.time));
    });
}

/// Ends the evaluation.
pub(super) fn stop(reason: Exhausted) -> ! {
    std::panic::resume_unwind(Box::new(reason))
}

/// Pays for work.
pub(super) fn step(cost: u64) {
    METER.with(|meter| {
        let Some(left) = meter.steps.get().checked_sub(cost) else { stop(Exhausted::Steps) };
        meter.steps.set(left);
        match meter.until_watch.get().checked_sub(cost) {
            Some(left) => meter.until_watch.set(left),
            None => look_at_watch(meter),
        }
    });
}

fn look_at_watch(meter: &Meter) {
    meter.until_watch.set(WATCH_INTERVAL);
    if meter.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) {
        stop(Exhausted::Time);
    }
}

/// Pays for one more level of recursion.
pub(super) fn descend() {
    step(1);
    METER.with(|meter| {
        if stack_pointer() < meter.stack_floor.get() {
            stop(Exhausted::Stack);
        }
    });
}

/// Pays for data; returns the amount to give back with [`release`].
pub(super) fn allocate(bytes: usize) -> usize {
    step(1 + bytes as u64 / 32);
    METER.with(|meter| match meter.bytes.get().checked_sub(bytes) {
        Some(left) => meter.bytes.set(left),
        None => stop(Exhausted::Memory),
    });
    bytes
}

/// Gives data back.
pub(super) fn release(bytes: usize) {
    METER.with(|meter| meter.bytes.set(meter.bytes.get().saturating_add(bytes)));
}

/// Bytes that may still be allocated.
pub(super) fn room() -> usize {
    METER.with(|meter| meter.bytes.get())
}

/// Pays for a slice in a path.
pub(super) fn slice_in_path() {
    METER.with(|meter| match meter.slices.get().checked_sub(1) {
        Some(left) => meter.slices.set(left),
        None => stop(Exhausted::Depth),
    });
}

/// A computation that the interpreter has suspended; alive as long as its context is.
#[derive(Debug)]
pub(super) struct Suspended(());

impl Suspended {
    pub(super) fn new() -> Self {
        METER.with(|meter| match meter.suspended.get().checked_sub(1) {
            Some(left) => meter.suspended.set(left),
            None => stop(Exhausted::Suspended),
        });
        Self(())
    }
}

impl Clone for Suspended {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        METER.with(|meter| meter.suspended.set(meter.suspended.get() + 1));
    }
}

#[inline(never)]
fn stack_pointer() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}
