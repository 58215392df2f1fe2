//! The hash chain: each event's hash covers everything stored with it and the hash of the previous event.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::recorded::{Position, StreamId};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The hash that the first event is chained to.
pub const GENESIS: Hash = [0; 32];

/// The parts of an event that its hash covers.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Its place in the log.
    pub position: Position,
    /// Kind of aggregate.
    pub category: &'a str,
    /// Which one of its kind.
    pub stream_id: Uuid,
    /// Its place in its stream.
    pub version: u64,
    /// Its identity.
    pub event_id: Uuid,
    /// The request it belongs to.
    pub correlation_id: Uuid,
    /// Its direct cause.
    pub causation_id: Uuid,
    /// Stored name.
    pub event_type: &'a str,
    /// Shape of the payload.
    pub schema_version: u16,
    /// Microseconds since 1970 in UTC.
    pub recorded_at: i64,
    /// [`digest`] of the payload's text. Hashed separately, so that a payload can be erased without breaking the chain.
    pub data: Hash,
    /// [`digest`] of the context's text.
    pub meta: Hash,
}

impl Link<'_> {
    /// The event's hash, given the hash of the previous event.
    #[must_use]
    pub fn hash(&self, previous: &Hash) -> Hash {
        // Texts are prefixed with their lengths, so that no two different events yield the same bytes.
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(previous);
        bytes.extend_from_slice(&self.position.to_be_bytes());
        text(&mut bytes, self.category);
        bytes.extend_from_slice(self.stream_id.as_bytes());
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(self.event_id.as_bytes());
        bytes.extend_from_slice(self.correlation_id.as_bytes());
        bytes.extend_from_slice(self.causation_id.as_bytes());
        text(&mut bytes, self.event_type);
        bytes.extend_from_slice(&self.schema_version.to_be_bytes());
        bytes.extend_from_slice(&self.recorded_at.to_be_bytes());
        bytes.extend_from_slice(&self.data);
        bytes.extend_from_slice(&self.meta);
        Sha256::digest(&bytes).into()
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// SHA-256 of a text.
#[must_use]
pub fn digest(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// An event's identity: a name-based UUID (RFC 9562, version 8 over SHA-256) of its stream and version.
#[must_use]
pub fn event_id(stream: &StreamId, version: u64) -> Uuid {
    let mut name = Vec::with_capacity(64);
    name.extend_from_slice(b"devskyy event ");
    text(&mut name, stream.category);
    name.extend_from_slice(stream.id.as_bytes());
    name.extend_from_slice(&version.to_be_bytes());
    let digest: Hash = Sha256::digest(&name).into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    Uuid::from_bytes(id)
}
