//! The HTTP server: one listener, a few workers, deadlines and a connection limit.

mod alarm;
mod bare;
mod connection;
mod farewell;
mod turns;

use std::{
    future::ready,
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    time::Duration,
};

use actix_http::{Extensions, HttpService, Protocol, Request, Response};
use actix_service::{Service as _, ServiceFactory, ServiceFactoryExt as _, apply_fn_factory, fn_service, map_config};
use actix_web::{
    Error,
    body::BoxBody,
    dev::{AppConfig, Server},
    http::KeepAlive,
};
use devskyy_api::ApiState;
use tokio::net::{TcpSocket, TcpStream};

use self::{
    connection::{Connection, Patience, Unread},
    turns::{Body, Turns},
};
use crate::{configuration, failure::Failure};

/// Length of the accept queue.
const BACKLOG: u32 = 1_024;

/// Binds the address before anything else, so that a busy port has no side effects.
///
/// # Errors
/// When the address is in use, not local, or not allowed.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let listener = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    });
    listener.map_err(|error| {
        let (ip, port) = (address.ip(), address.port());
        Failure::operation(match error.kind() {
            ErrorKind::AddrInUse => {
                format!("port {port} on {ip} is in use; stop the program that holds it, or choose another with --port")
            }
            ErrorKind::PermissionDenied => {
                format!("port {port} needs more rights than this process has; choose one above 1023 with --port")
            }
            ErrorKind::AddrNotAvailable => {
                format!("{ip} is not an address of this machine; choose one with --host")
            }
            _ => format!("cannot listen on {address}: {error}; choose another address with --host and --port"),
        })
    })
}

/// Starts the server.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) fn answer(
    listener: TcpListener,
    settings: &configuration::Server,
    state: ApiState,
) -> Result<Server, Failure> {
    let builder = Server::build();
    let draining = builder.graceful_shutdown_signal();
    let keep_alive = KeepAlive::Timeout(settings.keep_alive);
    let patience =
        Patience { head: settings.header_timeout, idle: settings.keep_alive, unread: settings.write_timeout };
    let serve = move || {
        let draining = draining.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            .keep_alive(keep_alive)
            // The connection sets the deadlines of heads, because it also knows those of later requests.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(patience.head)
            .on_connect_ext(|connection: &Connection, data: &mut Extensions| drop(data.insert(connection.turns())))
            .finish(attended(&state));
        let state = state.clone();
        let unread: Unread = Rc::new(move |status| devskyy_api::answer_to_unreadable(status, &state));
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            ready(Ok((Connection::new(stream, patience, unread.clone()), Protocol::Http1, peer)))
        })
        .and_then(http)
    };
    let server = builder
        .workers(settings.workers)
        .max_concurrent_connections(settings.max_connections.div_ceil(settings.workers))
        .shutdown_timeout(settings.drain_timeout.as_secs())
        .disable_signals()
        .listen("http", listener, serve)
        .map_err(|error| Failure::operation(format!("cannot use the listener: {error}")))?;
    Ok(server.run())
}

/// The application, with a signal to each connection when it is being answered.
fn attended(
    state: &ApiState,
) -> impl ServiceFactory<Request, Config = (), Response = Response<Body>, Error = Error, InitError = ()> + use<> {
    let app = map_config(devskyy_api::app(state), |()| AppConfig::default());
    apply_fn_factory(app, |request: Request, app| {
        let turn = request.conn_data::<Turns>().map(Turns::take);
        let answer = app.call(request);
        async move {
            let answer: Response<BoxBody> = answer.await?.into();
            Ok(answer.map_body(|_, body| Body::of(body, turn)))
        }
    })
}
