//! Readiness that tests turn off.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use devskyy_api::{Check, Readiness};
use tokio::sync::Notify;

/// Ready, until switched off.
#[derive(Default)]
pub(crate) struct Switch {
    pub(crate) broken: AtomicBool,
    pub(crate) stuck: AtomicBool,
    pub(crate) draining: Notify,
}

#[async_trait]
impl Readiness for Switch {
    async fn checks(&self) -> Vec<Check> {
        let (away, stuck) = (self.broken.load(Ordering::Relaxed), self.stuck.load(Ordering::Relaxed));
        let check = |name, wrong: bool, vital, why: &str| Check {
            name,
            ok: !wrong,
            vital,
            detail: wrong.then(|| why.to_owned()),
        };
        vec![
            check("database", away, true, "it does not answer"),
            check("subscriptions", stuck, false, "one has stopped"),
        ]
    }

    async fn draining(&self) {
        self.draining.notified().await;
    }
}
