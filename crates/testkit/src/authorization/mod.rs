mod authority;
mod authorize;
mod client_auth;
mod id_token;
mod ledger;
mod metadata;
mod refusal;
mod token_endpoint;

pub(crate) use authority::Authority;
pub use client_auth::ClientAuth;

use crate::answer::Answer;
use crate::request::RecordedRequest;
use crate::server::Server;
use gatepass_core::Clock;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A scriptable OAuth2 authorization server on a free port of 127.0.0.1. Dropping it stops it.
///
/// | Path | What it is |
/// |---|---|
/// | `/authorize` | authorization endpoint (RFC 6749 §3.1): a person who always agrees, unless [`refuse`](Self::refuse) says otherwise; PKCE (RFC 7636) |
/// | `/device_authorization` | device login (RFC 8628): the person has agreed at the first poll, unless the script says otherwise |
/// | `/token` | token endpoint (RFC 6749 §3.2): `authorization_code`, `client_credentials`, `refresh_token`, `device_code` |
/// | `/introspect` | introspection (RFC 7662) |
/// | `/revoke` | revocation (RFC 7009) |
/// | `/.well-known/oauth-authorization-server` | metadata (RFC 8414) |
/// | `/.well-known/openid-configuration` | the same, where OpenID Connect Discovery looks for it |
///
/// It keeps to the RFCs where nothing else is said: a client authenticates by exactly one method, a parameter
/// comes at most once, errors look like RFC 6749 §5.2. Everything can be changed while it runs.
#[derive(Debug)]
pub struct AuthorizationServer {
    server: Server,
    authority: Arc<Authority>,
}

/// The addresses.
impl AuthorizationServer {
    /// The client that every server knows.
    pub const CLIENT_ID: &'static str = "client";
    /// The secret of [`CLIENT_ID`](Self::CLIENT_ID).
    pub const CLIENT_SECRET: &'static str = "secret";

    /// Starts a server. It answers within the tokio runtime that this is called in.
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(
        clippy::unused_async,
        reason = "needs a runtime, and says so by being awaited"
    )]
    pub async fn start() -> Self {
        let (server, authority) = Server::start(Authority::new);
        Self { server, authority }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its issuer identifier: its address, without a path.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.server.url("")
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        self.server.url("/token")
    }

    /// The authorization endpoint.
    #[must_use]
    pub fn authorization_url(&self) -> String {
        self.server.url("/authorize")
    }

    /// The device authorization endpoint.
    #[must_use]
    pub fn device_authorization_url(&self) -> String {
        self.server.url("/device_authorization")
    }

    /// The introspection endpoint.
    #[must_use]
    pub fn introspection_url(&self) -> String {
        self.server.url("/introspect")
    }

    /// The revocation endpoint.
    #[must_use]
    pub fn revocation_url(&self) -> String {
        self.server.url("/revoke")
    }
}

/// The rules.
impl AuthorizationServer {
    /// Registers a confidential client, or gives it another secret.
    pub fn add_client(&self, id: impl Into<String>, secret: impl Into<String>) {
        let mut rules = self.authority.rules();
        rules.clients.insert(id.into(), Some(secret.into()));
    }

    /// Registers a client without a secret; it names itself by `client_id` in the body (RFC 6749 §3.2.1).
    pub fn add_public_client(&self, id: impl Into<String>) {
        self.authority.rules().clients.insert(id.into(), None);
    }

    /// Accepts one way of client authentication only; any other is `invalid_client`.
    pub fn accept_only(&self, method: ClientAuth) {
        self.authority.rules().accepted = vec![method];
    }

