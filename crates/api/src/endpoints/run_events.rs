use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, get,
    http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING},
    web::Data,
};
use devskyy_application::runs::{RunEvents, Runs};
use devskyy_domain::kernel::ids::RunId;
use utoipa::IntoParams;

use super::{
    event_bodies::{EventBody, EventsBody},
    event_stream::Listener,
};
use crate::{
    edge::Credential,
    extract::{CurrentActor, Id, Parameters},
    health::SharedReadiness,
    ids::RunRef,
    mount::Mount,
    openapi::{answers::Narrowed, headers},
    problem::{Problem, request},
    settings::Settings,
    version::ApiVersion,
};

const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Events of one JSON page, and of one read of the log while streaming.
const USUAL: usize = 100;
const MOST: usize = 500;

pub(super) fn configure(config: &mut impl Mount) {
    config.service(run_events);
}

/// Which events are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what the endpoint takes")]
struct Wanted {
    /// Only what came after this position.
    #[param(required = false, default = 0)]
    after: u64,
    /// The maximum number of events on a JSON page.
    #[param(required = false, default = 100, minimum = 1, maximum = 500)]
    limit: usize,
}

/// List the events of a run, as a page or as a stream.
///
/// With `Accept: text/event-stream` the response is a stream of server-sent events: `id` is the position, `event` the type,
/// `data` the event in JSON. Between them come pieces of a model's answer, as `run.model_delta` without `id`: a preview that
/// the call's durable event replaces, and of which a slow client loses pieces. `Last-Event-ID` (or `after`) resumes it, also
/// after a restart and on another replica. Lines that begin with a colon only keep the connection alive. The stream ends when
/// the run has ended and all its events so far are sent. A verdict on a call in doubt may be recorded after that: resume to
/// read it. A client that disconnects cancels nothing.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(
        ("id" = RunRef, Path, description = "Which run"),
        headers::ResumeAfter,
        Wanted
    ),
    responses(
        (status = 200, description = "The events in order", content(
            (EventsBody = "application/json"),
            (String = "text/event-stream", example = "id: 4711\nevent: run.completed\ndata: {\"position\":4711,\"type\":\"run.completed\"}\n\n")
        )),
        Narrowed
    )
)]
#[get("/runs/{id}/events")]
async fn run_events(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id(run): Id<RunId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let after = parameters.take("after", "a position");
    let limit = parameters.take_by("limit", "a number from 1 to 500", limit).unwrap_or(USUAL);
    parameters.finish()?;
    let after = last_event_id(&request)?.or(after).unwrap_or_default();
    let page = runs.events.handle(&actor, run, RunEvents { after, known: 0, limit }).await?;
    if wants_stream(&request) {
        return Ok(streamed(listener(&request, runs, run, after), page));
    }
    let next_after = page.events.last().map_or(after, |event| event.position);
    let (more, ended) = (page.more, page.ended());
    let items = page.events.into_iter().map(EventBody::from).collect();
    Ok(HttpResponse::Ok().json(EventsBody { items, next_after, more, ended }))
}

fn limit(raw: &str) -> Option<usize> {
    raw.parse().ok().filter(|limit| (1..=MOST).contains(limit))
}

fn last_event_id(request: &HttpRequest) -> Result<Option<u64>, Problem> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    position.map(Some).ok_or_else(|| {
        Problem::parameter(request::LAST_EVENT_ID, LAST_EVENT_ID, "must be the id of the last event received")
    })
}

fn wants_stream(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let essence = range.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

fn listener(request: &HttpRequest, runs: Data<Runs>, run: RunId, after: u64) -> Listener {
    Listener {
        live: runs.events.listen(run),
        runs,
        run,
        after,
        version: ApiVersion::spoken(),
        credential: request.extensions().get::<Credential>().cloned(),
        readiness: request.app_data::<Data<SharedReadiness>>().cloned(),
        heartbeat: request.app_data::<Data<Settings>>().map(|data| data.heartbeat).unwrap_or_default(),
    }
}

fn streamed(listener: Listener, first: devskyy_application::runs::RunEventsPage) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compression would hold events back until a block is full.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(listener.listen(first))
}
