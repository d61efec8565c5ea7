//! The other side of a login: a person, their browser, and whoever else knocks at the listener.

use gatepass_core::Scopes;
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy, Transport};
use gatepass_oauth2::{
    AuthorizationCodeFlow, AuthorizationHandler, AuthorizationRequest, Client, Discovery, Login, LoginError,
    Metadata,
};
use gatepass_testkit::{AuthorizationServer, Page, visit};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use url::Url;

/// What a handler is told, owned.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) url: String,
    pub(crate) redirect_uri: String,
}

impl Asked {
    pub(crate) fn of(request: &AuthorizationRequest) -> Self {
        Self {
            url: request.url().to_owned(),
            redirect_uri: request.redirect_uri().to_owned(),
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> String {
        parameter(&self.url, name)
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn authority(&self) -> String {
        Url::parse(&self.redirect_uri).unwrap().authority().to_owned()
    }

    /// The redirect address with this query; `STATE` stands for the state.
    pub(crate) fn answer(&self, query: &str) -> String {
        format!(
            "{}?{}",
            self.redirect_uri,
            query.replace("STATE", &self.parameter("state"))
        )
    }
}

pub(crate) fn parameter(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    let mut pairs = url.query_pairs().filter(|(key, _)| key == name);
    let value = pairs.next().map(|(_, value)| value.into_owned());
    assert!(pairs.next().is_none(), "{name} is there twice");
    value.unwrap_or_default()
}

/// Does something with the address, in a task of its own, as a browser would.
pub(crate) struct Person<F, T> {
    act: F,
    acting: Mutex<Option<JoinHandle<T>>>,
}

impl<F, T> Person<F, T> {
    pub(crate) fn new(act: F) -> Self {
        Self {
            act,
            acting: Mutex::default(),
        }
    }

    pub(crate) async fn outcome(self) -> T {
        let acting = self.acting.into_inner().unwrap();
        acting.unwrap().await.unwrap()
    }
}

impl<F, R, T> AuthorizationHandler for Person<F, T>
where
    F: Fn(Asked) -> R + Send + Sync,
    R: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        let acting = tokio::spawn((self.act)(Asked::of(request)));
        *self.acting.lock().unwrap() = Some(acting);
        Ok(())
    }
}

/// Somebody who does as the server's pages say.
pub(crate) async fn agree(asked: Asked) -> Page {
    visit(&asked.url).await.unwrap()
}

pub(crate) async fn metadata(server: &AuthorizationServer) -> Metadata {
    Discovery::new(http())
        .metadata(&server.issuer(), Transport::Encrypted)
        .await
        .unwrap()
}

pub(crate) fn http() -> HttpClient {
    HttpClient::new(HttpOptions::default()).unwrap()
}

pub(crate) fn flow_at(server: &Metadata) -> AuthorizationCodeFlow {
    let client = Client::new("client", "secret");
    let endpoint = server
        .endpoint(http(), client)
        .with_name("corp")
        .with_retry(RetryPolicy::never());
    AuthorizationCodeFlow::new(server, endpoint)
        .unwrap()
        .with_scopes(Scopes::parse("openid llm.read").unwrap())
}

pub(crate) async fn flow(server: &AuthorizationServer) -> AuthorizationCodeFlow {
    flow_at(&metadata(server).await)
}

/// Logs in, and tells what the person did.
pub(crate) async fn log_in<F, R, T>(flow: &AuthorizationCodeFlow, act: F) -> (Result<Login, LoginError>, T)
where
    F: Fn(Asked) -> R + Send + Sync,
    R: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let person = Person::new(act);
    let login = flow.run(&person).await;
    (login, person.outcome().await)
}

/// Sends bytes, and returns all that comes back.
pub(crate) async fn send_raw(authority: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    // The listener may hang up on us before it has all.
    _ = stream.write_all(request).await;
    let mut reply = Vec::new();
    _ = stream.read_to_end(&mut reply).await;
    String::from_utf8_lossy(&reply).into_owned()
}
