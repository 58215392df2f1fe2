//! Model usage: rows updated in the transaction that records an answer, and the sums for queries.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{Days, NaiveDate};
use devskyy_application::{
    error::PortError,
    es::Position,
    paging::{KeysetRequest, PageOf, Part},
    runs::{Dimension, Grouping, ModelUse, ProjectUsage, TokenCount, UsageFilter, UsageGroup, UsageRow, UsageViews},
};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::{
    es::{ROWS_AT_ONCE, statement},
    sql::{Database, Port, loaded, stored},
};

const PORT: Port = Port("usage views");

/// The increments of rows, with the position of the last answer in each.
#[derive(Debug, Default)]
pub(super) struct Growth(BTreeMap<UsageRow, (ModelUse, Position)>);

impl Growth {
    pub(super) fn add(&mut self, row: UsageRow, used: &ModelUse, position: Position) {
        let (grown, last) = self.0.entry(row).or_default();
        *grown = grown.plus(used).held();
        *last = position.max(*last);
    }

    /// Streams are saved in batches, and a batch may contain earlier events than the previous one, so the position is
    /// the maximum.
    pub(super) async fn save(self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        let backend = tx.get_database_backend();
        let rows: Vec<_> = self.0.into_iter().collect();
        for some in rows.chunks(ROWS_AT_ONCE) {
            let places = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; some.len()].join(", ");
            let sql = format!(
                "INSERT INTO model_usage (project_id, day, model, agent_id, {}, position) VALUES {places} \
                 ON CONFLICT (project_id, day, model, agent_id) DO UPDATE SET {}, \
                 position = {}(model_usage.position, excluded.position)",
                SUMS.join(", "),
                grown(backend),
                greatest(backend),
            );
            let values = some.iter().flat_map(|(row, (used, position))| values(row, used, *position));
            tx.execute_raw(statement(backend, &sql, values.collect())).await?;
        }
        Ok(())
    }
}

const SUMS: [&str; 9] = [
    "calls",
    "unpriced_calls",
    "estimated_calls",
    "input",
    "output",
    "cache_read",
    "cache_write",
    "reasoning",
    "cost_micros",
];

fn grown(backend: DatabaseBackend) -> String {
    let least = if backend == DatabaseBackend::Postgres { "LEAST" } else { "MIN" };
    let most = ModelUse::MOST;
    let each = SUMS.map(|sum| format!("{sum} = {least}(model_usage.{sum} + excluded.{sum}, {most})"));
    each.join(", ")
}

fn greatest(backend: DatabaseBackend) -> &'static str {
    if backend == DatabaseBackend::Postgres { "GREATEST" } else { "MAX" }
}

fn values(row: &UsageRow, used: &ModelUse, position: Position) -> impl Iterator<Item = Value> + use<> {
    let ModelUse { calls, unpriced_calls, estimated_calls, tokens, cost_micros } = *used;
    let TokenCount { input, output, cache_read, cache_write, reasoning } = tokens;
    let (project, agent) = (Uuid::from(row.project), Uuid::from(row.agent));
    let key = [project.into(), number_of(row.day).into(), row.model.as_str().into(), agent.into()];
    let counts = [calls, unpriced_calls, estimated_calls];
    let sums = [input, output, cache_read, cache_write, reasoning, cost_micros, position];
    key.into_iter().chain(counts.into_iter().chain(sums).map(|sum| stored(sum).into()))
}

