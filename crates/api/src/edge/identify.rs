use std::sync::Arc;

use actix_web::{dev::ServiceRequest, web::Data};
use devskyy_application::ports::IdGenerator;

use crate::extract::RequestContext;

/// The longest request id taken over from a client.
const LONGEST: usize = 128;

/// Gives a request its ids and its place in the client's trace.
///
/// The client may choose the name by which it finds its request again, and nothing else: what the platform records
/// about a request, for example its source, is filed under an id that clients can neither foresee nor repeat.
pub(super) fn identify(request: &ServiceRequest) -> RequestContext {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let fresh = request.app_data::<Data<Arc<dyn IdGenerator>>>().map(|ids| ids.next()).unwrap_or_default();
    let sent = header("x-request-id").filter(|id| sane(id));
    RequestContext {
        request_id: sent.map_or_else(|| fresh.to_string(), str::to_owned),
        correlation_id: fresh,
        traceparent: header("traceparent").filter(|parent| is_traceparent(parent)).map(str::to_owned),
    }
}

fn sane(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

/// W3C Trace Context, version 00.
fn is_traceparent(text: &str) -> bool {
    let lower_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let meant = |part: &str| part.bytes().any(|byte| byte != b'0');
    let parts: Vec<&str> = text.split('-').collect();
    matches!(
        parts.as_slice(),
        ["00", trace, span, flags]
            if lower_hex(trace, 32) && meant(trace) && lower_hex(span, 16) && meant(span) && lower_hex(flags, 2)
    )
}

#[cfg(test)]
mod tests {
    use super::{is_traceparent, sane};

    #[test]
    fn a_trace_is_taken_over_only_in_its_standard_form() {
        assert!(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        assert!(!is_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
        assert!(!is_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
        assert!(!is_traceparent("nonsense"));
    }

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_not_taken_over() {
        assert!(sane("order-17.retry_2"));
        assert!(!sane("a b"));
        assert!(!sane(""));
        assert!(!sane(&"x".repeat(129)));
    }
}
