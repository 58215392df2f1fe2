//! A platform that knows no provider of models.

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    models::{ConfiguredModels, Deltas, ModelAnswer, ModelError, ModelRequest, Models},
};
use devskyy_domain::kernel::ids::ProjectId;

/// Knows no provider: nobody is asked, and no assistant is activated.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoModels;

#[async_trait]
impl Models for NoModels {
    async fn ask(&self, request: &ModelRequest, _: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        let provider = request.model.split('/').next().unwrap_or_default();
        Err(ModelError::Unconfigured(provider.to_owned()))
    }
}

#[async_trait]
impl ConfiguredModels for NoModels {
    async fn knows(&self, _: ProjectId, _: &str) -> Result<bool, PortError> {
        Ok(false)
    }
}
