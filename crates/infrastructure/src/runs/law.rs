use async_trait::async_trait;
use devskyy_application::{error::PortError, es::RecordedEvent};
use devskyy_domain::{
    kernel::{Aggregate, ids::RunId},
    runs::{Breach, Invariants, Run},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use uuid::Uuid;

use crate::{
    es::{Fault, Law, statement},
    sql::{Port, loaded},
};

/// Verifies the invariants of runs, and that every run that has not ended becomes claimable at some point in time.
#[derive(Debug, Default)]
pub struct RunLaw(Invariants);

/// Position of the reaction that reports ends of child runs to their parents.
const TOLD: &str = "SELECT position FROM es_subscriptions WHERE name = 'runs.children'";
/// Open runs that no worker will ever look at.
const LEFT: &str = "SELECT id, position FROM runs WHERE ready_at IS NULL \
     AND status NOT IN ('completed', 'failed', 'cancelled', 'expired') ORDER BY position";

impl RunLaw {
    async fn told(live: &DatabaseTransaction) -> Result<u64, DbErr> {
        let row = live.query_one_raw(statement(live.get_database_backend(), TOLD, vec![])).await?;
        row.map_or(Ok(0), |row| Ok(loaded(row.try_get_by_index(0)?)))
    }

    async fn left(live: &DatabaseTransaction) -> Result<Vec<Fault>, DbErr> {
        let rows = live.query_all_raw(statement(live.get_database_backend(), LEFT, vec![])).await?;
        let fault = |row: &sea_orm::QueryResult| {
            let (run, position) = (row.try_get_by_index::<Uuid>(0)?, loaded(row.try_get_by_index(1)?));
            let why = format!("run {run} has neither a lease nor a point in time at which a worker looks at it");
            Ok(Fault::History { position, why })
        };
        rows.iter().map(fault).collect()
    }
}

#[async_trait]
impl Law for RunLaw {
    fn categories(&self) -> &[&'static str] {
        &[Run::CATEGORY]
    }

    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError> {
        self.0.hear(event.position, RunId::from(event.stream_id), &event.decode()?);
        Ok(())
    }

    async fn conclude(self: Box<Self>, live: &DatabaseTransaction) -> Result<Vec<Fault>, PortError> {
        let failed = Port("verification").failed("reading where runs stand");
        let told = Self::told(live).await.map_err(&failed)?;
        let mut faults: Vec<_> = self.0.conclude(told).into_iter().map(Fault::from).collect();
        faults.extend(Self::left(live).await.map_err(failed)?);
        Ok(faults)
    }
}

impl From<Breach> for Fault {
    fn from(breach: Breach) -> Self {
        let Breach { run, position, invariant, why } = breach;
        Self::History { position, why: format!("run {run}: {why} ({invariant:?})") }
    }
}
