//! The documentation that a running platform serves; nothing is loaded from elsewhere.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::{
        CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentEncoding, HeaderMap, HeaderValue, LOCATION,
    },
    web::{self, Bytes, Data, Path, ServiceConfig},
};
use utoipa_swagger_ui::Config;

use crate::problem::{Problem, html, request};

/// Scripts and data from here only; inline styles are the one exception.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The OpenAPI document as it is served: the committed one. A test keeps it equal to what the routes generate;
/// generating it at every start would cost time and memory.
pub(crate) const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

/// Addresses of the pages; the document does not describe them.
pub(crate) const PAGES: [&str; 5] = ["/openapi.json", "/docs", "/docs/", "/docs/errors", "/docs/{file}"];

/// Mounts the pages.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let viewer =
        Config::from("/openapi.json").validator_url("none").try_it_out_enabled(true).persist_authorization(false);
    config
        .app_data(Data::from(Arc::new(viewer)))
        .route("/openapi.json", web::get().to(openapi_json))
        .route("/docs", web::get().to(to_viewer))
        .route("/docs/errors", web::get().to(errors))
        .route("/docs/{file:.*}", web::get().to(viewer_file));
}

async fn openapi_json() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(Bytes::from_static(DOCUMENT.as_bytes()))
}

async fn to_viewer() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

async fn errors() -> HttpResponse {
    let mut response = HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html());
    guard(response.headers_mut());
    response
}

async fn viewer_file(file: Path<String>, viewer: Data<Config<'static>>) -> Result<HttpResponse, Problem> {
    let found = utoipa_swagger_ui::serve(&file, viewer.into_inner());
    let file = found.ok().flatten().ok_or_else(|| Problem::new(request::ROUTE_NOT_FOUND, "there is no such page"))?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header((CONTENT_ENCODING, ContentEncoding::Gzip));
    }
    let mut response = response.content_type(file.content_type).body(file.bytes.into_owned());
    guard(response.headers_mut());
    Ok(response)
}

fn guard(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
}
