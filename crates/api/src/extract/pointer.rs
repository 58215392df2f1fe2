use serde_path_to_error::{Path, Segment};

/// Longest pointer that is sent back; longer ones are cut at a member's boundary.
const LONGEST: usize = 256;

/// Appends one member or index to a JSON pointer (RFC 6901).
pub(crate) fn push(pointer: &mut String, segment: &str) {
    if pointer.len() + segment.len() < LONGEST {
        pointer.push('/');
        pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
    }
}

/// The JSON pointer of a place found while deserialising.
pub(crate) fn of(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}
