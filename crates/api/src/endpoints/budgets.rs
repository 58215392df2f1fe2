use actix_web::{HttpRequest, HttpResponse, delete, get, put, web::Data};
use chrono::{DateTime, Utc};
use devskyy_application::{
    budgets::{BudgetOf, BudgetView, Budgets, GetBudget, RemoveBudget, SetBudget},
    context::Actor,
    error::Error,
};
use devskyy_domain::{
    budgets::{Amount, BudgetOwner, Period, Terms},
    kernel::{
        Version,
        ids::{AgentId, ProjectId},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::run_bodies::TokensBody;
use crate::{
    extract::{Body, CurrentActor, Id, IfMatch, Revision, changed, shown},
    ids::{AgentRef, ProjectRef},
    mount::Mount,
    openapi::{
        answers::{Acting, Changing, Reading},
        headers::{OnlyIf, Unless},
    },
    problem::Problem,
};

pub(super) fn configure(config: &mut impl Mount) {
    config
        .service(get_project_budget)
        .service(set_project_budget)
        .service(remove_project_budget)
        .service(get_agent_budget)
        .service(set_agent_budget)
        .service(remove_agent_budget);
}

/// The time a budget is for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BudgetPeriod)]
enum PeriodName {
    /// All time.
    Total,
    /// A day in UTC.
    Day,
    /// A calendar month in UTC.
    Month,
}

impl From<PeriodName> for Period {
    fn from(name: PeriodName) -> Self {
        match name {
            PeriodName::Total => Self::Total,
            PeriodName::Day => Self::Day,
            PeriodName::Month => Self::Month,
        }
    }
}

impl From<Period> for PeriodName {
    fn from(period: Period) -> Self {
        match period {
            Period::Total => Self::Total,
            Period::Day => Self::Day,
            Period::Month => Self::Month,
        }
    }
}

/// A budget: a limit on tokens, money or both.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBudget, example = json!({"max_tokens": 5_000_000, "max_cost_micros": 20_000_000, "period": "month"}))]
struct TermsBody {
    /// Tokens of all classes together.
    max_tokens: Option<u64>,
    /// Money, in millionths of the unit of the prices.
    max_cost_micros: Option<u64>,
    /// For how long.
    period: PeriodName,
}

impl TermsBody {
    fn terms(&self) -> Result<Terms, Error> {
        Ok(Terms::parse(self.max_tokens, self.max_cost_micros, self.period.into())?)
    }
}

/// So much of what budgets limit.
#[derive(Serialize, ToSchema)]
#[schema(as = BudgetAmount)]
struct AmountBody {
    /// Tokens of all classes together.
    tokens: u64,
    /// Money, in millionths of the unit of the prices.
    cost_micros: u64,
}

/// A budget and its usage.
#[derive(Serialize, ToSchema)]
#[schema(as = Budget)]
struct BudgetBody {
    /// The project.
    project_id: ProjectRef,
    /// The agent, if it is the budget of an agent.
    agent_id: Option<AgentRef>,
    /// Tokens of all classes together.
    max_tokens: Option<u64>,
    /// Money, in millionths of the unit of the prices.
    max_cost_micros: Option<u64>,
    /// For how long.
    period: PeriodName,
    /// Tokens used in the present period.
    used_tokens: TokensBody,
    /// The cost.
    used_cost_micros: u64,
    /// What calls in progress have reserved.
    reserved: AmountBody,
    /// When the usage is reset; `null` if the budget is for all time.
    resets_at: Option<DateTime<Utc>>,
    /// The number of changes of the limit; usage does not change it.
    version: Version,
}

impl From<BudgetView> for BudgetBody {
    fn from(view: BudgetView) -> Self {
        let BudgetView { standing, revision } = view;
        let agent_id = match standing.owner {
            BudgetOwner::Project { .. } => None,
            BudgetOwner::Agent { agent, .. } => Some(agent.into()),
        };
        let Amount { tokens, cost_micros } = standing.reserved;
        Self {
            project_id: standing.owner.project().into(),
            agent_id,
            max_tokens: standing.terms.max_tokens,
            max_cost_micros: standing.terms.max_cost_micros,
            period: standing.terms.period.into(),
            used_tokens: standing.usage.into(),
            used_cost_micros: standing.cost_micros,
            reserved: AmountBody { tokens, cost_micros },
            resets_at: standing.resets_at,
            version: revision,
        }
    }
}

impl Revision for BudgetBody {
    fn version(&self) -> Version {
        self.version
    }

    // Usage is shown too, but the version does not cover it.
    fn beside_version(&self) -> Option<u32> {
        let used =
            [self.used_cost_micros, self.reserved.tokens, self.reserved.cost_micros].map(|part| part.to_string());
        let used = [self.used_tokens.total().to_string()].into_iter().chain(used).collect::<Vec<_>>();
        Some(crate::extract::digest(&used.iter().map(String::as_str).collect::<Vec<_>>()))
    }
}

async fn show(budgets: &Budgets, actor: &Actor, request: &HttpRequest, of: BudgetOf) -> Result<HttpResponse, Problem> {
    let found = budgets.get.handle(actor, GetBudget { of }).await?;
    shown(request, &BudgetBody::from(found))
}

async fn set(
    budgets: &Budgets,
    actor: &Actor,
    only_if: IfMatch,
    of: BudgetOf,
    body: Body<TermsBody>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(async { Ok(budgets.set.revision(actor, of).await?) }).await?;
    let terms = body.into_inner().terms()?;
    let now = budgets.set.handle(actor, SetBudget { of, terms, expected }).await?;
    Ok(changed(&BudgetBody::from(now)))
}

async fn remove(budgets: &Budgets, actor: &Actor, only_if: IfMatch, of: BudgetOf) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(async { Ok(budgets.set.revision(actor, of).await?) }).await?;
    budgets.remove.handle(actor, RemoveBudget { of, expected }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Show a project's budget and its usage.
#[utoipa::path(
    tag = "budgets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), Unless),
    responses(
        (status = 200, description = "The budget", body = BudgetBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/projects/{id}/budget")]
async fn get_project_budget(
    budgets: Data<Budgets>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    show(&budgets, &actor, &request, BudgetOf::Project(project)).await
}

/// Set a project's budget.
///
/// Usage in the current period still counts, unless the period changes. Model calls in progress continue.
#[utoipa::path(
    tag = "budgets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), OnlyIf),
    request_body = TermsBody,
    responses((status = 200, description = "The budget as it is now", body = BudgetBody), Changing)
)]
#[put("/projects/{id}/budget")]
async fn set_project_budget(
    budgets: Data<Budgets>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    only_if: IfMatch,
    body: Body<TermsBody>,
) -> Result<HttpResponse, Problem> {
    set(&budgets, &actor, only_if, BudgetOf::Project(project), body).await
}

/// Remove a project's budget; its usage is no longer limited.
#[utoipa::path(
    tag = "budgets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), OnlyIf),
    responses((status = 204, description = "Nothing is limited"), Acting)
)]
#[delete("/projects/{id}/budget")]
async fn remove_project_budget(
    budgets: Data<Budgets>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    remove(&budgets, &actor, only_if, BudgetOf::Project(project)).await
}

/// Show an agent's budget and its usage.
#[utoipa::path(
    tag = "budgets",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), Unless),
    responses(
        (status = 200, description = "The budget", body = BudgetBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/agents/{id}/budget")]
async fn get_agent_budget(
    budgets: Data<Budgets>,
    CurrentActor(actor): CurrentActor,
    Id(agent): Id<AgentId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    show(&budgets, &actor, &request, BudgetOf::Agent(agent)).await
}

/// Set an agent's budget; its runs count in the project's budget too.
#[utoipa::path(
    tag = "budgets",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), OnlyIf),
    request_body = TermsBody,
    responses((status = 200, description = "The budget as it is now", body = BudgetBody), Changing)
)]
#[put("/agents/{id}/budget")]
async fn set_agent_budget(
    budgets: Data<Budgets>,
    CurrentActor(actor): CurrentActor,
    Id(agent): Id<AgentId>,
    only_if: IfMatch,
    body: Body<TermsBody>,
) -> Result<HttpResponse, Problem> {
    set(&budgets, &actor, only_if, BudgetOf::Agent(agent), body).await
}

/// Remove an agent's budget.
#[utoipa::path(
    tag = "budgets",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), OnlyIf),
    responses((status = 204, description = "Nothing is limited"), Acting)
)]
#[delete("/agents/{id}/budget")]
async fn remove_agent_budget(
    budgets: Data<Budgets>,
    CurrentActor(actor): CurrentActor,
    Id(agent): Id<AgentId>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    remove(&budgets, &actor, only_if, BudgetOf::Agent(agent)).await
}
