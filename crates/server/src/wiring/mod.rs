//! The wiring of the platform: the only module that knows both ports and their adapters.

mod agents;
mod audit;
mod derived;
mod housekeeping;
mod identity;
mod keys;
mod models;
mod projects;
mod runs;
mod secrets;
mod signing;

pub(crate) use derived::{laws, projections};
pub(crate) use runs::READERS;
pub(crate) use signing::rotation;

use std::sync::Arc;

use devskyy_api::{ApiState, InFlight, Limiter, Origins};
use devskyy_application::{
    access::Access,
    agents::Agents,
    budgets::Budgets,
    context::Actor,
    error::PortError,
    identity::{ApiKeys, Housekeeping, Identity, TokenMint},
    ports::{Clock, IdGenerator},
    projects::Projects,
    runs::Runs,
    workflow::{Schemas, ToolSecrets},
};
use devskyy_infrastructure::{
    crypto::KeyedTokenMint,
    es::SqlEventStore,
    projects::SqlProjects,
    sql::Database,
    system::{RandomIds, SystemClock},
    tools::{EgressPolicy, Tools},
    workflow::{JsonSchemas, Limits, SandboxedExpressions},
};
use tokio_util::sync::CancellationToken;

use crate::{
    configuration::{Egress, Settings},
    failure::{Failure, causes},
    readiness::ServerReadiness,
    tasks::Tasks,
};

/// The dependencies of every context.
#[derive(Clone)]
pub(crate) struct Ground {
    /// Views and operational tables.
    pub(crate) database: Database,
    /// The event log.
    pub(crate) log: Arc<SqlEventStore>,
    /// The current time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub(crate) ids: Arc<dyn IdGenerator>,
    expressions: Arc<SandboxedExpressions>,
    schemas: Arc<dyn Schemas>,
    egress: EgressPolicy,
    access: Access,
    audit: audit::Trail,
}

impl Ground {
    async fn lay(settings: &Settings, database: Database) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let log = SqlEventStore::start_shared(database.clone(), clock.clone(), projections()).await;
        let ids: Arc<dyn IdGenerator> = Arc::new(RandomIds);
        let audit = audit::Trail::new(database.clone(), clock.clone(), ids.clone());
        let expressions = Arc::new(SandboxedExpressions::start(Limits::default()).map_err(Failure::operation)?);
        let log = Arc::new(log.map_err(|error| unusable(&error))?);
        let access = Access::new(Arc::new(SqlProjects::new(database.clone()))).noting(audit.security.clone());
        let egress = egress(&settings.egress)?;
        let schemas = Arc::new(JsonSchemas::start().map_err(Failure::operation)?);
        Ok(Self { log, clock, ids, expressions, schemas, egress, access, audit, database })
    }

    fn tools(&self, secrets: Arc<dyn ToolSecrets>) -> Result<Arc<Tools>, Failure> {
        let Self { expressions, schemas, clock, egress, .. } = self.clone();
        let tools = Tools::new(expressions, schemas, clock, secrets, egress);
        Ok(Arc::new(tools.map_err(|error| unusable(&error))?))
    }
}

/// The platform with its adapters.
pub(crate) struct Platform {
    /// The common dependencies.
    pub(crate) ground: Ground,
    /// Registration and sessions.
    pub(crate) identity: Arc<Identity>,
    keys: Arc<ApiKeys>,
    key_uses: keys::Uses,
    housekeeping: Arc<Housekeeping>,
    mint: Arc<dyn TokenMint>,
    signing: signing::Signing,
    models: models::Wired,
    tool_secrets: secrets::Wired,
    projects: Arc<Projects>,
    agents: Arc<Agents>,
    runs: Arc<Runs>,
    budgets: Arc<Budgets>,
    workers: runs::Workers,
}

