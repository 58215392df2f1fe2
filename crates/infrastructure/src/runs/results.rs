use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{error::PortError, runs::ResultStore};
use devskyy_domain::{kernel::ids::ProjectId, runs::ResultHash};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use crate::{
    es::statement,
    sql::{Database, Port, micros},
};

const PORT: Port = Port("result store");

const KEEP: &str = "INSERT INTO results (project_id, hash, content, kept_at) VALUES (?, ?, ?, ?) \
     ON CONFLICT (project_id, hash) DO UPDATE SET kept_at = excluded.kept_at";

pub(super) const FIND: &str = "SELECT content FROM results WHERE project_id = ? AND hash = ?";

/// Read in batches on the reader connection, which does not block writers.
const ORPHANS: &str = "SELECT project_id, hash FROM results WHERE kept_at < ? AND NOT EXISTS \
     (SELECT 1 FROM run_results r WHERE r.project_id = results.project_id AND r.hash = results.hash) \
     ORDER BY kept_at, project_id, hash LIMIT 100";

/// Checks again: the result may have been stored again, or referred to, since it was found.
const SWEEP: &str = "DELETE FROM results WHERE project_id = ? AND hash = ? AND kept_at < ? AND NOT EXISTS \
     (SELECT 1 FROM run_results r WHERE r.project_id = results.project_id AND r.hash = results.hash)";

/// Results in the table `results`; the projection `run_results` contains the references of events.
#[derive(Debug, Clone)]
pub struct SqlResults {
    db: Database,
}

impl SqlResults {
    /// Creates the store of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    async fn execute(&self, sql: &str, values: Vec<Value>) -> Result<u64, DbErr> {
        Ok(self.db.writer.execute_raw(statement(self.db.backend(), sql, values)).await?.rows_affected())
    }

    async fn orphans(&self, before: i64) -> Result<Vec<(Uuid, String)>, DbErr> {
        let asked = statement(self.db.backend(), ORPHANS, vec![before.into()]);
        let rows = self.db.reader.query_all_raw(asked).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }

    async fn delete_orphans(&self, before: i64) -> Result<u64, DbErr> {
        let mut swept = 0;
        loop {
            let mut progress = 0;
            for (project, hash) in self.orphans(before).await? {
                progress += self.execute(SWEEP, vec![project.into(), hash.into(), before.into()]).await?;
            }
            if progress == 0 {
                return Ok(swept);
            }
            swept += progress;
        }
    }
}

/// The key of a result.
pub(super) fn key(project: ProjectId, hash: ResultHash) -> Vec<Value> {
    vec![Uuid::from(project).into(), hash.to_string().into()]
}

#[async_trait]
impl ResultStore for SqlResults {
    async fn keep(
        &self,
        project: ProjectId,
        hash: ResultHash,
        text: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        let mut values = key(project, hash);
        values.extend([text.to_vec().into(), micros(now).into()]);
        self.execute(KEEP, values).await.map(|_| ()).map_err(PORT.failed("keeping a result"))
    }

    async fn find(&self, project: ProjectId, hash: ResultHash) -> Result<Option<Vec<u8>>, PortError> {
        let asked = statement(self.db.backend(), FIND, key(project, hash));
        let failed = PORT.failed("reading a result");
        let row = self.db.reader.query_one_raw(asked).await.map_err(&failed)?;
        row.map(|row| row.try_get_by_index(0)).transpose().map_err(failed)
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.delete_orphans(micros(before)).await.map_err(PORT.failed("sweeping results"))
    }
}
