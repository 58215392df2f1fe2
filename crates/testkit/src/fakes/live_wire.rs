use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    runs::{LiveLine, LiveMessage, LiveWire},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const PORT: &str = "live wire";

/// A wire in memory that a test can break and observe.
#[derive(Debug, Clone, Default)]
pub struct InMemoryLiveWire(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Vec<(u64, UnboundedSender<LiveMessage>)>>,
    joined: AtomicU64,
    said: Mutex<Vec<LiveMessage>>,
    turns: AtomicU64,
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, Vec<(u64, UnboundedSender<LiveMessage>)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InMemoryLiveWire {
    /// Breaks every line; processes that join again can communicate.
    pub fn break_all(&self) {
        self.0.lines().clear();
    }

    /// Number of processes on the wire.
    #[must_use]
    pub fn present(&self) -> usize {
        self.0.lines().len()
    }

    /// Number of sends so far, including heartbeats.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.0.turns.load(Ordering::Relaxed)
    }

    /// All messages so far.
    #[must_use]
    pub fn said(&self) -> Vec<LiveMessage> {
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl LiveWire for InMemoryLiveWire {
    async fn join(&self) -> Result<Box<dyn LiveLine>, PortError> {
        let number = self.0.joined.fetch_add(1, Ordering::Relaxed);
        let (sender, heard) = unbounded_channel();
        self.0.lines().push((number, sender));
        Ok(Box::new(Line { shared: self.0.clone(), number, heard }))
    }
}

struct Line {
    shared: Arc<Shared>,
    number: u64,
    heard: UnboundedReceiver<LiveMessage>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.lines().retain(|(number, _)| *number != self.number);
    }
}

#[async_trait]
impl LiveLine for Line {
    async fn say(&mut self, messages: Vec<LiveMessage>) -> Result<(), PortError> {
        self.shared.turns.fetch_add(1, Ordering::Relaxed);
        let lines = self.shared.lines();
        if lines.iter().all(|(number, _)| *number != self.number) {
            return Err(PortError::transient(PORT, "saying something", "the line is broken"));
        }
        for message in messages {
            self.shared.said.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
            for (_, other) in lines.iter().filter(|(number, _)| *number != self.number) {
                // A process that has left receives nothing.
                let _ = other.send(message.clone());
            }
        }
        Ok(())
    }

    async fn hear(&mut self) -> Result<LiveMessage, PortError> {
        let heard = self.heard.recv().await;
        heard.ok_or_else(|| PortError::transient(PORT, "hearing something", "the line is broken"))
    }
}
