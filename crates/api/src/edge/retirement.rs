use std::time::SystemTime;

use actix_web::{
    dev::ServiceRequest,
    http::header::{HeaderName, HeaderValue, HttpDate, LINK},
    web::Data,
};

use super::{dress::Dress, routes::Routes};
use crate::{
    settings::{Retirement, Settings},
    version::ApiVersion,
};

/// Adds to every response of version 1 the address in version 2, and when version 1 retires. The path alone decides,
/// so responses of the layers before the endpoint have it too.
pub(super) fn announce(request: &ServiceRequest) {
    let below = request.path().strip_prefix(ApiVersion::V1.base());
    if below.is_none_or(|rest| !rest.is_empty() && !rest.starts_with('/')) {
        return;
    }
    let retirement = request.app_data::<Data<Settings>>().map(|settings| settings.retirement).unwrap_or_default();
    let link = successor(request).map(|link| (LINK, link));
    for (name, value) in link.into_iter().chain(announced(retirement)) {
        Dress::add(request, name, value);
    }
}

/// The link to the same resource in version 2 (RFC 5829), if there is such an address and its ids can be read.
fn successor(request: &ServiceRequest) -> Option<HeaderValue> {
    let path = request.app_data::<Data<Routes>>()?.find(request.path())?.successor()?;
    HeaderValue::from_str(&format!("<{path}>; rel=\"successor-version\"")).ok()
}

/// `Deprecation` (RFC 9745) and `Sunset` (RFC 8594), if their dates are set.
fn announced(Retirement { deprecated_at, sunset_at }: Retirement) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let deprecated = deprecated_at.map(|at| ("deprecation", format!("@{}", at.timestamp())));
    let sunset = sunset_at.map(|at| ("sunset", HttpDate::from(SystemTime::from(at)).to_string()));
    deprecated
        .into_iter()
        .chain(sunset)
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)))
}
