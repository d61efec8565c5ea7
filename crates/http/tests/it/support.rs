use gatepass_core::{AccessToken, Cause, StaticTokenSource};
use gatepass_http::{AuthorizedClient, HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use std::error::Error;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Short enough for a test, long enough for a busy machine.
pub(crate) const SOON: Duration = Duration::from_millis(500);

pub(crate) fn url(text: &str) -> ServerUrl {
    ServerUrl::parse(text, "base_url", Transport::Encrypted).expect("a server's address")
}

pub(crate) fn client() -> HttpClient {
    client_with(HttpOptions::default())
}

pub(crate) fn client_with(options: HttpOptions) -> HttpClient {
    HttpClient::new(options).expect("a client")
}

/// A client that sends the token `canary` to `base_url`, and doesn't wait long before a retry.
pub(crate) fn authorized(base_url: &str) -> AuthorizedClient {
    let token = AccessToken::bearer("canary-token").expect("a token");
    let source = Arc::new(StaticTokenSource::new(token));
    AuthorizedClient::new(client(), url(base_url), source, |_, _| {}).with_retry(quick())
}

/// The pauses of models, in milliseconds instead of seconds.
pub(crate) const fn quick() -> RetryPolicy {
    RetryPolicy::models().with_first_pause(Duration::from_millis(2))
}

/// An address that must not be visited.
pub(crate) struct Trap(TcpListener);

impl Trap {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        Self(listener)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    /// Whether anyone has connected: the system keeps connections until they are accepted.
    pub(crate) fn was_visited(&self) -> bool {
        match self.0.accept() {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                false
            }
        }
    }
}

/// A server whose every byte is the test's own. It runs until the test process ends.
pub(crate) struct RawServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl RawServer {
    pub(crate) fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(stream));
            }
        });
        Self { address, connections }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> ServerUrl {
        url(&format!("http://{}/", self.address))
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads a request's head (and what came along with it), so that the answer isn't too early.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => seen.extend(buffer.iter().take(count)),
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// An error as a person and as a log may see it: `{}` and `{:?}` of it and of all its causes.
pub(crate) fn in_full(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(" {cause} {cause:?}"));
        next = cause.source();
    }
    text
}

pub(crate) fn in_full_of(source: Option<&Cause>) -> String {
    source.map_or_else(String::new, |source| in_full(source.as_ref()))
}
