use async_trait::async_trait;
use devskyy_api::{Check, Readiness};
use devskyy_infrastructure::sql::Database;
use tokio_util::sync::CancellationToken;

/// Ready means: the database answers and nobody has asked the server to stop.
#[derive(Debug)]
pub(crate) struct ServerReadiness {
    database: Database,
    draining: CancellationToken,
}

impl ServerReadiness {
    pub(crate) const fn new(database: Database, draining: CancellationToken) -> Self {
        Self { database, draining }
    }
}

#[async_trait]
impl Readiness for ServerReadiness {
    async fn checks(&self) -> Vec<Check> {
        let reached = self.database.ping().await;
        if let Err(error) = &reached {
            tracing::warn!(error = ?error, "the database does not answer");
        }
        let draining = self.draining.is_cancelled();
        vec![
            Check {
                name: "database",
                ok: reached.is_ok(),
                detail: reached.err().map(|_| "it does not answer".to_owned()),
            },
            Check { name: "accepting", ok: !draining, detail: draining.then(|| "the server is stopping".to_owned()) },
        ]
    }

    async fn draining(&self) {
        self.draining.cancelled().await;
    }
}
