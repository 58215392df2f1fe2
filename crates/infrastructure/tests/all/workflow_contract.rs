//! The real language of workflows keeps the promises of its ports.

use std::{collections::BTreeMap, sync::Arc};

use devskyy_domain::workflow::McpServer as Server;
use devskyy_infrastructure::{
    system::SystemClock,
    tools::{EgressPolicy, Tools},
    workflow::{JsonSchemas, Limits, SandboxedExpressions},
};
use devskyy_testkit::{
    contracts::workflow::{Services, WorkflowUnderTest, http, mcp},
    fakes::{FixedSecrets, McpAct as Act, McpServer},
};
use tokio::net::TcpListener;

use crate::tools::service::Service;

const CREATED: &str = "HTTP/1.1 201 Created\nContent-Length: 0\nConnection: close\n\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\nContent-Length: 0\nConnection: close\n\n";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\nRetry-After: 30\nContent-Length: 0\nConnection: close\n\n";

fn over(allowed: &[String]) -> (Arc<SandboxedExpressions>, Arc<JsonSchemas>, Tools) {
    let policy = EgressPolicy::parse(true, allowed).expect("allowances");
    let expressions = Arc::new(SandboxedExpressions::start(Limits::default()).expect("threads"));
    let schemas = Arc::new(JsonSchemas::start().expect("threads"));
    let (clock, secrets) = (Arc::new(SystemClock), Arc::new(FixedSecrets::default()));
    let tools = Tools::new(expressions.clone(), schemas.clone(), clock, secrets, policy).expect("tools");
    (expressions, schemas, tools)
}

async fn real() -> WorkflowUnderTest {
    let (answers, refuses) = (Service::answering(CREATED).await, Service::answering(NOT_FOUND).await);
    let (overloaded, silent) = (Service::answering(BUSY).await, Service::silent().await);
    let forbidden = Service::answering(CREATED).await;
    let away = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address").to_string();
    let server = McpServer::start(Act::Answer).await.expect("a port");
    let allowed = [&answers, &refuses, &overloaded, &silent].map(|it| it.address.clone());
    let allowed: Vec<_> = allowed.into_iter().chain([away.clone(), server.address.clone()]).collect();
    let (expressions, schemas, tools) = over(&allowed);
    let at = |address: &str| format!("http://{address}/");
    let tools = Arc::new(tools);
    WorkflowUnderTest {
        expressions,
        schemas,
        destinations: Arc::new(EgressPolicy::default()),
        tools: tools.clone(),
        descriptions: tools,
        kind: http,
        server: Server { url: server.url(), tool: "find".to_owned(), headers: BTreeMap::new(), timeout_s: 5 },
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

mod over_mcp {
    use super::{Act, Arc, EgressPolicy, McpServer, Services, TcpListener, WorkflowUnderTest, mcp, over, real};

    /// The same promises, with tools of servers that speak the Model Context Protocol.
    async fn servers() -> WorkflowUnderTest {
        let mut all = vec![];
        for act in [Act::Answer, Act::Refuse, Act::Overload, Act::Silence, Act::Answer] {
            all.push(McpServer::start(act).await.expect("a port"));
        }
        let away = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
        let allowed = all.iter().take(4).map(|it| it.address.clone()).chain([away.to_string()]).collect::<Vec<_>>();
        let (_, _, tools) = over(&allowed);
        let [answers, refuses, overloaded, silent, forbidden] =
            [0, 1, 2, 3, 4].map(|index: usize| all.get(index).map(McpServer::url).unwrap_or_default());
        let away = format!("http://{away}/mcp");
        WorkflowUnderTest {
            destinations: Arc::new(EgressPolicy::default()),
            tools: Arc::new(tools),
            kind: mcp,
            services: Services { answers, refuses, overloaded, away, silent, forbidden },
            asked: Arc::new(move || all.iter().map(|it| it.calls().len()).sum()),
            ..real().await
        }
    }

    devskyy_testkit::workflow_contract!(servers);
}
