//! The loopback address that the browser is led back to (RFC 8252 §7.3), on a machine where anybody may knock.

mod page;
mod site;

pub(super) use page::Outcome;

use super::redirect::Redirect;
use crate::login::LoginError;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use site::Site;
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

/// A request's head has to come within this time.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection ends after this time: longer than an exchange, during which the browser waits.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(90);
/// The most bytes that a request's head may have.
const HEAD_LIMIT: usize = 16 << 10;
/// The most connections at a time. Beyond that the oldest one goes: a browser sends its request at once.
const MOST_CONNECTIONS: usize = 64;
/// How long the browser has to fetch the page that tells how it ended.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// A socket on this machine, bound once and kept.
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `port` of 127.0.0.1. 0 stands for any that is free, of `[::1]` where there is no IPv4: a server that
    /// knows one port knows one address.
    pub(super) fn bind(port: u16) -> Result<Self, LoginError> {
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        listen(v4)
            .or_else(|why| match port {
                0 => listen(v6).map_err(|_| why),
                _ => Err(why),
            })
            .map_err(|error| {
                let port = if port == 0 {
                    "a port".to_owned()
                } else {
                    format!("port {port}")
                };
                let what = format!("{port} of 127.0.0.1 cannot be had for the login");
                LoginError::system(what, Some(Arc::new(error)))
            })
    }

    /// Host and port as a URL has them.
    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Serves until it is finished, or dropped.
    pub(super) fn serve(self, path: &str, redirect: Arc<Redirect>) -> Serving {
        let (outcome, ended) = watch::channel(None);
        let site = Arc::new(Site::new(self.authority(), path.to_owned(), redirect, ended));
        let task = tokio::spawn(accept(self.socket, Arc::clone(&site)));
        Serving {
            site,
            outcome,
            task: Some(task),
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<Listener> {
    let socket = std::net::TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let socket = TcpListener::from_std(socket)?;
    Ok(Listener { socket, address })
}

/// The listener at work. Dropping it closes the socket and all its connections.
pub(super) struct Serving {
    site: Arc<Site>,
    outcome: watch::Sender<Option<Outcome>>,
    task: Option<JoinHandle<()>>,
}

impl Serving {
    /// Shows the browser how the login has ended, if it waits for that, and closes everything.
    pub(super) async fn finish(mut self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
        if self.site.has_answered() {
            _ = tokio::time::timeout(LAST_PAGE, self.site.shown()).await;
        }
        if let Some(task) = self.task.take() {
            task.abort();
            // The sockets are closed when the task is gone.
            _ = task.await;
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Holds all connections, so that they end with it.
async fn accept(socket: TcpListener, site: Arc<Site>) {
    let mut connections = JoinSet::new();
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, _)) = socket.accept().await else {
            // Out of file descriptors, or a client that left while it knocked.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        open.retain(|connection| !connection.is_finished());
        if open.len() >= MOST_CONNECTIONS {
            let oldest = open
                .iter()
                .position(|connection| !site.is_answering(connection.id()));
            if let Some(oldest) = oldest.and_then(|oldest| open.remove(oldest)) {
                oldest.abort();
            }
        }
        open.push_back(connections.spawn(converse(stream, Arc::clone(&site))));
    }
}

/// One request, one answer.
async fn converse(stream: TcpStream, site: Arc<Site>) {
    let service = service_fn(|request| site.respond(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_LIMIT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // An error here is a client that left, or spoke no HTTP.
    _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
    site.hung_up();
}
