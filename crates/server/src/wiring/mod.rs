//! Puts the platform together: the only place that sees ports and their adapters side by side.

mod people;

use std::sync::{Arc, atomic::AtomicBool};

use devskyy_api::ApiState;
use devskyy_application::{
    agents::Agents,
    error::PortError,
    identity::Identity,
    ports::{Clock, IdGenerator},
    projects::Projects,
};
use devskyy_infrastructure::{
    agents::AgentsProjection,
    es::{PerStream, Projection, SqlEventStore},
    identity::UsersProjection,
    projects::ProjectsProjection,
    sql::Database,
    system::{RandomIds, SystemClock},
};

use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    readiness::ServerReadiness,
};

/// What every context needs.
#[derive(Clone)]
pub(crate) struct Ground {
    /// Views and operational tables.
    pub(crate) database: Database,
    /// The one log.
    pub(crate) log: Arc<SqlEventStore>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub(crate) ids: Arc<dyn IdGenerator>,
}

/// The platform over its adapters.
pub(crate) struct Platform {
    /// What it stands on.
    pub(crate) ground: Ground,
    /// Signing up, in and out.
    pub(crate) identity: Arc<Identity>,
    projects: Arc<Projects>,
    agents: Arc<Agents>,
}

/// Every read model, as the log's writer keeps them and a rebuild empties them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(PerStream(UsersProjection)),
        Arc::new(PerStream(ProjectsProjection)),
        Arc::new(PerStream(AgentsProjection)),
    ]
}

impl Platform {
    /// Makes every adapter and hands it to those who asked for its port.
    ///
    /// # Errors
    /// When the log or a key cannot be read.
    pub(crate) async fn build(settings: &Settings, database: Database) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let log = SqlEventStore::start(database.clone(), clock.clone(), projections()).await.map_err(unusable)?;
        let ground = Ground { database, log: Arc::new(log), clock, ids: Arc::new(RandomIds) };
        let people::People { identity, projects, agents } = people::people(settings, &ground).await?;
        Ok(Self { ground, identity: Arc::new(identity), projects: Arc::new(projects), agents: Arc::new(agents) })
    }

    /// What the endpoints answer with.
    pub(crate) fn api(&self, settings: &Settings, draining: Arc<AtomicBool>) -> ApiState {
        let Ground { database, clock, ids, .. } = self.ground.clone();
        ApiState {
            identity: self.identity.clone(),
            projects: self.projects.clone(),
            agents: self.agents.clone(),
            runs: None,
            ids,
            clock,
            readiness: Arc::new(ServerReadiness::new(database, draining)),
            settings: devskyy_api::Settings {
                body_bytes: settings.server.body_limit,
                ..devskyy_api::Settings::default()
            },
        }
    }

    /// Records what was accepted, then lets go of the database.
    pub(crate) async fn close(self) {
        self.ground.log.stop().await;
        self.ground.database.close().await;
    }
}

fn unusable(error: PortError) -> Failure {
    Failure::operation(causes(&error))
}
