//! What was sent in secret does not come back in the open.

use std::collections::BTreeMap;

use devskyy_domain::{kernel::Json, secrets::SecretValue};

use super::body::encoded;

/// Secrets that were sent, by name; a service may repeat them in its answer.
#[derive(Default)]
pub(super) struct Redaction(BTreeMap<String, SecretValue>);

impl Redaction {
    /// Looks out for another secret.
    pub(super) fn add(&mut self, name: &str, value: SecretValue) {
        self.0.insert(name.to_owned(), value);
    }

    /// A text without secrets, written out or as they stand within JSON or a form.
    pub(super) fn text(&self, text: String) -> String {
        self.0.iter().fold(text, |text, (name, value)| {
            let (plain, instead) = (value.expose(), format!("[secret {name}]"));
            let escaped = plain.replace('\\', "\\\\").replace('"', "\\\"");
            // The longer forms first: the plain one may be a part of them.
            [escaped.as_str(), encoded(plain).as_str(), plain]
                .into_iter()
                .fold(text, |text, form| if text.contains(form) { text.replace(form, &instead) } else { text })
        })
    }

    /// A document without secrets, be they texts, names of members or numbers.
    pub(super) fn document(&self, document: Json) -> Json {
        if self.0.is_empty() {
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

    fn redaction() -> Redaction {
        let mut redaction = Redaction::default();
        redaction.add("key", SecretValue::parse("12345678").unwrap());
        redaction.add("odd", SecretValue::parse("a\"b\\cdefg").unwrap());
        redaction
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
    fn secrets_are_recognised_as_json_writes_them() {
        let text = redaction().text(r#"{"said":"a\"b\\cdefg"}"#.to_owned());
        assert_eq!(text, r#"{"said":"[secret odd]"}"#);
    }
}
