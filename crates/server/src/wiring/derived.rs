//! Everything derived from the log, and the laws that it must satisfy.

use std::sync::Arc;

use devskyy_application::{agents, models, secrets};
use devskyy_domain::{agents::Agent, models::Provider, secrets::Secret};
use devskyy_infrastructure::{
    agents::AgentsProjection,
    audit::AuditProjection,
    es::{ClaimLaw, HeldByEach, Holders, Law, PerStream, Projection},
    identity::{ApiKeysProjection, HeldByPeople, UsersProjection},
    models::ProvidersProjection,
    projects::{InvitationsProjection, ProjectsProjection},
    runs::{ResultLaw, RunLaw, RunsProjection},
    secrets::SecretsProjection,
    totals::TotalsProjection,
};

/// All read models, as updated by the log's writer and emptied by a rebuild.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(PerStream(UsersProjection)),
        Arc::new(PerStream(ProjectsProjection)),
        Arc::new(PerStream(InvitationsProjection)),
        Arc::new(PerStream(ApiKeysProjection)),
        Arc::new(PerStream(AgentsProjection)),
        Arc::new(PerStream(RunsProjection)),
        Arc::new(PerStream(ProvidersProjection)),
        Arc::new(PerStream(SecretsProjection)),
        Arc::new(TotalsProjection),
        Arc::new(AuditProjection),
    ]
}

/// The laws of the log, in addition to its chain and its views.
pub(crate) fn laws() -> Vec<Box<dyn Law>> {
    let holders: Vec<Box<dyn Holders>> = vec![
        Box::new(HeldByPeople::default()),
        Box::new(HeldByEach::<Agent>::following(agents::held_name)),
        Box::new(HeldByEach::<Provider>::following(models::held_name)),
        Box::new(HeldByEach::<Secret>::following(secrets::held_name)),
    ];
    vec![Box::new(RunLaw::default()), Box::new(ResultLaw::default()), Box::new(ClaimLaw::over(holders))]
}
