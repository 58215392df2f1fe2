//! Readiness that tests turn off.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use devskyy_api::{Check, Readiness};
use tokio::sync::Notify;

/// Ready, until told otherwise.
#[derive(Default)]
pub(crate) struct Switch {
    pub(crate) broken: AtomicBool,
    pub(crate) draining: Notify,
}

#[async_trait]
impl Readiness for Switch {
    async fn checks(&self) -> Vec<Check> {
        let away = self.broken.load(Ordering::Relaxed);
        vec![Check { name: "database", ok: !away, detail: away.then(|| "it does not answer".to_owned()) }]
    }

    async fn draining(&self) {
        self.draining.notified().await;
    }
}