impl Platform {
    /// Creates every adapter and passes it to the users of its port.
    ///
    /// # Errors
    /// When the log or a key cannot be read.
    pub(crate) async fn build(settings: &Settings, database: Database) -> Result<Self, Failure> {
        let ground = Ground::lay(settings, database).await?;
        let master = signing::master_key(settings)?;
        let mint: Arc<dyn TokenMint> = Arc::new(KeyedTokenMint::new(master.clone()));
        let tool_secrets = secrets::secrets(&ground, master.clone());
        let models = models::models(settings, &ground, master.clone())?;
        let tools = ground.tools(tool_secrets.opened.clone())?;
        let signing = signing::signing(settings, &ground, master).await?;
        let identity = identity::identity(settings, &ground, signing.tokens.clone(), mint.clone())?;
        let (keys, key_uses) = keys::keys(&ground, mint.clone());
        let (routed, opened) = (models.routed.clone(), tool_secrets.opened.clone());
        let (agents, agent_views) = agents::agents(&ground, routed.clone(), opened, tools.clone());
        let (runs, budgets, workers) = runs::runs(settings, &ground, agent_views, routed, tools)?;
        Ok(Self {
            housekeeping: Arc::new(housekeeping::housekeeping(&ground, mint.clone())),
            projects: Arc::new(projects::projects(&ground, mint.clone())),
            ground,
            identity: Arc::new(identity),
            keys: Arc::new(keys),
            key_uses,
            mint,
            signing,
            models,
            tool_secrets,
            agents: Arc::new(agents),
            runs: Arc::new(runs),
            budgets: Arc::new(budgets),
            workers,
        })
    }

    /// Erases accounts again that were erased before, in case an older backup was restored.
    ///
    /// # Errors
    /// When the list of erasures or the database cannot be read.
    pub(crate) async fn forget_the_erased(&self) -> Result<(), Failure> {
        let actor = Actor::system("erasures", self.ground.ids.next());
        let replayed = self.identity.administration.erasures.replay(&actor).await;
        let replayed = replayed.map_err(|error| Failure::operation(causes(&error)))?;
        if replayed > 0 {
            tracing::warn!(replayed, "the database contained erased people, who are erased again");
        }
        Ok(())
    }

    /// Starts all background work except the execution of runs.
    pub(crate) fn work(&self, tasks: &Tasks) {
        self.signing.start(tasks);
        self.key_uses.start(tasks);
        self.models.keys.start(tasks);
        self.tool_secrets.start(tasks);
        self.ground.audit.start(tasks);
        housekeeping::start(tasks, self.housekeeping.clone(), self.identity.clone());
        self.workers.start(tasks);
    }

    /// Starts executing runs, unless other processes do that.
    pub(crate) fn carry_out(&self, settings: &Settings, tasks: &Tasks) {
        if settings.runs.concurrency > 0 {
            self.workers.carry_out(tasks);
        }
    }

    /// The state of the API's endpoints.
    pub(crate) fn api(&self, settings: &Settings, draining: CancellationToken) -> ApiState {
        let Ground { database, clock, ids, access, audit, .. } = self.ground.clone();
        ApiState {
            audit: Arc::new(audit.told(access)),
            security: audit.security,
            identity: self.identity.clone(),
            keys: self.keys.clone(),
            providers: self.models.providers.clone(),
            secrets: self.tool_secrets.kept.clone(),
            projects: self.projects.clone(),
            agents: self.agents.clone(),
            runs: self.runs.clone(),
            budgets: self.budgets.clone(),
            mint: self.mint.clone(),
            in_flight: InFlight::default(),
            limiter: Arc::new(Limiter::new(settings.limits)),
            ids,
            clock,
            readiness: Arc::new(ServerReadiness::new(database, draining)),
            settings: devskyy_api::Settings {
                body_bytes: settings.server.body_limit,
                body_deadline: settings.server.body_timeout,
                retirement: settings.retirement,
                trusted_proxies: settings.server.trusted_proxies.as_slice().into(),
                body_rate: settings.server.body_rate,
                origins: Origins::of(&settings.allowed_origins),
                over_tls: settings.server.public_url.as_ref().is_some_and(|url| url.starts_with("https:")),
                ..devskyy_api::Settings::default()
            },
        }
    }

    /// Writes what was accepted, then closes the database.
    pub(crate) async fn close(self) {
        self.key_uses.settle().await;
        self.ground.audit.settle().await;
        self.ground.log.stop().await;
        self.ground.database.close().await;
    }
}

fn unusable(error: &PortError) -> Failure {
    Failure::operation(causes(error))
}

fn egress(egress: &Egress) -> Result<EgressPolicy, Failure> {
    EgressPolicy::parse(egress.allow_http, &egress.allow_private)
        .map_err(|error| Failure::configuration(format!("egress.allow_private: {error}")))
}
