use async_trait::async_trait;
use devskyy_application::{
    audit::{AuditEntry, AuditFilter, AuditPlace, AuditTrail, Outcome},
    error::PortError,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::records::SqlAudit;
use crate::{
    es::statement,
    sql::{Port, instant, micros, stored},
};

const FACTS: &str = "SELECT t.id, t.happened_at, t.kind, 'success' AS outcome, t.actor, o.source, t.project_id, \
     t.target, t.correlation_id FROM audit_facts t LEFT JOIN request_origins o ON o.correlation_id = t.correlation_id";
const RECORDS: &str = "SELECT t.id, t.happened_at, t.kind, t.outcome, t.actor, t.source, t.project_id, t.target, \
     t.correlation_id FROM security_records t";

/// The filter's conditions, valid for both tables, and their values.
fn narrowed(filter: &AuditFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["1 = 1"];
    let mut values: Vec<Value> = Vec::new();
    let mut only = |condition, value: Option<Value>| {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(value);
        }
    };
    only("t.project_id = ?", filter.project.map(|project| Uuid::from(project).into()));
    only("t.kind = ?", filter.kind.clone().map(Into::into));
    only("t.actor = ?", filter.actor.clone().map(Into::into));
    only("t.happened_at >= ?", filter.since.map(|since| micros(since).into()));
    only("t.happened_at < ?", filter.until.map(|until| micros(until).into()));
    if let Some(AuditPlace { at, id }) = filter.before {
        conditions.push("(t.happened_at, t.id) < (?, ?)");
        values.extend([micros(at).into(), id.into()]);
    }
    (conditions.join(" AND "), values)
}

/// Selects the newest rows of one table.
fn newest(select: &str, narrowed: &str) -> String {
    format!("{select} WHERE {narrowed} ORDER BY t.happened_at DESC, t.id DESC LIMIT ?")
}

impl SqlAudit {
    async fn rows(&self, filter: &AuditFilter, limit: i64) -> Result<Vec<QueryResult>, DbErr> {
        let (narrowed, values) = narrowed(filter);
        let part = |select| format!("SELECT * FROM ({}) AS part", newest(select, &narrowed));
        let sql = format!(
            "SELECT * FROM ({} UNION ALL {}) AS trail ORDER BY happened_at DESC, id DESC LIMIT ?",
            part(FACTS),
            part(RECORDS)
        );
        let once = || values.iter().cloned().chain([Value::from(limit)]);
        let values = once().chain(once()).chain([limit.into()]).collect();
        self.db.reader.query_all_raw(statement(self.db.backend(), &sql, values)).await
    }
}

#[async_trait]
impl AuditTrail for SqlAudit {
    async fn list(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditEntry>, PortError> {
        self.flush().await?;
        let rows = self.rows(filter, stored(limit)).await.map_err(failed)?;
        rows.iter().map(|row| entry(row).map_err(failed)).collect()
    }
}

fn entry(row: &QueryResult) -> Result<AuditEntry, DbErr> {
    let outcome: String = row.try_get_by_index(3)?;
    Ok(AuditEntry {
        place: AuditPlace { id: row.try_get_by_index(0)?, at: instant(row.try_get_by_index(1)?) },
        kind: row.try_get_by_index(2)?,
        outcome: Outcome::named(&outcome).ok_or_else(|| DbErr::Type(format!("`{outcome}` is no outcome")))?,
        actor: row.try_get_by_index(4)?,
        source: row.try_get_by_index(5)?,
        project: row.try_get_by_index::<Option<Uuid>>(6)?.map(Into::into),
        target: row.try_get_by_index(7)?,
        correlation_id: row.try_get_by_index(8)?,
    })
}

fn failed(error: DbErr) -> PortError {
    Port("audit trail").failed("telling the trail")(error)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{AuditFilter, AuditPlace, FACTS, RECORDS, Uuid, Value, narrowed, newest, statement};
    use crate::sql::{
        Database,
        tests::{begins_in_index, on_both_engines},
    };

    on_both_engines!(the_trail_of_all_and_of_a_project_goes_on_by_index);

    async fn the_trail_of_all_and_of_a_project_goes_on_by_index(db: &Database) {
        let before = Some(AuditPlace { at: DateTime::UNIX_EPOCH, id: Uuid::nil() });
        for project in [None, Some(Uuid::max().into())] {
            goes_on_by_index(db, AuditFilter { project, before, ..AuditFilter::default() }).await;
        }
    }

    on_both_engines!(the_trail_of_one_kind_or_one_actor_goes_on_by_index_with_no_other_row_in_between);

    async fn the_trail_of_one_kind_or_one_actor_goes_on_by_index_with_no_other_row_in_between(db: &Database) {
        let before = Some(AuditPlace { at: DateTime::UNIX_EPOCH, id: Uuid::nil() });
        for project in [None, Some(Uuid::max().into())] {
            let all = AuditFilter { project, before, ..AuditFilter::default() };
            let kind = AuditFilter { kind: Some("project.created".to_owned()), ..all.clone() };
            let actor = AuditFilter { actor: Some("user:ada".to_owned()), ..all };
            for (filter, column) in [(kind, "kind"), (actor, "actor")] {
                for plan in goes_on_by_index(db, filter).await {
                    assert!(plan.contains(&format!("{column}=?")) || plan.contains(&format!("({column} = ")), "{plan}");
                }
            }
        }
    }

    async fn goes_on_by_index(db: &Database, filter: AuditFilter) -> [String; 2] {
        let (narrowed, mut values) = narrowed(&filter);
        values.push(Value::from(21_i64));
        let query = |select| statement(db.backend(), &newest(select, &narrowed), values.clone());
        [begins_in_index(db, query(FACTS)).await, begins_in_index(db, query(RECORDS)).await]
    }
}
