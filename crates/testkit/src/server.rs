//! What both servers are built on: an HTTP/1.1 server on a free port of 127.0.0.1 that records everything.

use crate::answer::{Answer, AnswerBody, Closed};
use crate::lock;
use crate::request::RecordedRequest;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// What a server says to a request.
pub(crate) trait Answers: Send + Sync + 'static {
    fn answer(&self, request: &RecordedRequest) -> impl Future<Output = Answer> + Send;
}

/// Serves until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    traffic: Arc<Traffic>,
    accepting: AbortHandle,
}

impl Server {
    /// Starts with what `answers` makes of the server's address.
    pub(crate) fn start<A: Answers>(answers: impl FnOnce(SocketAddr) -> A) -> (Self, Arc<A>) {
        let (listener, address) = match listen() {
            Ok(bound) => bound,
            Err(error) => panic!("no port of 127.0.0.1 can be had: {error}"),
        };
        let answers = Arc::new(answers(address));
        let traffic = Arc::new(Traffic::default());
        let task = accept(listener, Arc::clone(&answers), Arc::clone(&traffic));
        let server = Self {
            address,
            traffic,
            accepting: tokio::spawn(task).abort_handle(),
        };
        (server, answers)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.traffic.log).clone()
    }

    pub(crate) fn take_requests(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut *lock(&self.traffic.log))
    }

    pub(crate) fn count(&self, what: impl Fn(&RecordedRequest) -> bool) -> usize {
        lock(&self.traffic.log)
            .iter()
            .filter(|request| what(request))
            .count()
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.traffic.max_in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn open_connections(&self) -> usize {
        self.traffic.open_connections.load(Ordering::SeqCst)
    }

    pub(crate) fn aborted(&self) -> usize {
        self.traffic.aborted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A thousand clients may knock at once.
const BACKLOG: u32 = 4096;

fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Holds all connections, so that they end with it.
async fn accept(listener: TcpListener, answers: Arc<impl Answers>, traffic: Arc<Traffic>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, Arc::clone(&answers), Arc::clone(&traffic)));
            }
            // Out of file descriptors: some come free in a moment.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, answers: Arc<impl Answers>, traffic: Arc<Traffic>) {
    let _open = Open::new(&traffic);
    _ = stream.set_nodelay(true);
    let service = service_fn(|request| respond(request, Arc::clone(&answers), Arc::clone(&traffic)));
    // An error here is a client that left, or a connection that the script closed.
    _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    answers: Arc<impl Answers>,
    traffic: Arc<Traffic>,
) -> Result<Response<AnswerBody>, Closed> {
    let exchange = Exchange::new(&traffic);
    let request = RecordedRequest::read(request).await.map_err(|_| Closed)?;
    let number = traffic.record(&request);
    let answer = answers.answer(&request).await;
    answer
        .with_default_header("x-request-id", format!("req-{number}"))
        .deliver(exchange)
        .await
}

/// What the server has seen.
#[derive(Default)]
struct Traffic {
    log: Mutex<Vec<RecordedRequest>>,
    open_connections: AtomicUsize,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
    aborted: AtomicUsize,
}

impl Traffic {
    fn record(&self, request: &RecordedRequest) -> usize {
        let mut log = lock(&self.log);
        log.push(request.clone());
        log.len()
    }
}

/// One open connection.
struct Open(Arc<Traffic>);

impl Open {
    fn new(traffic: &Arc<Traffic>) -> Self {
        traffic.open_connections.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(traffic))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A request and its answer. Dropped before it is finished, it counts as given up by the client.
pub(crate) struct Exchange {
    traffic: Arc<Traffic>,
    finished: bool,
}

impl Exchange {
    fn new(traffic: &Arc<Traffic>) -> Self {
        let now = traffic.in_flight.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        traffic.max_in_flight.fetch_max(now, Ordering::SeqCst);
        Self {
            traffic: Arc::clone(traffic),
            finished: false,
        }
    }

    pub(crate) const fn finish(&mut self) {
        self.finished = true;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.traffic.in_flight.fetch_sub(1, Ordering::SeqCst);
        if !self.finished {
            self.traffic.aborted.fetch_add(1, Ordering::SeqCst);
        }
    }
}
