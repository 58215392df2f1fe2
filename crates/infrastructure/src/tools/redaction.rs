//! Redaction of secrets from responses.

use devskyy_domain::{kernel::Json, secrets::SecretValue};
use secrecy::{ExposeSecret as _, SecretString};

use super::body::encoded;

/// Secrets that were sent; a service may repeat them in its response.
#[derive(Default)]
pub(super) struct Redaction {
    /// Each form of each secret and its replacement, the longest form first.
    forms: Vec<(SecretString, String)>,
}

impl Redaction {
    /// Adds a secret in its forms: plain, in JSON with and without escaped slashes, and as a form field.
    pub(super) fn add(&mut self, name: &str, value: &SecretValue) {
        let plain = value.expose();
        let escaped = plain.replace('\\', "\\\\").replace('"', "\\\"");
        for form in [plain.to_owned(), escaped.replace('/', "\\/"), escaped, encoded(plain)] {
            self.forms.push((form.into(), format!("[secret {name}]")));
        }
        self.forms.sort_by(|(one, _), (other, _)| {
            let (one, other) = (one.expose_secret(), other.expose_secret());
            other.len().cmp(&one.len()).then_with(|| one.cmp(other))
        });
        self.forms.dedup_by(|(one, _), (other, _)| one.expose_secret() == other.expose_secret());
    }

    /// Redacts a text. Secrets that overlap or contain each other are removed completely.
    pub(super) fn text(&self, text: String) -> String {
        if !self.forms.iter().any(|(form, _)| text.contains(form.expose_secret())) {
            return text;
        }
        let (mut clean, mut hidden) = (String::with_capacity(text.len()), 0);
        for (at, letter) in text.char_indices() {
            let begins = |(form, _): &&(SecretString, String)| text[at..].starts_with(form.expose_secret());
            if let Some((form, instead)) = self.forms.iter().find(begins) {
                if at >= hidden {
                    clean.push_str(instead);
                }
                hidden = hidden.max(at + form.expose_secret().len());
            }
            if at >= hidden {
                clean.push(letter);
            }
        }
        clean
    }

    /// The redacted beginning of a text, without control characters. Cut last: a partial secret is not recognised.
    pub(super) fn excerpt(&self, text: &str, most: usize) -> String {
        let visible = text.chars().filter(|letter| !letter.is_control()).collect();
        self.text(visible).chars().take(most).collect()
    }

    /// Redacts a document: texts, names of members and numbers.
    pub(super) fn document(&self, document: Json) -> Json {
        if self.forms.is_empty() {
            return document;
        }
        match document {
            Json::String(text) => Json::String(self.text(text)),
            Json::Array(elements) => Json::Array(elements.into_iter().map(|it| self.document(it)).collect()),
            Json::Object(members) => {
                Json::Object(members.into_iter().map(|(name, it)| (self.text(name), self.document(it))).collect())
            }
            Json::Number(number) => {
                let written = serde_json::to_string(&Json::Number(number)).unwrap_or_default();
                let clean = self.text(written.clone());
                if clean == written { Json::Number(number) } else { Json::String(clean) }
            }
            Json::Null | Json::Bool(_) => document,
        }
    }
}

#[cfg(test)]
mod tests {
    use devskyy_domain::{kernel::Json, secrets::SecretValue};

    use super::Redaction;

    fn of(secrets: &[(&str, &str)]) -> Redaction {
        let mut redaction = Redaction::default();
        secrets.iter().for_each(|(name, value)| redaction.add(name, &SecretValue::parse(value).unwrap()));
        redaction
    }

    fn redaction() -> Redaction {
        of(&[("key", "12345678"), ("odd", "a\"b\\cdefg")])
    }

    #[test]
    fn a_secret_that_begins_another_leaves_nothing_of_the_longer_one() {
        let redaction = of(&[("a", "12345678"), ("b", "12345678-rest")]);
        assert_eq!(redaction.text("12345678-rest 12345678".to_owned()), "[secret b] [secret a]");
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_of_either() {
        let redaction = of(&[("a", "abcd1234"), ("b", "1234wxyz")]);
        assert_eq!(redaction.text("<abcd1234wxyz>".to_owned()), "<[secret a]>");
    }

    #[test]
    fn a_text_is_cut_behind_its_secrets() {
        assert_eq!(redaction().excerpt("key 12345678", 8), "key [sec");
    }

    #[test]
    fn a_secret_that_control_characters_divide_is_recognised() {
        assert_eq!(redaction().excerpt("key 1234\u{0}5678", 99), "key [secret key]");
    }

    #[test]
    fn secrets_are_recognised_wherever_they_stand_in_a_document() {
        let document: Json = serde_json::from_str(r#"{"x12345678":[12345678,"is 12345678!"],"n":1}"#).unwrap();
        let clean = serde_json::to_string(&redaction().document(document)).unwrap();
        assert_eq!(clean, r#"{"n":1,"x[secret key]":["[secret key]","is [secret key]!"]}"#);
    }

    #[test]
    fn secrets_are_recognised_as_forms_write_them() {
        assert_eq!(redaction().text("key=a%22b%5Ccdefg&n=1".to_owned()), "key=[secret odd]&n=1");
    }

    #[test]
    fn secrets_are_recognised_with_escaped_slashes() {
        assert_eq!(of(&[("path", "abc/def12")]).text(r"no abc\/def12".to_owned()), "no [secret path]");
    }

    #[test]
    fn secrets_are_recognised_as_json_writes_them() {
        let text = redaction().text(r#"{"said":"a\"b\\cdefg"}"#.to_owned());
        assert_eq!(text, r#"{"said":"[secret odd]"}"#);
    }
}
