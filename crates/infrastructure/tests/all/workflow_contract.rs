//! The real language of workflows keeps the promises of its ports.

use std::sync::Arc;

use devskyy_infrastructure::{
    system::SystemClock,
    tools::{EgressPolicy, Tools},
    workflow::{JsonSchemas, Limits, SandboxedExpressions},
};
use devskyy_testkit::{
    contracts::workflow::{Services, WorkflowUnderTest},
    fakes::FixedSecrets,
};
use tokio::net::TcpListener;

use crate::tools::service::Service;

const CREATED: &str = "HTTP/1.1 201 Created\nContent-Length: 0\nConnection: close\n\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\nContent-Length: 0\nConnection: close\n\n";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\nRetry-After: 30\nContent-Length: 0\nConnection: close\n\n";

async fn real() -> WorkflowUnderTest {
    let (answers, refuses) = (Service::answering(CREATED).await, Service::answering(NOT_FOUND).await);
    let (overloaded, silent) = (Service::answering(BUSY).await, Service::silent().await);
    let forbidden = Service::answering(CREATED).await;
    let away = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address").to_string();
    let allowed: Vec<String> = [&answers, &refuses, &overloaded, &silent]
        .map(|it| it.address.clone())
        .into_iter()
        .chain([away.clone()])
        .collect();
    let policy = EgressPolicy::parse(true, &allowed).expect("allowances");
    let expressions = Arc::new(SandboxedExpressions::start(Limits::default()).expect("threads"));
    let schemas = Arc::new(JsonSchemas::new());
    let (clock, secrets) = (Arc::new(SystemClock), Arc::new(FixedSecrets::default()));
    let tools = Tools::new(expressions.clone(), schemas.clone(), clock, secrets, policy).expect("tools");
    let at = |address: &str| format!("http://{address}/");
    WorkflowUnderTest {
        expressions,
        schemas,
        destinations: Arc::new(EgressPolicy::default()),
        tools: Arc::new(tools),
        services: Services {
            answers: at(&answers.address),
            refuses: at(&refuses.address),
            overloaded: at(&overloaded.address),
            away: at(&away),
            silent: at(&silent.address),
            forbidden: at(&forbidden.address),
        },
        asked: Arc::new(move || {
            [&answers, &refuses, &overloaded, &silent, &forbidden].iter().map(|it| it.asked().len()).sum()
        }),
    }
}

devskyy_testkit::workflow_contract!(real);
