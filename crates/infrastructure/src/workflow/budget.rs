//! Metering of one evaluation, and how it is aborted when it exceeds its limits.
//!
//! Neither the interpreter nor the validator can be interrupted. But the interpreter requests its lookup table before
//! each step of a program and calls the value type for each operation on data, and the validator evaluates a custom
//! keyword in every schema. All of these are implemented here and metered. Exceeding a limit unwinds the thread to the
//! start of the evaluation. Unwinding is the only exit that no program can catch.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Steps between two checks of the clock.
const WATCH_INTERVAL: u64 = 4_096;

/// The limits of one evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps of the interpreter, including copying and comparing; the only limit that is the same everywhere.
    pub steps: u64,
    /// Bytes of live data.
    pub bytes: usize,
    /// Number of suspended computations.
    pub suspended: usize,
    /// Bytes of the thread's stack.
    pub stack: usize,
    /// Time, in case steps are slower than expected.
    pub time: Duration,
    /// Bytes of the result as JSON or text.
    pub output: usize,
}

impl Limits {
    /// Enough for documents of a few megabytes, and a few seconds at most.
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

/// The limit that an evaluation exceeded.
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

/// Maximum nesting of values; recursion over a value is bounded by it.
pub(super) const MAX_DEPTH: u16 = 512;
/// Maximum number of slices in paths; paths are linked lists that are dropped recursively.
const MAX_PATH_SLICES: usize = 2_000;

/// Starts metering on this thread.
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

/// Aborts the evaluation.
pub(super) fn stop(reason: Exhausted) -> ! {
    std::panic::resume_unwind(Box::new(reason))
}

/// Charges for work.
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

/// Charges for one more level of recursion.
pub(super) fn descend() {
    step(1);
    METER.with(|meter| {
        if stack_pointer() < meter.stack_floor.get() {
            stop(Exhausted::Stack);
        }
    });
}

/// Charges for data; returns the amount to pass to [`release`].
pub(super) fn allocate(bytes: usize) -> usize {
    step(1 + bytes as u64 / 32);
    METER.with(|meter| match meter.bytes.get().checked_sub(bytes) {
        Some(left) => meter.bytes.set(left),
        None => stop(Exhausted::Memory),
    });
    bytes
}

/// Returns the charge for data.
pub(super) fn release(bytes: usize) {
    METER.with(|meter| meter.bytes.set(meter.bytes.get().saturating_add(bytes)));
}

/// Bytes that may still be allocated.
pub(super) fn room() -> usize {
    METER.with(|meter| meter.bytes.get())
}

/// Charges for a slice in a path.
pub(super) fn slice_in_path() {
    METER.with(|meter| match meter.slices.get().checked_sub(1) {
        Some(left) => meter.slices.set(left),
        None => stop(Exhausted::Depth),
    });
}

/// A suspended computation of the interpreter; lives as long as its context.
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