/// A day as days since 1970-01-01.
fn number_of(day: NaiveDate) -> i32 {
    i32::try_from((day - NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}

fn day_of(number: i32) -> NaiveDate {
    let days = Days::new(u64::try_from(number).unwrap_or_default());
    NaiveDate::default().checked_add_days(days).unwrap_or_default()
}

/// Model usage, projected into `model_usage`.
#[derive(Debug, Clone)]
pub struct SqlUsage(Database);

impl SqlUsage {
    /// Creates the queries over a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn told(&self, filter: &UsageFilter, part: &Part) -> Result<ProjectUsage, DbErr> {
        let tx = self.0.begin_reading().await?;
        let (totals, position) = totals(&tx, filter).await?;
        let groups = match part {
            Part::Page(page) => {
                let rest = format!("LIMIT {} OFFSET {}", page.page_size, page.offset());
                PageOf::of_total(groups(&tx, filter, part, &rest).await?, count(&tx, filter).await?)
            }
            Part::Keyset(KeysetRequest { limit, .. }) => {
                let rest = format!("LIMIT {}", limit + 1);
                PageOf::up_to(groups(&tx, filter, part, &rest).await?, *limit, UsageGroup::place)
            }
        };
        tx.rollback().await?;
        Ok(ProjectUsage { totals, position, groups })
    }
}

/// The condition on rows, and its values.
fn wanted(filter: &UsageFilter) -> (String, Vec<Value>) {
    let UsageFilter { project, days, agent, by: _ } = filter;
    let mut condition = "project_id = ? AND day >= ? AND day < ?".to_owned();
    let mut values = vec![Uuid::from(*project).into(), number_of(days.from()).into(), number_of(days.to()).into()];
    if let Some(agent) = agent {
        condition.push_str(" AND agent_id = ?");
        values.push(Uuid::from(*agent).into());
    }
    (condition, values)
}

/// The column of a dimension.
const fn column(by: Dimension) -> &'static str {
    match by {
        Dimension::Day => "day",
        Dimension::Model => "model",
        Dimension::Agent => "agent_id",
    }
}

/// The columns of a grouping, in order.
fn columns(by: Grouping) -> String {
    by.dimensions().map(column).collect::<Vec<_>>().join(", ")
}

fn sums() -> String {
    SUMS.map(|sum| format!("CAST(COALESCE(SUM({sum}), 0) AS BIGINT)")).join(", ")
}

fn used(row: &QueryResult, first: usize) -> Result<ModelUse, DbErr> {
    let sum = |index: usize| row.try_get_by_index::<i64>(first + index).map(loaded);
    let tokens =
        TokenCount { input: sum(3)?, output: sum(4)?, cache_read: sum(5)?, cache_write: sum(6)?, reasoning: sum(7)? };
    let (calls, unpriced_calls, estimated_calls) = (sum(0)?, sum(1)?, sum(2)?);
    Ok(ModelUse { calls, unpriced_calls, estimated_calls, tokens, cost_micros: sum(8)? })
}

fn of_totals(backend: DatabaseBackend, filter: &UsageFilter) -> Statement {
    let (condition, values) = wanted(filter);
    let sql = format!("SELECT {}, COALESCE(MAX(position), 0) FROM model_usage WHERE {condition}", sums());
    statement(backend, &sql, values)
}

async fn totals(tx: &DatabaseTransaction, filter: &UsageFilter) -> Result<(ModelUse, Position), DbErr> {
    let row = tx.query_one_raw(of_totals(tx.get_database_backend(), filter)).await?;
    match row {
        Some(row) => Ok((used(&row, 0)?, loaded(row.try_get_by_index(SUMS.len())?))),
        None => Ok((ModelUse::default(), 0)),
    }
}

async fn count(tx: &DatabaseTransaction, filter: &UsageFilter) -> Result<u64, DbErr> {
    let (grouped, (condition, values)) = (columns(filter.by), wanted(filter));
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT {grouped} FROM model_usage WHERE {condition} GROUP BY {grouped}) AS kinds"
    );
    let row = tx.query_one_raw(statement(tx.get_database_backend(), &sql, values)).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0).map(loaded))
}

async fn groups(
    tx: &DatabaseTransaction,
    filter: &UsageFilter,
    part: &Part,
    rest: &str,
) -> Result<Vec<UsageGroup>, DbErr> {
    let rows = tx.query_all_raw(of_groups(tx.get_database_backend(), filter, part, rest)).await?;
    rows.iter().map(|row| group(row, filter.by)).collect()
}

