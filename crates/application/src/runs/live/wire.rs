use async_trait::async_trait;
use devskyy_domain::kernel::ids::RunId;

use super::Spoken;
use crate::error::PortError;

/// A message between processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveMessage {
    /// The sender has subscribers of these runs, for a while.
    Listening(Vec<RunId>),
    /// A delta of a model's answer.
    Spoken(Spoken),
}

/// Carries messages between the processes that share a database. Messages are lost while no process receives them.
#[async_trait]
pub trait LiveWire: Send + Sync {
    /// Joins as a separate process, which receives the messages of others from now on.
    ///
    /// # Errors
    /// [`PortError`] when the wire cannot be reached.
    async fn join(&self) -> Result<Box<dyn LiveLine>, PortError>;
}

/// One process's end of the wire. After an error it is unusable; join again to continue.
#[async_trait]
pub trait LiveLine: Send {
    /// Sends messages to all other processes; each receives them at most once and in this order. Large messages are
    /// split: runs into groups, texts between two characters. An empty list is a heartbeat.
    ///
    /// # Errors
    /// [`PortError`] when the line is broken. The messages may or may not have been received; do not send them again.
    async fn say(&mut self, messages: Vec<LiveMessage>) -> Result<(), PortError>;

    /// Receives the next message of another process. Cancel safe: no message is lost if the future is dropped.
    ///
    /// # Errors
    /// [`PortError`] when the line is broken.
    async fn hear(&mut self) -> Result<LiveMessage, PortError>;
}
