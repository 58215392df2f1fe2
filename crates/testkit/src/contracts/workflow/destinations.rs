use super::WorkflowUnderTest;

fn refused(it: &WorkflowUnderTest, template: &str) -> bool {
    it.destinations.check(template).is_err()
}

/// Public hosts are allowed.
pub async fn a_public_name_over_https_may_be_reached(it: &WorkflowUnderTest) {
    assert!(!refused(it, "https://example.com/tickets/{{ arguments.id }}"));
    assert!(!refused(it, "https://example.com:8443?x=1"));
}

/// Authors cannot reach the operator's internal network.
pub async fn an_address_that_is_not_public_is_refused(it: &WorkflowUnderTest) {
    for host in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]"] {
        assert!(refused(it, &format!("https://{host}/{{{{ arguments.id }}}}")), "{host}");
    }
}

/// Unless the operator allows it.
pub async fn plain_http_is_refused(it: &WorkflowUnderTest) {
    assert!(refused(it, "http://example.com/"));
    assert!(refused(it, "http://{{ arguments.host }}/"));
}

/// Definitions must not contain credentials.
pub async fn credentials_in_an_address_are_refused(it: &WorkflowUnderTest) {
    assert!(refused(it, "https://ada:secret@example.com/"));
}

/// Invalid URLs are refused on publication.
pub async fn what_is_no_address_is_refused(it: &WorkflowUnderTest) {
    for text in ["", "example.com", "file:///etc/passwd", "https://"] {
        assert!(refused(it, text), "{text}");
    }
}

/// Placeholders are checked with each request.
pub async fn what_is_not_written_out_is_left_open(it: &WorkflowUnderTest) {
    assert!(!refused(it, "{{ arguments.url }}"));
    assert!(!refused(it, "https://{{ arguments.host }}/"));
}
