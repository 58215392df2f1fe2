use std::sync::Arc;

use devskyy_application::ports::{Clock, IdGenerator};

use crate::{health::Readiness, settings::Settings};

/// What the endpoints answer with; built once, shared by all workers.
#[derive(Clone)]
pub struct ApiState {
    /// Makes request ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Knows whether requests can be served.
    pub readiness: Arc<dyn Readiness>,
    /// Bounds at the edge.
    pub settings: Settings,
}
