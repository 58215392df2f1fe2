//! Detects responses that the HTTP codec creates itself.

use actix_web::http::StatusCode;

/// Upper bound of their length.
const LONGEST: usize = 256;

/// The only headers of these responses; the platform's own have more.
const HEADERS: [&str; 3] = ["content-length", "connection", "date"];

/// Position and status of such a response in the output buffer. It is always the last, because the codec stops there.
pub(super) fn find(sent: &[u8]) -> Option<(usize, StatusCode)> {
    if !sent.ends_with(b"\r\n\r\n") {
        return None;
    }
    let skipped = sent.len().saturating_sub(LONGEST);
    let begin = skipped + sent[skipped..].windows(7).rposition(|bytes| bytes == b"HTTP/1.")?;
    let head = std::str::from_utf8(&sent[begin..]).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok().filter(|status| *status >= 400)?;
    let bare = lines.all(|line| line.split_once(':').is_some_and(|(name, _)| HEADERS.contains(&name)));
    bare.then_some((begin, StatusCode::from_u16(status).ok()?))
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;

    use super::find;

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: Wed, 25 Nov 2026 15:38:03 GMT\r\n\r\n";

    #[test]
    fn an_answer_of_the_codec_is_found() {
        assert_eq!(find(BARE.as_bytes()), Some((0, StatusCode::BAD_REQUEST)));
    }

    #[test]
    fn one_behind_other_answers_is_found() {
        let before = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-request-id: a\r\n\r\n{}";
        let found = find(format!("{before}{BARE}").as_bytes());
        assert_eq!(found, Some((before.len(), StatusCode::BAD_REQUEST)));
    }

    #[test]
    fn an_answer_of_the_platform_is_none() {
        assert_eq!(find(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx-request-id: a\r\n\r\n"), None);
    }

    #[test]
    fn an_answer_that_is_no_failure_is_none() {
        assert_eq!(find(b"HTTP/1.1 204 No Content\r\ndate: Wed, 25 Nov 2026 15:38:03 GMT\r\n\r\n"), None);
    }

    #[test]
    fn the_middle_of_a_body_is_none() {
        assert_eq!(find(format!("{BARE}more").as_bytes()), None);
    }
}
