use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder,
    dev::Payload,
    http::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LOCATION},
};
use aws_lc_rs::digest::{Context, SHA256};
use devskyy_application::{error::Error, es::Position};
use devskyy_domain::kernel::Version;
use serde::Serialize;

use crate::{
    problem::{Problem, platform, request},
    version::ApiVersion,
};

/// Something with a version, which is its `ETag`.
pub(crate) trait Revision: Serialize {
    /// Its version.
    fn version(&self) -> Version;

    /// The part of its entity tag beside the version, if it shows something that no version covers.
    fn beside_version(&self) -> Option<u32> {
        None
    }
}

/// Entity tags a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    OneOf(Vec<String>),
}

/// The state the client last saw, if it sent it (`If-Match`); version 2 requires it.
#[derive(Debug)]
pub(crate) struct IfMatch(Option<Tags>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(asked: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(tags(asked, &IF_MATCH).and_then(|tags| match (ApiVersion::spoken(), tags) {
            (ApiVersion::V2, None) => Err(Problem::parameter(
                request::PRECONDITION_REQUIRED,
                IF_MATCH.as_str(),
                "send the `ETag` last seen, or `*` for any state",
            )),
            (_, tags) => Ok(Self(tags)),
        }))
    }
}

impl IfMatch {
    /// The one version that must still be current; of several, the one that is.
    pub(crate) async fn expected(
        self,
        current: impl Future<Output = Result<Version, Problem>>,
    ) -> Result<Option<Version>, Problem> {
        let versions = match self.0 {
            None | Some(Tags::Any) => return Ok(None),
            Some(Tags::OneOf(tags)) => tags,
        };
        let version = |tag: &String| tag.split('-').next().and_then(|version| version.parse::<Version>().ok());
        let versions: Vec<Version> = versions.iter().filter_map(version).collect();
        if let [only] = versions.as_slice() {
            return Ok(Some(*only));
        }
        let current = current.await?;
        let stale = || Problem::new(platform::STALE_VERSION, format!("the current version is {current}"));
        versions.contains(&current).then_some(Some(current)).ok_or_else(stale)
    }

    /// The whole state that must still be current, including what no version covers; `None` if any will do.
    pub(crate) async fn whole<S: Clone, B: Revision>(
        self,
        current: impl Future<Output = Result<S, Problem>>,
        shown: fn(S) -> B,
    ) -> Result<Option<S>, Problem> {
        let Some(Tags::OneOf(seen)) = self.0 else { return Ok(None) };
        let state = current.await?;
        if seen.contains(&tag(&shown(state.clone()))) {
            return Ok(Some(state));
        }
        Err(Error::Stale.into())
    }
}

/// Responds with something that has a version; `304` if the client has that version already.
pub(crate) fn shown(request: &HttpRequest, body: &impl Revision) -> Result<HttpResponse, Problem> {
    unless_known(request, &tag(body), |mut answer| answer.json(body))
}

/// Responds with something as of a position of the log, and with something beside it; `304` if the client has seen
/// both.
pub(crate) fn shown_at(
    request: &HttpRequest,
    position: Position,
    beside: u32,
    answer: impl FnOnce(HttpResponseBuilder) -> HttpResponse,
) -> Result<HttpResponse, Problem> {
    unless_known(request, &beside_version(position, beside), answer)
}

fn unless_known(
    request: &HttpRequest,
    tag: &str,
    answer: impl FnOnce(HttpResponseBuilder) -> HttpResponse,
) -> Result<HttpResponse, Problem> {
    if known(request, tag)? {
        return Ok(not_modified(tag));
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, quoted(tag)));
    Ok(answer(response))
}

fn not_modified(tag: &str) -> HttpResponse {
    HttpResponse::NotModified().insert_header((ETAG, quoted(tag))).finish()
}

/// The response to a client that has a version already; `None` if it has not, or does not name one. Only then is the
/// version looked up, so that a client that has it costs less.
pub(crate) async fn unchanged(
    request: &HttpRequest,
    current: impl Future<Output = Result<Version, Problem>>,
) -> Result<Option<HttpResponse>, Problem> {
    if !request.headers().contains_key(IF_NONE_MATCH) {
        return Ok(None);
    }
    let tag = current.await?.to_string();
    Ok(known(request, &tag)?.then(|| not_modified(&tag)))
}

/// Whether the client has the state with that tag already.
pub(crate) fn known(request: &HttpRequest, tag: &str) -> Result<bool, Problem> {
    Ok(match tags(request, &IF_NONE_MATCH)? {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::OneOf(tags)) => tags.iter().any(|known| known == tag),
    })
}

/// Responds to a change with the resulting state.
pub(crate) fn changed(body: &impl Revision) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, quoted(&tag(body)))).json(body)
}

/// Responds with something new and its address.
pub(crate) fn created(location: String, body: &impl Revision) -> HttpResponse {
    HttpResponse::Created().insert_header((ETAG, quoted(&tag(body)))).insert_header((LOCATION, location)).json(body)
}

/// A version as an entity tag.
pub(crate) fn etag(version: Version) -> String {
    quoted(&version.to_string())
}

fn tag(body: &impl Revision) -> String {
    let version = body.version();
    body.beside_version().map_or_else(|| version.to_string(), |beside| beside_version(version, beside))
}

fn beside_version(version: Version, beside: u32) -> String {
    format!("{version}-{beside:08x}")
}

/// A text as an entity tag.
pub(crate) fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// A short digest of texts, to distinguish their states.
pub(crate) fn digest(texts: &[&str]) -> u32 {
    let mut digest = Context::new(&SHA256);
    for text in texts {
        digest.update(&(text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    }
    let digest = digest.finish();
    digest.as_ref().first_chunk().copied().map(u32::from_be_bytes).unwrap_or_default()
}

/// Reads a condition (RFC 9110, 13.1). Weak tags count: proxies weaken what they compress.
fn tags(request: &HttpRequest, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let malformed =
        || Problem::parameter(request::MALFORMED_ETAG, name.as_str(), "must be `*` or a list of quoted tags");
    let mut named = None;
    for value in request.headers().get_all(name) {
        let text = value.to_str().map_err(|_| malformed())?.trim();
        if text == "*" {
            return Ok(Some(Tags::Any));
        }
        named.get_or_insert_with(Vec::new).extend(listed(text).ok_or_else(malformed)?);
    }
    Ok(named.map(Tags::OneOf))
}

/// The tags of a list, of which some elements may be empty (RFC 9110, 5.6.1); `None` if it is malformed.
fn listed(list: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (tag, after) = first_tag(rest)?;
        tags.push(tag.to_owned());
        let next = after.trim_start_matches([' ', '\t', ',']);
        if !next.is_empty() && !after.trim_start().starts_with(',') {
            return None;
        }
        rest = next;
    }
    (!tags.is_empty()).then_some(tags)
}

/// The text of the entity tag that a list begins with, and what follows it (RFC 9110, 8.8.3).
fn first_tag(list: &str) -> Option<(&str, &str)> {
    let quoted = list.strip_prefix("W/").unwrap_or(list).strip_prefix('"')?;
    let (tag, after) = quoted.split_once('"')?;
    tag.bytes().all(|byte| byte.is_ascii_graphic()).then_some((tag, after))
}
