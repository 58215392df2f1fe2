use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use devskyy_application::{
    error::Error,
    ports::Clock,
    runs::{
        Dimension, GetUsage, Grouping, ModelUse, ProjectUsage, Runs, UsageDays, UsageError, UsageFilter, UsageGroup,
    },
};
use devskyy_domain::kernel::{Refusal as _, ids::ProjectId};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::run_bodies::TokensBody;
use crate::{
    bounds::DimensionName,
    extract::{CurrentActor, Id, Paged, Parameters, digest, page, paged_beside, shown_at},
    ids::{AgentRef, ProjectRef},
    mount::Mount,
    openapi::{answers::Narrowed, headers::Unless, parts::Paging},
    problem::Problem,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(get_usage);
}

/// The usage that is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what the operation takes")]
struct Wanted {
    /// From this day in UTC on; without it 30 days before `to`.
    #[param(required = false, example = "2026-11-01")]
    from: NaiveDate,
    /// Before this day in UTC, at most 366 days after `from`; tomorrow by default, so that today is included.
    #[param(required = false, example = "2026-12-01")]
    to: NaiveDate,
    /// Only that of this agent.
    #[param(required = false)]
    agent_id: AgentRef,
    /// The dimensions to group by, separated by commas; the others are added up.
    #[param(required = false, style = Form, explode = false, min_items = 1, example = json!(["day", "model"]))]
    group_by: Vec<DimensionName>,
}

/// The usage of one group: a day, a model and an agent, or those of them that are grouped by.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageItem)]
struct ItemBody {
    /// The day in UTC on which models answered; `null` if days are added up.
    day: Option<NaiveDate>,
    /// The model that answered, `<provider>/<model>`; `null` if models are added up.
    #[schema(max_length = 256, example = "anthropic/claude-sonnet-4-5")]
    model: Option<String>,
    /// The agent whose runs made the calls; `null` if agents are added up.
    agent_id: Option<AgentRef>,
    /// Answers of models.
    calls: u64,
    /// Those of them whose price was not known; they count as costing nothing.
    unpriced_calls: u64,
    /// Calls for which the provider did not report usage; they count with the most they can have used.
    estimated_calls: u64,
    /// Tokens by class.
    tokens: TokensBody,
    /// The cost at that time, in millionths of the unit of the prices.
    cost_micros: u64,
}

impl From<UsageGroup> for ItemBody {
    fn from(group: UsageGroup) -> Self {
        let UsageGroup { day, model, agent, used } = group;
        let ModelUse { calls, unpriced_calls, estimated_calls, tokens, cost_micros } = used;
        let agent_id = agent.map(Into::into);
        Self { day, model, agent_id, calls, unpriced_calls, estimated_calls, tokens: tokens.into(), cost_micros }
    }
}

/// The usage of all groups together.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageTotals)]
struct TotalsBody {
    /// Answers of models.
    calls: u64,
    /// Those of them whose price was not known; they count as costing nothing.
    unpriced_calls: u64,
    /// Calls for which the provider did not report usage; they count with the most they can have used.
    estimated_calls: u64,
    /// Tokens by class.
    tokens: TokensBody,
    /// The cost at that time, in millionths of the unit of the prices.
    cost_micros: u64,
}

impl From<ModelUse> for TotalsBody {
    fn from(used: ModelUse) -> Self {
        let ModelUse { calls, unpriced_calls, estimated_calls, tokens, cost_micros } = used;
        Self { calls, unpriced_calls, estimated_calls, tokens: tokens.into(), cost_micros }
    }
}

/// What stands beside the list.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageFrame)]
struct FrameBody {
    /// The project.
    project_id: ProjectRef,
    /// The first reported day.
    from: NaiveDate,
    /// The day after the last reported one.
    to: NaiveDate,
    /// The sums over all pages.
    totals: TotalsBody,
}

/// The usage of models in a project.
#[derive(Serialize, ToSchema)]
#[schema(as = ProjectUsage)]
struct UsageBody {
    #[serde(flatten)]
    frame: FrameBody,
    #[serde(flatten)]
    list: Paged<ItemBody>,
}

fn day(raw: &str) -> Option<NaiveDate> {
    let written = raw.len() == "2026-11-01".len() && raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let day = NaiveDate::parse_from_str(raw, "%Y-%m-%d").ok().filter(|_| written)?;
    (1970..=9999).contains(&day.year()).then_some(day)
}

/// The requested days. Errors in them are reported together with all others.
fn days(parameters: &mut Parameters, now: DateTime<Utc>) -> Result<UsageDays, UsageError> {
    const FORM: &str = "a date from 1970-01-01 to 9999-12-31, for example 2026-11-01";
    let (from, to) = (parameters.take_by("from", FORM, day), parameters.take_by("to", FORM, day));
    let days = UsageDays::parse(from, to, now);
    if let Err(refusal) = &days {
        parameters.fault(refusal.code(), if to.is_some() { "to" } else { "from" }, refusal.to_string());
    }
    days
}

/// Report the usage of models in a project: tokens by class, and their cost at that time.
///
/// Grouped by day, model and agent, or by those of them in `group_by`, in this order. An answer counts for the model
/// that gave it, for the agent of the run that made the call (a child run has its own) and on the day it was recorded.
/// Calls without an answer do not count, because what a provider bills for them is not known.
#[utoipa::path(
    tag = "budgets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), Wanted, Paging, Unless),
    responses(
        (
            status = 200, description = "What was used", body = UsageBody,
            headers(
                ("ETag" = String, description = "Changes with whatever is used"),
                ("Link" = String, description = "Other pages")
            )
        ),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Narrowed
    )
)]
#[get("/projects/{id}/usage")]
async fn get_usage(
    runs: Data<Runs>,
    clock: Data<Arc<dyn Clock>>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    mut parameters: Parameters,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let days = days(&mut parameters, clock.now());
    let agent = parameters.take_id("agent_id");
    let form = format!("{}, or several, separated by commas", Dimension::ALL.map(Dimension::as_str).join(", "));
    let by = parameters.take_each("group_by", &form, Dimension::named).and_then(|by| Grouping::by(&by));
    let by = by.unwrap_or(Grouping::ALL);
    let page = page(&mut parameters);
    parameters.finish()?;
    let days = days.map_err(Error::from)?;
    let filter = UsageFilter { project, days, agent, by };
    let ProjectUsage { totals, position, groups } =
        runs.usage.handle(&actor, GetUsage { filter, page: page.clone() }).await?;
    // Default days move with time, and the position does not contain them.
    let range = [days.from(), days.to()].map(|day| day.to_string());
    let beside = digest(&range.each_ref().map(String::as_str));
    let frame = FrameBody { project_id: project.into(), from: days.from(), to: days.to(), totals: totals.into() };
    shown_at(&request, position, beside, |answer| {
        paged_beside(answer, &request, &page, groups.map(ItemBody::from), frame)
    })
}
