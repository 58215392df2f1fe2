//! A worker whose ports have less capacity than its runs have calls in progress, and one that loses its lease.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventStore, RecordedEvent, StreamId},
    ports::Clock,
    runs::{Appetite, Claim, Claims, RunQueue, RunStatus, WorkerPorts},
    workflow::{ToolCall, ToolError, ToolExecutor},
};
use devskyy_domain::kernel::{Json, Version};
use devskyy_testkit::{fakes::interruptible, reads_through};
use tokio::sync::Semaphore;

use super::{workflows::tool, world::World};

/// More polls than this run needs, and less time than a lease takes.
const MOMENT: usize = 50;

/// A port with a single connection, granted in the order of requests.
struct InTurn<P: ?Sized> {
    inner: Arc<P>,
    turn: Arc<Semaphore>,
}

impl devskyy_application::es::Rewindable for InTurn<dyn EventStore> {}

#[async_trait]
impl EventStore for InTurn<dyn EventStore> {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let _turn = self.turn.acquire().await.unwrap();
        self.inner.append(request).await
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        let _turn = self.turn.acquire().await.unwrap();
        self.inner.read_stream(stream, after, max).await
    }

    reads_through!(inner: read_all, head, beyond);
}

#[async_trait]
impl ToolExecutor for InTurn<dyn ToolExecutor> {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        let result = self.inner.call(call).await;
        let _turn = self.turn.acquire().await.unwrap();
        for _ in 0..3 {
            interruptible().await;
        }
        result
    }
}

#[test]
fn calls_under_way_go_on_while_the_result_of_another_is_recorded() {
    let world = World::new();
    let text = format!(
        r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","for_each":".input","tool":"t","arguments":{{"$jq":".item"}}}}]}}"#,
        tool("idempotent", "echo")
    );
    let run = world.start(&text, "[1,2,3,4]");
    let turn = Arc::new(Semaphore::new(1));
    let worker = world.worker_with(|ports| WorkerPorts {
        store: Arc::new(InTurn { inner: ports.store.clone(), turn: turn.clone() }),
        tools: Arc::new(InTurn { inner: ports.tools.clone(), turn }),
        ..ports
    });
    world.drive(&worker, MOMENT, |world| world.status(run).ended());
    assert_eq!(world.status(run), RunStatus::Completed);
}

/// A queue that has given the lease to another worker.
struct Disowning(Arc<dyn RunQueue>);

#[async_trait]
impl RunQueue for Disowning {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        self.0.claim(worker, appetite).await
    }

    async fn renew(&self, _: &str, _: Claim, _: Duration) -> Result<bool, PortError> {
        Ok(false)
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        self.0.release(worker, claim).await
    }
}

/// Longer than the time after which a lease is renewed.
const LONG: Duration = Duration::from_secs(6);

/// Responds after that time.
struct Slow(Arc<dyn ToolExecutor>, Arc<dyn Clock>);

#[async_trait]
impl ToolExecutor for Slow {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        let result = self.0.call(call).await;
        self.1.sleep(LONG).await;
        result
    }
}

#[test]
fn an_answer_is_recorded_by_whom_the_log_names_though_the_lease_is_anothers() {
    let world = World::new();
    let text = format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}]}}"#, tool("unsafe", "file"));
    world.start(&text, "null");
    let worker = world.worker_with(|ports| WorkerPorts {
        queue: Arc::new(Disowning(ports.queue.clone())),
        tools: Arc::new(Slow(ports.tools.clone(), ports.clock.clone())),
        ..ports
    });
    let mut work = pin!(worker.work(std::future::pending()));
    let mut context = Context::from_waker(Waker::noop());
    for passes in [Duration::ZERO, LONG] {
        world.clock.advance(passes);
        (0..200).for_each(|_| assert!(work.as_mut().poll(&mut context).is_pending()));
    }
    assert_eq!((world.tools.made().len(), world.times("run.tool_succeeded")), (1, 1));
}
