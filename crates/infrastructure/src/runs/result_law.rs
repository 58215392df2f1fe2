use std::collections::BTreeMap;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Position, RecordedEvent},
    runs::result_hash,
};
use devskyy_domain::{
    kernel::{
        Aggregate,
        ids::{ProjectId, RunId},
    },
    runs::{ResultHash, Run, RunEvent},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::results::{FIND, key};
use crate::{
    es::{Fault, Law, statement},
    sql::Port,
};

/// Verifies that every result an event refers to is stored and matches its hash.
#[derive(Debug, Default)]
pub struct ResultLaw {
    projects: BTreeMap<RunId, ProjectId>,
    /// The position of the first event that refers to it.
    referred: BTreeMap<(ProjectId, ResultHash), Position>,
}

impl ResultLaw {
    async fn wrong(live: &DatabaseTransaction, project: ProjectId, hash: ResultHash) -> Result<Option<String>, DbErr> {
        let asked = statement(live.get_database_backend(), FIND, key(project, hash));
        let Some(row) = live.query_one_raw(asked).await? else { return Ok(Some(format!("result {hash} is missing"))) };
        let content: Vec<u8> = row.try_get_by_index(0)?;
        let sound = result_hash(&content) == hash;
        Ok((!sound).then(|| format!("result {hash} is not what was kept")))
    }
}

#[async_trait]
impl Law for ResultLaw {
    fn categories(&self) -> &[&'static str] {
        &[Run::CATEGORY]
    }

    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError> {
        let (run, fact) = (RunId::from(event.stream_id), event.decode::<RunEvent>()?);
        if let RunEvent::Queued(queued) = &fact {
            self.projects.insert(run, queued.order.project);
        }
        let Some(project) = self.projects.get(&run).copied() else { return Ok(()) };
        for stored in fact.stored() {
            self.referred.entry((project, stored.hash)).or_insert(event.position);
        }
        Ok(())
    }

    async fn conclude(self: Box<Self>, live: &DatabaseTransaction) -> Result<Vec<Fault>, PortError> {
        let mut faults = Vec::new();
        for ((project, hash), position) in self.referred {
            let wrong = Self::wrong(live, project, hash).await;
            let wrong = wrong.map_err(Port("verification").failed("reading results"))?;
            faults.extend(wrong.map(|why| Fault::Result { position, why }));
        }
        faults.sort_by_key(|fault| if let Fault::Result { position, .. } = fault { *position } else { 0 });
        Ok(faults)
    }
}
