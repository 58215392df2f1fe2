use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{CACHE_CONTROL, ETAG},
    web::{Data, Path},
};
use devskyy_application::runs::{GetResult, Runs};
use devskyy_domain::{
    kernel::ids::RunId,
    runs::{ResultHash, StoredResult},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    extract::{CurrentActor, Id, known, quoted},
    ids::RunRef,
    mount::Mount,
    openapi::{answers::Reading, headers::Unless},
    problem::{Problem, request},
};

/// The content behind a hash never changes, but access to it can.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

pub(super) fn configure(config: &mut impl Mount) {
    config.service(get_result);
}

/// A large result that is stored separately.
#[derive(Serialize, ToSchema)]
#[schema(as = StoredResult)]
pub(super) struct StoredResultBody {
    /// SHA-256 of its JSON text, in hexadecimal; by this it is found below its run.
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    hash: String,
    /// The size of the JSON text in bytes.
    #[schema(example = 183_204)]
    bytes: u64,
    /// The beginning of the text.
    #[schema(max_length = 256, example = "{\"items\":[{\"id\":1,")]
    preview: String,
}

impl From<StoredResult> for StoredResultBody {
    fn from(stored: StoredResult) -> Self {
        let StoredResult { hash, bytes, preview } = stored;
        Self { hash: hash.to_string(), bytes, preview }
    }
}

/// Show a large result of a run.
///
/// Returns the stored JSON text of a result or an output. A run shows its hash in `output_stored`, events in
/// `result_hash` or `output_hash`. Results of other runs are not found here.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(
        ("id" = RunRef, Path, description = "Which run"),
        ("hash" = String, Path, description = "Which of its results", min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$"),
        Unless
    ),
    responses(
        (status = 200, description = "The result", body = serde_json::Value, content_type = "application/json", headers(
            ("ETag" = String, description = "The hash"),
            ("Cache-Control" = String, description = "It never changes")
        )),
        (status = 304, description = "`If-None-Match` names it"),
        Reading
    )
)]
#[get("/runs/{id}/results/{hash}")]
async fn get_result(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id(run): Id<RunId>,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let hash = hash(&path.1)?;
    let text = runs.result.handle(&actor, GetResult { run, hash }).await?;
    let tag = hash.to_string();
    let known = known(&request, &tag)?;
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((ETAG, quoted(&tag))).insert_header((CACHE_CONTROL, FOR_EVER));
    Ok(if known { answer.finish() } else { answer.content_type("application/json").body(text) })
}

fn hash(raw: &str) -> Result<ResultHash, Problem> {
    let form = "this part of the path must be 64 hexadecimal digits in lower case";
    raw.parse().map_err(|_| Problem::parameter(request::MALFORMED_ID, "hash", form))
}
