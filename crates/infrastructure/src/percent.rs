use std::fmt::Write as _;

/// Percent-encodes a text, except for ASCII letters, digits and the bytes in `plain` (RFC 3986, section 2.1).
pub(crate) fn percent_encoded(text: &str, plain: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn every_byte_that_is_not_plain_is_told_by_its_number() {
        assert_eq!(percent_encoded("a1 ~\u{e9}\n%", b" "), "a1 %7E%C3%A9%0A%25");
    }
}
