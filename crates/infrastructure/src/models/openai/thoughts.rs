//! A model's thoughts before its calls, which its provider wants back with them.

use devskyy_domain::kernel::Json;

/// Members of a detail that are streamed in pieces (<https://openrouter.ai/docs/use-cases/reasoning-tokens>).
const IN_PIECES: [&str; 3] = ["data", "summary", "text"];

/// Thoughts that are being streamed.
#[derive(Default)]
pub(super) struct Thoughts {
    words: String,
    details: Vec<Json>,
}

impl Thoughts {
    /// Adds the thoughts in a piece of the answer.
    pub(super) fn take(&mut self, words: Option<String>, details: Option<Vec<Json>>) {
        self.words.push_str(&words.unwrap_or_default());
        for detail in details.into_iter().flatten() {
            let named = |of: &Json| (of.get("type").cloned(), of.get("index").cloned());
            let begun =
                self.details.iter_mut().find(|begun| detail.get("index").is_some() && named(begun) == named(&detail));
            match begun {
                Some(begun) => go_on(begun, detail),
                None => self.details.push(detail),
            }
        }
    }

    /// The data to send back with calls that have these extras; `None` if there is none.
    pub(super) fn carry(self, extras: Vec<Option<Json>>) -> Option<Json> {
        let Self { words, details } = self;
        let calls = extras.iter().any(Option::is_some).then(|| extras.into_iter().map(Option::unwrap_or_default));
        let parts = [
            ("calls", calls.map(|calls| Json::Array(calls.collect()))),
            ("reasoning_content", (!words.is_empty()).then(|| words.into())),
            ("reasoning_details", (!details.is_empty()).then_some(Json::Array(details))),
        ];
        let parts: Vec<_> = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?))).collect();
        (!parts.is_empty()).then(|| parts.into_iter().collect())
    }
}

/// Appends a piece to a detail; a signature is valid for the whole only.
fn go_on(begun: &mut Json, piece: Json) {
    let (Json::Object(begun), Json::Object(piece)) = (begun, piece) else { return };
    for (name, more) in piece.into_iter().filter(|(_, more)| !more.is_null()) {
        match (begun.get_mut(&name), more) {
            (Some(Json::String(there)), Json::String(more)) if IN_PIECES.contains(&name.as_str()) => {
                there.push_str(&more)
            }
            (_, more) => drop(begun.insert(name, more)),
        }
    }
}
