use super::json::Json;

/// Maximum nesting depth of a recorded document; JSON readers commonly stop at 128.
pub const MAX_DEPTH: usize = 64;

/// The size of a document, computed without serializing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Approximate number of bytes of its JSON text.
    pub bytes: usize,
    /// Whether it is nested more than [`MAX_DEPTH`] deep; if so, the bytes below that depth are not counted.
    pub too_deep: bool,
}

impl Json {
    /// Measures the document. The recursion is bounded, so hostile documents cannot exhaust the stack.
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
