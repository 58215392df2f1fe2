//! Ids and names of calls in a form that the vendor accepts: it rejects a conversation with an invalid one from another
//! vendor's model.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{Context, SHA256};
use devskyy_domain::conversation::ToolCall;

/// Length of a generated id: Mistral requires exactly nine letters and digits, which all others accept too.
const LETTERS: usize = 9;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Length limit of a tool's name.
const LONGEST_NAME: usize = 64;

/// The ids of the calls in one request, in the order of its messages.
pub(super) struct CallIds {
    /// Whether a vendor accepts an id that it issued itself.
    suits: fn(&str) -> bool,
    turn: u64,
    taken: BTreeSet<String>,
    latest: BTreeMap<String, String>,
}

impl CallIds {
    pub(super) const fn new(suits: fn(&str) -> bool) -> Self {
        Self { suits, turn: 0, taken: BTreeSet::new(), latest: BTreeMap::new() }
    }

    /// The ids of the next answer's calls, in order. A provider gets back the ids it issued itself, because some models
    /// read them; all others are generated, deterministically for a conversation.
    pub(super) fn of(&mut self, calls: &[ToolCall], own: bool) -> Vec<String> {
        self.turn += 1;
        self.latest.clear();
        let mut told = Vec::new();
        for (index, call) in (0_u64..).zip(calls) {
            let kept = own && (self.suits)(&call.id) && !self.taken.contains(&call.id);
            let id = if kept { call.id.clone() } else { self.made_up(index, &call.id) };
            self.taken.insert(id.clone());
            self.latest.insert(call.id.clone(), id.clone());
            told.push(id);
        }
        told
    }

    /// The id under which the result of one of the latest calls is sent.
    pub(super) fn answered(&self, call: &str) -> String {
        self.latest.get(call).cloned().unwrap_or_else(|| call.to_owned())
    }

    fn made_up(&self, index: u64, id: &str) -> String {
        let candidate = |salt: u64| {
            let mut digest = Context::new(&SHA256);
            for part in [self.turn, index, salt] {
                digest.update(&part.to_be_bytes());
            }
            digest.update(id.as_bytes());
            let digest = digest.finish();
            let letters = digest.as_ref().iter().take(LETTERS);
            letters.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect::<String>()
        };
        let mut salt = 0;
        loop {
            let made_up = candidate(salt);
            if !self.taken.contains(&made_up) {
                return made_up;
            }
            salt += 1;
        }
    }
}

const fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')
}

/// Whether every vendor accepts the id's characters.
pub(super) fn is_plain_id(id: &str) -> bool {
    (1..=LONGEST_NAME).contains(&id.len()) && id.chars().all(is_plain)
}

/// A tool's name in a form that vendors accept, whatever a model made up.
pub(super) fn fit(name: &str) -> String {
    let plain: String =
        name.chars().take(LONGEST_NAME).map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    if plain.is_empty() { "unnamed".to_owned() } else { plain }
}

/// Whether two models, `<provider>/<model>`, have the same provider.
pub(super) fn same_provider(one: &str, other: &str) -> bool {
    let provider = |name: &str| name.split_once('/').map(|(provider, _)| provider.to_owned());
    provider(one).is_some_and(|one| Some(one) == provider(other))
}

#[cfg(test)]
mod tests {
    use devskyy_domain::kernel::Json;

    use super::*;

    fn calls(ids: &[&str]) -> Vec<ToolCall> {
        let call = |id: &&str| ToolCall { id: (*id).to_owned(), name: "t".to_owned(), arguments: Json::Null };
        ids.iter().map(call).collect()
    }

    #[test]
    fn ids_that_come_back_every_turn_are_told_apart() {
        let mut ids = CallIds::new(is_plain_id);
        let told: Vec<_> = (0..100).flat_map(|_| ids.of(&calls(&["call_0", "call_1"]), true)).collect();
        assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 200);
    }

    #[test]
    fn what_is_made_up_for_others_is_nine_letters_and_digits() {
        let told = CallIds::new(is_plain_id).of(&calls(&["functions.find:0", "", "toolu_1"]), false);
        let fits = |id: &String| id.len() == 9 && id.chars().all(|letter| letter.is_ascii_alphanumeric());
        assert!(told.iter().all(fits), "{told:?}");
    }

    #[test]
    fn the_same_conversation_has_the_same_ids() {
        let told = || CallIds::new(is_plain_id).of(&calls(&["functions.find:0", "functions.find:1"]), false);
        assert_eq!(told(), told());
    }

    #[test]
    fn whoever_gave_an_id_sees_it_again() {
        assert_eq!(CallIds::new(is_plain_id).of(&calls(&["toolu_1"]), true), ["toolu_1"]);
    }

    #[test]
    fn a_result_has_the_id_of_its_call() {
        let mut ids = CallIds::new(is_plain_id);
        let told = ids.of(&calls(&["functions.find:0"]), false);
        assert_eq!([ids.answered("functions.find:0")], told.as_slice());
    }

    #[test]
    fn every_name_is_made_fit() {
        assert_eq!(
            ["find", "functions.find", "", "gr\u{fc}\u{df}e"].map(fit),
            ["find", "functions_find", "unnamed", "gr__e"]
        );
    }
}
