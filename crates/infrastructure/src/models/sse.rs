//! A parser of server-sent events (WHATWG HTML, section 9.2.6), for arbitrarily split bytes.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Event {
    /// Its type, if the stream names one.
    pub(super) kind: String,
    /// Its data; several lines are joined by a line feed.
    pub(super) data: String,
}

/// Assembles events from bytes as they arrive.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    /// The last byte was a carriage return that ended a line; a line feed right after it belongs to it.
    after_return: bool,
    /// Whether anything was read, because a byte order mark is ignored only at the start.
    begun: bool,
    pending: Option<Event>,
}

impl Events {
    /// Processes bytes and returns the events they complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut complete = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    complete.extend(self.end_line());
                }
                _ => {
                    self.after_return = false;
                    self.line.push(*byte);
                }
            }
        }
        complete
    }

    /// The event that was incomplete when the stream ended, because some servers omit the last blank line.
    pub(super) fn end(mut self) -> Option<Event> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.pending.filter(|event| !event.data.is_empty())
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        let line = if self.begun { &line } else { line.strip_prefix('\u{feff}').unwrap_or(&line) };
        self.begun = true;
        if line.is_empty() {
            return self.pending.take().filter(|event| !event.data.is_empty());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                let event = self.pending.get_or_insert_default();
                if !event.data.is_empty() {
                    event.data.push('\n');
                }
                event.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.pending.get_or_insert_default().kind),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Events};

    fn read(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut events = Events::default();
        let mut read: Vec<Event> = chunks.iter().flat_map(|chunk| events.feed(chunk)).collect();
        read.extend(events.end());
        read.into_iter().map(|event| (event.kind, event.data)).collect()
    }

    const STREAM: &str = "\u{feff}: hello\r\nevent: a\r\ndata: gr\u{fc}\u{df}e\r\n\r\ndata:one\ndata: two\nid: 7\n\nevent: b\rdata: {}\r\r: bye\n\ndata: [DONE]";

    fn expected() -> Vec<(String, String)> {
        [("a", "grüße"), ("", "one\ntwo"), ("b", "{}"), ("", "[DONE]")].map(|(k, d)| (k.into(), d.into())).into()
    }

    #[test]
    fn lines_end_in_three_ways_comments_are_skipped_and_data_lines_are_joined() {
        assert_eq!(read(&[STREAM.as_bytes()]), expected());
    }

    #[test]
    fn a_stream_may_be_cut_between_any_two_bytes() {
        for at in 0..STREAM.len() {
            let (before, after) = STREAM.as_bytes().split_at(at);
            assert_eq!(read(&[before, after]), expected(), "cut at {at}");
        }
    }

    #[test]
    fn a_stream_may_come_byte_by_byte() {
        let bytes: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes), expected());
    }

    #[test]
    fn an_event_without_data_is_none() {
        assert_eq!(read(&[b"event: ping\n\n"]), []);
    }
}
