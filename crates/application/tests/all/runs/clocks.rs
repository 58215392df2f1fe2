//! The clock of a worker does not decide what is due.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    ports::Clock,
    runs::{RunStatus, WorkerPorts},
};

use super::{
    workflows::tool,
    world::{ENOUGH, World},
};

/// A clock that is a minute behind.
struct Behind(Arc<dyn Clock>);

#[async_trait]
impl Clock for Behind {
    fn now(&self) -> DateTime<Utc> {
        self.0.now() - TimeDelta::minutes(1)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

/// How a run ends whose first attempt of a call asks for a delay of half a minute, and how often it was parked.
fn carried_out(clock: impl FnOnce(Arc<dyn Clock>) -> Arc<dyn Clock>) -> (RunStatus, usize) {
    let world = World::new();
    let tool = tool("idempotent", "flaky");
    let text = format!(r#"{{"tools":{{"a":{tool}}},"steps":[{{"id":"a","tool":"a","arguments":1}}]}}"#);
    let run = world.start(&text, "null");
    let worker = world.worker_with(|ports| WorkerPorts { clock: clock(ports.clock.clone()), ..ports });
    world.drive(&worker, ENOUGH, |world| world.status(run).ended());
    (world.status(run), world.times("run.parked"))
}

#[test]
fn a_worker_whose_clock_is_behind_parks_a_run_as_often_as_any_other() {
    let behind = carried_out(|clock| Arc::new(Behind(clock)));
    assert_eq!(behind, carried_out(|clock| clock));
}
