use actix_web::{
    HttpRequest,
    http::header::{FORWARDED, HeaderName, X_FORWARDED_PROTO},
    web::Data,
};

use crate::settings::Settings;

/// Whether the client came over TLS, as far as it can be trusted: every client if the platform's own address is
/// `https`, otherwise those for which a trusted proxy reports it in `X-Forwarded-Proto` or `Forwarded` (RFC 7239).
pub(crate) fn over_tls(request: &HttpRequest) -> bool {
    let Some(settings) = request.app_data::<Data<Settings>>() else { return false };
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    let proxied = peer.is_some_and(|peer| settings.trusted_proxies.iter().any(|proxy| proxy.contains(peer)));
    settings.over_tls || (proxied && (says(request, &X_FORWARDED_PROTO, named) || says(request, &FORWARDED, forwarded)))
}

/// Whether a header reports TLS for the hop nearest to the client; a client that forges it harms only itself.
fn says(request: &HttpRequest, name: &HeaderName, https: fn(&str) -> bool) -> bool {
    let line = request.headers().get(name).and_then(|line| line.to_str().ok()).unwrap_or_default();
    line.split(',').next().is_some_and(https)
}

fn named(scheme: &str) -> bool {
    scheme.trim().eq_ignore_ascii_case("https")
}

fn forwarded(element: &str) -> bool {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let scheme = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("proto"));
    scheme.is_some_and(|(_, scheme)| named(scheme.trim().trim_matches('"')))
}