    /// Sets how long new access tokens live (`expires_in`): an hour, if nothing is said.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.authority.rules().lifetime = lifetime;
    }

    /// Sets the scopes that it knows: a request for another one is `invalid_scope`, one without scopes gets all.
    /// If nothing is said, every request gets what it asks for.
    pub fn set_scopes(&self, scopes: impl IntoIterator<Item = impl Into<String>>) {
        self.authority.rules().scopes = Some(scopes.into_iter().map(Into::into).collect());
    }

    /// Waits this long before each answer of the token endpoint, a canned one included.
    pub fn set_delay(&self, delay: Duration) {
        self.authority.rules().delay = delay;
    }

    /// Says whether each refresh brings a new refresh token (RFC 6749 §6). The old one is spent then: whoever
    /// uses it again loses all tokens of that grant (RFC 9700 §4.14.2). Off, if nothing is said.
    pub fn rotate_refresh_tokens(&self, rotate: bool) {
        self.authority.rules().rotate = rotate;
    }

    /// Says whether the reuse of a spent refresh token ends the grant, as it does if nothing is said. Otherwise it is
    /// refused and nothing more.
    pub fn punish_reuse(&self, punish: bool) {
        self.authority.rules().punish_reuse = punish;
    }

    /// Lets the person refuse from now on: the client is told this error (`access_denied`, for one).
    pub fn refuse(&self, error: impl Into<String>) {
        self.authority.rules().refusal = Some(error.into());
    }

    /// Names this issuer in authorization responses, and promises so in the metadata (RFC 9207).
    pub fn set_response_issuer(&self, issuer: impl Into<String>) {
        self.authority.rules().response_issuer = Some(issuer.into());
    }

    /// Sets a claim of the ID tokens that come with a login for the scope `openid`, or another one than it would be.
    pub fn set_claim(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.authority.rules().claims.push((name.into(), value.into()));
    }

    /// Judges expiry by this clock, not by the machine's.
    pub fn set_clock(&self, clock: impl Clock + 'static) {
        self.authority.rules().clock = Arc::new(clock);
    }

    /// Names another issuer in its metadata than it is.
    pub fn set_issuer(&self, issuer: impl Into<String>) {
        self.authority.rules().issuer = issuer.into();
    }

    /// Serves this document as its metadata.
    pub fn set_metadata(&self, metadata: Value) {
        self.authority.rules().metadata = Some(metadata);
    }
}

/// The script.
impl AuthorizationServer {
    /// Gives this answer to the next request at the token endpoint; called again, to the one after that.
    pub fn push(&self, answer: Answer) {
        self.authority.script.push(answer);
    }

    /// Gives this answer to all requests at the token endpoint, after those that were [pushed](Self::push).
    pub fn always(&self, answer: Answer) {
        self.authority.script.always(answer);
    }

    /// Gives this answer to all requests at `path`, whatever is normally there.
    pub fn always_at(&self, path: impl Into<String>, answer: Answer) {
        self.authority.rules().canned.insert(path.into(), answer);
    }

    /// Forgets all canned answers.
    pub fn normal(&self) {
        self.authority.script.clear();
        self.authority.rules().canned.clear();
    }
}

/// The tokens.
impl AuthorizationServer {
    /// Issues a refresh token to a client, as if a person had logged in.
    #[must_use]
    pub fn issue_refresh_token(&self, client_id: &str) -> String {
        self.authority.ledger().open_family(client_id)
    }

    /// Revokes an access token, or a refresh token with all that came from its grant.
    pub fn revoke(&self, token: &str) {
        self.authority.ledger().revoke(token);
    }

    /// Whether this server issued the token and would accept it now.
    #[must_use]
    pub fn is_active(&self, token: &str) -> bool {
        self.authority.is_active(token)
    }
}

/// What it has seen.
impl AuthorizationServer {
    /// All requests, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.server.requests()
    }

    /// The requests since this was asked last, in order, which are forgotten with it: for tests that run for long.
    #[must_use]
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.server.take_requests()
    }

    /// How many requests the token endpoint has had.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.server.count(|request| request.path == "/token")
    }

    /// The most requests that were under way at the same time.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.server.max_in_flight()
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.server.open_connections()
    }

    /// How many answers clients didn't wait for: the connection was closed before the answer had ended.
    #[must_use]
    pub fn aborted(&self) -> usize {
        self.server.aborted()
    }

    pub(crate) fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.authority)
    }
}
