use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_EMBEDDER_POLICY, CROSS_ORIGIN_OPENER_POLICY,
    CROSS_ORIGIN_RESOURCE_POLICY, HeaderMap, HeaderName, HeaderValue, PERMISSIONS_POLICY, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// The id of the request, in its response.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_PERMITTED_CROSS_DOMAIN_POLICIES: HeaderName = HeaderName::from_static("x-permitted-cross-domain-policies");
const X_DNS_PREFETCH_CONTROL: HeaderName = HeaderName::from_static("x-dns-prefetch-control");

/// Every browser feature a page could request, refused.
const NO_PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), cross-origin-isolated=(), display-capture=(), \
                              encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), keyboard-map=(), \
                              magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
                              publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(), usb=(), web-share=(), \
                              xr-spatial-tracking=()";

/// Two years, as browsers' preload lists ask; sent only if the client came over TLS (RFC 6797).
pub(crate) const HSTS: &str = "max-age=63072000; includeSubDomains";

/// The headers of every response unless its endpoint has set them: the OWASP secure headers for an interface that
/// shows nothing and is never framed.
pub(crate) const DEFAULTS: [(HeaderName, &str); 11] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (CROSS_ORIGIN_EMBEDDER_POLICY, "require-corp"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (PERMISSIONS_POLICY, NO_PERMISSIONS),
    (X_PERMITTED_CROSS_DOMAIN_POLICIES, "none"),
    (X_DNS_PREFETCH_CONTROL, "off"),
];

/// Adds headers that make a response harmless wherever it is shown; those of the endpoint stay.
pub(crate) fn secure(headers: &mut HeaderMap, request_id: &str) {
    for (name, value) in DEFAULTS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(X_REQUEST_ID, request_id);
    }
}
