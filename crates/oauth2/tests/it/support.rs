use gatepass_core::TokenError;
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy, ServerUrl, Transport};
use gatepass_oauth2::{AuthStyle, Client, Grant, TokenEndpoint};
use gatepass_testkit::{Answer, AuthorizationServer};
use std::error::Error;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Short enough for a test, long enough for a busy machine.
pub(crate) const SOON: Duration = Duration::from_millis(300);

pub(crate) fn url(text: &str) -> ServerUrl {
    ServerUrl::parse(text, "token_url", Transport::Encrypted).expect("a server's address")
}

pub(crate) fn http() -> HttpClient {
    HttpClient::new(HttpOptions::default()).expect("a client")
}

/// The client that every server of the test kit knows.
pub(crate) fn client() -> Client {
    Client::new(AuthorizationServer::CLIENT_ID, AuthorizationServer::CLIENT_SECRET)
}

/// The pauses of tokens, in milliseconds instead of seconds.
pub(crate) const fn quick() -> RetryPolicy {
    RetryPolicy::tokens().with_first_pause(Duration::from_millis(2))
}

pub(crate) fn endpoint(token_url: &str) -> TokenEndpoint {
    TokenEndpoint::new(http(), url(token_url), client())
        .with_auth_style(AuthStyle::Basic)
        .with_retry(quick())
}

pub(crate) const fn grant() -> Grant {
    Grant::ClientCredentials { scopes: None }
}

/// An answer with a JSON text, valid or not.
pub(crate) fn json(status: u16, body: &str) -> Answer {
    Answer::text(status, body).with_header("content-type", "application/json")
}

/// An error as a person and as a log may see it: `{}` and `{:?}` of it and of all its causes, and its advice.
pub(crate) fn in_full(error: &TokenError) -> String {
    let mut text = format!("{error} {error:?} {}", error.fix());
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(" {cause} {cause:?}"));
        next = cause.source();
    }
    text
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

/// Starts a server that reads a request and then does as it likes, until the test process ends; tells its address.
pub(crate) fn raw_server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || {
                // A small request comes in one piece; a larger one than this is never sent here.
                _ = stream.read(&mut [0; 8192]);
                serve(stream);
            });
        }
    });
    format!("http://{address}/token")
}
