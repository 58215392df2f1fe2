use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{AttemptKey, Attempts, Charge, Charged, KNOWN_FOR, Perishable, Spent},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Value};

use crate::{
    es::statement,
    sql::{Database, Port, delete_before, instant, micros},
};

const PORT: Port = Port("attempts");

/// Counts one attempt if the allowance is not exhausted or its window is over; otherwise returns no row.
const CHARGE: &str = "
INSERT INTO sign_in_allowances AS held (allowance, used, ends_at) VALUES (?, 1, ?)
ON CONFLICT (allowance) DO UPDATE SET
    used = CASE WHEN held.ends_at <= ? THEN 1 ELSE held.used + 1 END,
    ends_at = CASE WHEN held.ends_at <= ? THEN excluded.ends_at ELSE held.ends_at END
WHERE held.ends_at <= ? OR held.used < ?
RETURNING used, ends_at";
const LOOK: &str = "SELECT used, ends_at FROM sign_in_allowances WHERE allowance = ?";
const REFUND: &str = "UPDATE sign_in_allowances SET used = used - 1 WHERE allowance = ? AND used > 0";
const REMEMBER: &str = "
INSERT INTO known_sources (source, seen_at) VALUES (?, ?)
ON CONFLICT (source) DO UPDATE SET seen_at = excluded.seen_at";
const LAST_SEEN: &str = "SELECT seen_at FROM known_sources WHERE source = ?";

/// Attempts and known sources in tables of their own, written independently of the command's outcome.
#[derive(Debug, Clone)]
pub struct SqlAttempts(Database);

impl SqlAttempts {
    /// Uses the counters of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn count(&self, charges: &[Charge], now: i64) -> Result<Charged, DbErr> {
        let tx = self.0.begin().await?;
        let mut spent: Vec<Option<Spent>> = vec![None; charges.len()];
        // Always in the same order, so that two commands cannot deadlock.
        let mut order: Vec<usize> = (0..charges.len()).collect();
        order.sort_by_key(|at| charges[*at].allowance);
        for at in order {
            match self.count_one(&tx, &charges[at], now).await? {
                Charged::Within(one) => spent[at] = one.first().copied(),
                exhausted @ Charged::Exhausted { .. } => {
                    tx.rollback().await?;
                    return Ok(exhausted);
                }
            }
        }
        tx.commit().await?;
        Ok(Charged::Within(spent.into_iter().flatten().collect()))
    }

    async fn count_one(&self, tx: &DatabaseTransaction, charge: &Charge, now: i64) -> Result<Charged, DbErr> {
        let Charge { allowance, most, window } = charge;
        let ends_at = now.saturating_add(window.num_microseconds().unwrap_or(i64::MAX));
        let values = [allowance.to_vec().into(), ends_at.into(), now.into(), now.into(), now.into(), most_of(*most)];
        if let Some(row) = tx.query_one_raw(self.statement(CHARGE, values)).await? {
            return Ok(Charged::Within(vec![spent(&row)?]));
        }
        let held = tx.query_one_raw(self.statement(LOOK, [allowance.to_vec().into()])).await?;
        let until = held.as_ref().map(spent).transpose()?.map_or(instant(ends_at), |spent| spent.until);
        Ok(Charged::Exhausted { until })
    }

    async fn write(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<u64, DbErr> {
        Ok(self.0.writer.execute_raw(self.statement(sql, values)).await?.rows_affected())
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> sea_orm::Statement {
        statement(self.0.backend(), sql, values.into_iter().collect())
    }
}

fn most_of(most: u32) -> Value {
    i64::from(most).into()
}

fn spent(row: &QueryResult) -> Result<Spent, DbErr> {
    let (used, ends_at): (i64, i64) = (row.try_get("", "used")?, row.try_get("", "ends_at")?);
    Ok(Spent { count: u32::try_from(used).unwrap_or(u32::MAX), until: instant(ends_at) })
}

#[async_trait]
impl Attempts for SqlAttempts {
    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Charged, PortError> {
        self.count(charges, micros(now)).await.map_err(PORT.failed("counting an attempt"))
    }

    async fn refund(&self, allowances: &[AttemptKey]) -> Result<(), PortError> {
        for allowance in allowances {
            self.write(REFUND, [allowance.to_vec().into()]).await.map_err(PORT.failed("giving an attempt back"))?;
        }
        Ok(())
    }

    async fn remember(&self, source: &AttemptKey, now: DateTime<Utc>) -> Result<(), PortError> {
        let remembered = self.write(REMEMBER, [source.to_vec().into(), micros(now).into()]).await;
        remembered.map(|_| ()).map_err(PORT.failed("remembering a source"))
    }

    async fn last_seen(&self, source: &AttemptKey) -> Result<Option<DateTime<Utc>>, PortError> {
        let look = self.statement(LAST_SEEN, [source.to_vec().into()]);
        let row = self.0.reader.query_one_raw(look).await.map_err(PORT.failed("looking up a source"))?;
        let seen = row.map(|row| row.try_get::<i64>("", "seen_at")).transpose();
        Ok(seen.map_err(PORT.failed("looking up a source"))?.map(instant))
    }
}

#[async_trait]
impl Perishable for SqlAttempts {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let unknown = before - KNOWN_FOR;
        let attempts = delete_before(&self.0, "sign_in_allowances", "allowance", "ends_at", micros(before)).await;
        let sources = delete_before(&self.0, "known_sources", "source", "seen_at", micros(unknown)).await;
        Ok(attempts.map_err(PORT.failed("sweeping attempts"))? + sources.map_err(PORT.failed("sweeping sources"))?)
    }
}