fn of_groups(backend: DatabaseBackend, filter: &UsageFilter, part: &Part, rest: &str) -> Statement {
    let (mut condition, mut values) = wanted(filter);
    let grouped = columns(filter.by);
    if let Part::Keyset(KeysetRequest { after: Some(place), .. }) = part {
        let (day, model, agent) = UsageGroup::placed(place);
        let places = filter.by.dimensions().map(|by| match by {
            Dimension::Day => Value::from(day.map(number_of).unwrap_or_default()),
            Dimension::Model => model.into(),
            Dimension::Agent => agent.into(),
        });
        values.extend(places);
        // Rows of one group have the same key, so the condition can be applied per row.
        let places = vec!["?"; filter.by.dimensions().count()].join(", ");
        condition.push_str(&format!(" AND ({grouped}) > ({places})"));
    }
    let sql = format!(
        "SELECT {}, {grouped} FROM model_usage WHERE {condition} GROUP BY {grouped} ORDER BY {grouped} {rest}",
        sums()
    );
    statement(backend, &sql, values)
}

fn group(row: &QueryResult, by: Grouping) -> Result<UsageGroup, DbErr> {
    let mut group = UsageGroup { day: None, model: None, agent: None, used: used(row, 0)? };
    for by in by.dimensions() {
        match by {
            Dimension::Day => group.day = Some(day_of(row.try_get("", column(by))?)),
            Dimension::Model => group.model = Some(row.try_get("", column(by))?),
            Dimension::Agent => group.agent = Some(row.try_get::<Uuid>("", column(by))?.into()),
        }
    }
    Ok(group)
}

#[async_trait]
impl UsageViews for SqlUsage {
    async fn usage(&self, filter: &UsageFilter, part: &Part) -> Result<ProjectUsage, PortError> {
        self.told(filter, part).await.map_err(PORT.failed("adding up what was used"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use devskyy_application::{
        paging::{Key, KeyValue, KeysetRequest, PageRequest, Part},
        runs::{Dimension, Grouping, UsageDays, UsageFilter},
    };
    use uuid::Uuid;

    use super::{of_groups, of_totals};
    use crate::sql::{
        Database,
        tests::{Steps, on_both_engines, plan},
    };

    fn wanted(by: Grouping) -> UsageFilter {
        let days = UsageDays::parse(None, None, DateTime::UNIX_EPOCH).expect("a range");
        UsageFilter { project: Uuid::nil().into(), days, agent: None, by }
    }

    async fn groups(db: &Database, by: Grouping, part: Part) -> Steps {
        plan(db, of_groups(db.backend(), &wanted(by), &part, "LIMIT 21")).await
    }

    async fn totals_are_added_up_from_the_days_of_the_project(db: &Database) {
        let steps = plan(db, of_totals(db.backend(), &wanted(Grouping::ALL))).await;
        assert!(steps.search(&["project_id", "day"]) && !steps.read_a_whole_table(), "{steps:?}");
    }

    async fn kinds_are_told_from_the_days_of_the_project_as_they_lie(db: &Database) {
        let steps = groups(db, Grouping::ALL, Part::Page(PageRequest { page: 1, page_size: 20 })).await;
        let searched = steps.search(&["project_id", "day"]);
        assert!(searched && !steps.read_a_whole_table() && !steps.sort(), "{steps:?}");
    }

    async fn going_on_with_kinds_begins_at_their_place(db: &Database) {
        let place = Key { value: KeyValue::Text("1970-01-01/a/b".to_owned()), id: Uuid::nil() };
        let steps = groups(db, Grouping::ALL, Part::Keyset(KeysetRequest { limit: 20, after: Some(place) })).await;
        let searched = steps.search(&["project_id", "day"]);
        assert!(searched && !steps.read_a_whole_table() && !steps.sort(), "{steps:?}");
    }

    async fn models_are_told_from_the_days_of_the_project(db: &Database) {
        let by = Grouping::by(&[Dimension::Model]).expect("something");
        let steps = groups(db, by, Part::Page(PageRequest { page: 1, page_size: 20 })).await;
        assert!(steps.search(&["project_id", "day"]) && !steps.read_a_whole_table(), "{steps:?}");
    }

    on_both_engines!(totals_are_added_up_from_the_days_of_the_project);
    on_both_engines!(kinds_are_told_from_the_days_of_the_project_as_they_lie);
    on_both_engines!(going_on_with_kinds_begins_at_their_place);
    on_both_engines!(models_are_told_from_the_days_of_the_project);
}
