use actix_web::{HttpRequest, HttpResponse, get, http::header::LINK, web::Data};
use chrono::{DateTime, Utc};
use devskyy_application::{
    audit::{Audit, AuditEntry, AuditFilter, AuditPlace, ListAudit},
    paging::{Beyond, Key, KeyValue, PageOf, Part},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    extract::{CurrentActor, Parameters, link, page, paged},
    ids::ProjectRef,
    mount::Mount,
    openapi::answers::Listing,
    problem::Problem,
    version::ApiVersion,
};

/// Entries per response in version 1, by default and at most; version 2 has the bounds of all lists.
const USUAL: u64 = 50;
const MOST: u64 = 200;

pub(super) fn configure(config: &mut impl Mount) {
    config.service(list_audit);
}

/// Which entries are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this type only describes parameters; the handler reads them")]
struct Wanted {
    /// Only what is about this project; without it the whole platform's, for administrators.
    #[param(required = false, value_type = ProjectRef)]
    project_id: String,
    /// Only this kind, for example `user.role_changed` or `authz_fail`.
    #[param(required = false, max_length = 100)]
    kind: String,
    /// Only what this actor did, for example `user:01938f2e-0000-7000-8000-000000000000`.
    #[param(required = false, max_length = 100)]
    actor: String,
    /// Only from this instant on (RFC 3339).
    #[param(required = false)]
    since: DateTime<Utc>,
    /// Only before this instant (RFC 3339).
    #[param(required = false)]
    until: DateTime<Utc>,
    /// `next_before` of the last answer, to walk on into the past.
    #[param(required = false, max_length = 60)]
    before: String,
    /// The maximum number of items.
    #[param(required = false, default = 50, minimum = 1, maximum = 200)]
    limit: u64,
}

/// Something that was done or denied.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct EntryBody {
    /// The id.
    id: Uuid,
    /// When.
    at: DateTime<Utc>,
    /// The name of the fact, or a name of the OWASP logging vocabulary for sign-ins and denials.
    #[schema(example = "project.member_added")]
    kind: String,
    /// The actor: `user:<id>`, `key:<id>`, `system:<name>` or `anonymous`.
    #[schema(example = "user:01938f2e-0000-7000-8000-000000000000")]
    actor: String,
    /// The address the request came from, for as long as addresses are kept.
    source: Option<String>,
    /// `success` or `failure`.
    #[schema(example = "success")]
    outcome: &'static str,
    /// The project it is about.
    project_id: Option<ProjectRef>,
    /// The object of the action, or the permission or operation that was denied.
    #[schema(example = "project:01938f2e-0000-7000-8000-000000000000")]
    target: Option<String>,
    /// Everything that followed from the same request shares this id.
    correlation_id: Uuid,
}

impl From<AuditEntry> for EntryBody {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.place.id,
            at: entry.place.at,
            kind: entry.kind,
            actor: entry.actor,
            source: entry.source,
            outcome: entry.outcome.as_str(),
            project_id: entry.project.map(Into::into),
            target: entry.target,
            correlation_id: entry.correlation_id,
        }
    }
}

/// A stretch of the trail.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntries)]
struct EntriesBody {
    /// The entries, the newest first.
    items: Vec<EntryBody>,
    /// Send it as `before` to walk on into the past; `null` at the beginning.
    next_before: Option<String>,
}

/// List who did what, when, from where and with what outcome, newest first.
///
/// Facts about accounts, projects, keys and agents are kept for ever; sign-ins, denials and addresses for 90 days.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = [])),
    params(Wanted),
    responses(
        (status = 200, description = "A stretch of them", body = EntriesBody, headers(
            ("Link" = String, description = "The next stretch (RFC 8288)")
        )),
        Listing
    )
)]
#[get("/audit")]
async fn list_audit(
    audit: Data<Audit>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    const TIME: &str = "an RFC 3339 time";
    let short = |raw: &str| (1..=100).contains(&raw.len()).then(|| raw.to_owned());
    let stretch = Stretch::take(&mut parameters);
    let filter = AuditFilter {
        project: parameters.take_id("project_id"),
        kind: parameters.take_by("kind", "1 to 100 characters", short),
        actor: parameters.take_by("actor", "1 to 100 characters", short),
        since: parameters.take("since", TIME),
        until: parameters.take("until", TIME),
        before: stretch.before,
    };
    parameters.finish()?;
    let limit = stretch.limit;
    let (entries, more) = audit.list(&actor, ListAudit { filter, limit }).await?;
    let next = entries.last().filter(|_| more).map(|entry| entry.place);
    let items = entries.into_iter().map(EntryBody::from).collect();
    let Some(part) = stretch.part else { return Ok(walked(&request, limit, items, next)) };
    let beyond = Beyond::Next(next.map(|AuditPlace { at, id }| Key::by_time(at, id)));
    Ok(paged(&request, &part, PageOf { items, beyond }))
}

/// The part of the trail that is requested.
struct Stretch {
    before: Option<AuditPlace>,
    limit: u64,
    /// The same as in every list of version 2.
    part: Option<Part>,
}

impl Stretch {
    fn take(parameters: &mut Parameters) -> Self {
        if ApiVersion::spoken() == ApiVersion::V1 {
            let before = parameters.take_by("before", "the `next_before` of a response", place);
            let limit = parameters.take_by("limit", "a number from 1 to 200", limit).unwrap_or(USUAL);
            return Self { before, limit, part: None };
        }
        let part = page(parameters);
        let (after, limit) = match &part {
            Part::Keyset(wanted) => (wanted.after.as_ref(), wanted.limit),
            Part::Page(wanted) => (None, wanted.page_size),
        };
        Self { before: after.and_then(placed), limit, part: Some(part) }
    }
}

fn placed(Key { value, id }: &Key) -> Option<AuditPlace> {
    match value {
        KeyValue::Number(micros) => Some(AuditPlace { at: DateTime::from_timestamp_micros(*micros)?, id: *id }),
        KeyValue::Text(_) => None,
    }
}

/// A part of the trail in the form of version 1.
fn walked(request: &HttpRequest, limit: u64, items: Vec<EntryBody>, next: Option<AuditPlace>) -> HttpResponse {
    let (mut response, next_before) = (HttpResponse::Ok(), next.map(written));
    if let Some(before) = &next_before {
        response.insert_header((LINK, link(request, &format!("limit={limit}&before={before}"), "next")));
    }
    response.json(EntriesBody { items, next_before })
}

fn limit(raw: &str) -> Option<u64> {
    raw.parse().ok().filter(|limit| (1..=MOST).contains(limit))
}

fn written(AuditPlace { at, id }: AuditPlace) -> String {
    format!("{}.{id}", at.timestamp_micros())
}

fn place(raw: &str) -> Option<AuditPlace> {
    let (at, id) = raw.split_once('.')?;
    Some(AuditPlace { at: DateTime::from_timestamp_micros(at.parse().ok()?)?, id: Uuid::try_parse(id).ok()? })
}
