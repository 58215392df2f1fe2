//! A reader of server-sent events.

use chrono::{DateTime, Utc};
use reqwest::Response;
use serde_json::Value;

use crate::failure::{Failure, causes};

/// An event of the run.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Its position in the log.
    pub(super) position: u64,
    /// Its type, for example `run.tool_called`.
    pub(super) kind: String,
    /// When.
    pub(super) at: DateTime<Utc>,
    /// The payload.
    pub(super) data: Value,
}

/// A stream of events.
pub(super) struct Events {
    response: Response,
    received: Vec<u8>,
}

impl Events {
    pub(super) const fn of(response: Response) -> Self {
        Self { response, received: Vec::new() }
    }

    /// The next event; `None` when the stream has ended.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            while let Some(end) = self.received.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.received.drain(..end + 2).collect();
                if let Some(event) = parse(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.received.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => {
                    return Err(Failure::operation(format!("the event stream broke off: {}", causes(&error))));
                }
            }
        }
    }
}

/// Parses one block of lines; comments only keep the connection alive.
fn parse(block: &str) -> Option<Event> {
    let data: String = block.lines().filter_map(|line| line.strip_prefix("data:")).collect();
    let event: Value = serde_json::from_str(&data).ok()?;
    Some(Event {
        position: event["position"].as_u64()?,
        kind: event["type"].as_str()?.to_owned(),
        at: event["at"].as_str()?.parse().ok()?,
        data: event["data"].clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_event_is_read_from_its_lines() {
        let block = "id: 7\nevent: run.queued\ndata: {\"position\":7,\"type\":\"run.queued\",\"at\":\"2026-01-01T00:00:00Z\",\"data\":{\"a\":1}}\n\n";
        let event = parse(block).unwrap();
        assert_eq!((event.position, event.kind.as_str(), &event.data["a"]), (7, "run.queued", &1.into()));
    }

    #[test]
    fn a_comment_is_no_event() {
        assert!(parse(": still here\n\n").is_none());
    }
}
