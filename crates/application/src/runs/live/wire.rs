use async_trait::async_trait;
use devskyy_domain::kernel::ids::RunId;

use super::Spoken;
use crate::error::PortError;

/// What processes tell each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveMessage {
    /// Somebody at the sender's listens to these runs, for a while.
    Listening(Vec<RunId>),
    /// A model says something.
    Spoken(Spoken),
}

/// Carries messages between the processes that share a database. What is said while nobody hears is lost.
#[async_trait]
pub trait LiveWire: Send + Sync {
    /// Joins as a process of its own, which hears what others say from now on.
    ///
    /// # Errors
    /// [`PortError`] when the wire cannot be reached.
    async fn join(&self) -> Result<Box<dyn LiveLine>, PortError>;
}

/// One process's end of the wire. After a failure it is of no more use: whoever wants to go on joins again.
#[async_trait]
pub trait LiveLine: Send {
    /// Says messages to all others, each of whom hears them at most once and in this order. What is too large for one
    /// message goes in several: runs in groups, a text cut between two characters. Nothing to say is a sign of life.
    ///
    /// # Errors
    /// [`PortError`] when the line is broken. What was said then may or may not have been heard; it is not to be repeated.
    async fn say(&mut self, messages: Vec<LiveMessage>) -> Result<(), PortError>;

    /// The next message of another process. Whoever stops waiting misses nothing.
    ///
    /// # Errors
    /// [`PortError`] when the line is broken.
    async fn hear(&mut self) -> Result<LiveMessage, PortError>;
}
