//! The front door: one listener, a few workers, deadlines and a cap on connections.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
};

use actix_web::{HttpServer, dev::Server, http::KeepAlive};
use devskyy_api::ApiState;
use tokio::net::TcpSocket;

use crate::{configuration, failure::Failure};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Takes the address before anything else is touched, so that a busy port leaves no trace.
///
/// # Errors
/// When the address is taken, not this machine's, or not allowed.
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

/// Starts answering.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) fn answer(
    listener: TcpListener,
    settings: &configuration::Server,
    state: ApiState,
) -> Result<Server, Failure> {
    let server = HttpServer::new(move || devskyy_api::app(&state))
        .workers(settings.workers)
        .max_connections(settings.max_connections.div_ceil(settings.workers))
        .client_request_timeout(settings.header_timeout)
        .client_disconnect_timeout(settings.header_timeout)
        .keep_alive(KeepAlive::Timeout(settings.keep_alive))
        .shutdown_timeout(settings.drain_timeout.as_secs())
        .disable_signals()
        .listen(listener)
        .map_err(|error| Failure::operation(format!("cannot use the listener: {error}")))?;
    Ok(server.run())
}
