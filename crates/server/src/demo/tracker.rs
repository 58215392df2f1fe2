//! A minimal ticket tracker on the loopback interface that recognises repeated requests.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Data, Json},
};
use serde_json::{Value, json};

use crate::failure::Failure;

#[derive(Default)]
struct Filed(Mutex<BTreeMap<String, Value>>);

/// A running tracker.
pub(super) struct Tracker {
    address: SocketAddr,
    filed: Arc<Filed>,
    server: ServerHandle,
}

impl Tracker {
    /// Starts a tracker on a free port.
    pub(super) fn start() -> Result<Self, Failure> {
        let failed = |error| Failure::operation(format!("cannot start the demo's tracker: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let filed = Arc::new(Filed::default());
        let shared = Data::from(filed.clone());
        let app = move || {
            let tickets = web::resource("/tickets").route(web::post().to(file)).route(web::get().to(list));
            App::new().app_data(shared.clone()).service(tickets)
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).map_err(failed)?.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, filed, server: handle })
    }

    /// Its address in the form of an egress rule.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Number of tickets filed.
    pub(super) fn tickets(&self) -> usize {
        self.filed.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) async fn stop(self) {
        self.server.stop(false).await;
    }
}

/// Files a ticket; a repeated key returns the same ticket.
async fn file(filed: Data<Filed>, request: HttpRequest, body: Json<Value>) -> HttpResponse {
    let Some(key) = request.headers().get("Idempotency-Key").and_then(|key| key.to_str().ok()) else {
        return HttpResponse::BadRequest().json(json!({"error": "an Idempotency-Key is needed"}));
    };
    let mut tickets = filed.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ticket) = tickets.get(key) {
        return HttpResponse::Ok().json(ticket);
    }
    let number = tickets.len() + 1;
    let ticket = json!({"ticket": format!("DEMO-{number}"), "title": body["title"], "labels": body["labels"]});
    tickets.insert(key.to_owned(), ticket.clone());
    HttpResponse::Created().json(ticket)
}

async fn list(filed: Data<Filed>) -> HttpResponse {
    let tickets = filed.0.lock().unwrap_or_else(PoisonError::into_inner);
    HttpResponse::Ok().json(tickets.values().collect::<Vec<_>>())
}
