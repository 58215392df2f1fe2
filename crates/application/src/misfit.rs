//! Why a text does not parse as its type, without the values in it.

/// Why a value does not fit its type, without anything the client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// A member with this name is missing.
    Missing(String),
    /// An unknown member; with the known ones, if the message lists them.
    Unknown(Option<String>),
    /// Wrong type or form; with the expected one, if the message names it.
    Wrong(Option<String>),
}

impl Misfit {
    /// Parses serde's message, which is only prose and often contains the value.
    #[must_use]
    pub fn read(message: &str) -> Self {
        let named = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        match named {
            Some(name) => Self::Missing(name.to_owned()),
            None if message.starts_with("unknown field") => Self::Unknown(expected(message)),
            None => Self::Wrong(expected(message)),
        }
    }
}

/// The text after the last `expected`; the value comes before it, or after `found`.
fn expected(message: &str) -> Option<String> {
    let (_, wanted) = message.rsplit_once("expected ")?;
    let cut = [", found ", " at line "].into_iter().filter_map(|word| wanted.find(word)).min();
    wanted.get(..cut.unwrap_or(wanted.len())).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use uuid::Uuid;

    use super::Misfit;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "snake_case")]
    enum Kind {
        Plain { id: Uuid, count: u8 },
    }

    fn misfit(text: &str) -> Misfit {
        match serde_json::from_str::<Kind>(text) {
            Ok(Kind::Plain { id, count }) => panic!("{id} and {count} fit"),
            Err(error) => Misfit::read(&error.to_string()),
        }
    }

    #[test]
    fn a_value_of_another_type_is_not_repeated() {
        let found =
            misfit(r#"{"plain": {"id": "01938f2e-0000-7000-8000-000000000000", "count": "hunter2, expected x"}}"#);
        assert_eq!(found, Misfit::Wrong(Some("u8".to_owned())));
    }

    #[test]
    fn a_choice_that_is_none_is_not_repeated() {
        assert_eq!(misfit(r#"{"hunter2": 1}"#), Misfit::Wrong(Some("`plain`".to_owned())));
    }

    #[test]
    fn a_character_that_an_id_does_not_have_is_not_repeated() {
        let found = format!("{:?}", misfit(r#"{"plain": {"id": "~", "count": 1}}"#));
        assert!(!found.contains('~'), "{found}");
    }

    #[test]
    fn a_member_that_is_missing_is_named() {
        assert_eq!(misfit(r#"{"plain": {"count": 1}}"#), Misfit::Missing("id".to_owned()));
    }

    #[test]
    fn a_member_that_is_not_known_is_not_repeated() {
        let found = misfit(r#"{"plain": {"hunter2": 1}}"#);
        assert_eq!(found, Misfit::Unknown(Some("`id` or `count`".to_owned())));
    }
}
