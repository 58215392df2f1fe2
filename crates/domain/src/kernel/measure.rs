use super::json::Json;

/// Deepest nesting of a document that is recorded; readers of JSON commonly stop at 128.
pub const MAX_DEPTH: usize = 64;

/// How large a document is, without writing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// About the number of bytes of its JSON text.
    pub bytes: usize,
    /// Whether it is nested more than [`MAX_DEPTH`] deep; its bytes below are not counted then.
    pub too_deep: bool,
}

impl Json {
    /// Measures the document; the depth of the look is bounded, so hostile documents cannot exhaust the stack.
    #[must_use]
    pub fn measure(&self) -> Measure {
        let mut measure = Measure { bytes: 0, too_deep: false };
        add(self, MAX_DEPTH, &mut measure);
        measure
    }
}

fn add(value: &Json, depth: usize, measure: &mut Measure) {
    match value {
        Json::Null | Json::Bool(_) => measure.bytes += 5,
        Json::Number(_) => measure.bytes += 12,
        Json::String(text) => measure.bytes += text.len() + 3,
        Json::Array(_) | Json::Object(_) if depth == 0 => measure.too_deep = true,
        Json::Array(elements) => {
            measure.bytes += 2;
            elements.iter().for_each(|element| add(element, depth - 1, measure));
        }
        Json::Object(members) => {
            measure.bytes += 2;
            for (name, value) in members {
                measure.bytes += name.len() + 4;
                add(value, depth - 1, measure);
            }
        }
    }
}
