use super::handler::{AuthorizationHandler, AuthorizationRequest};
use super::listener::{Listener, Outcome};
use super::pkce::challenge;
use super::random::random;
use super::redirect::{Redirect, Verdict};
use crate::endpoint::TokenEndpoint;
use crate::grant::Grant;
use crate::identity::Expected;
use crate::login::{Login, LoginError};
use crate::metadata::Metadata;
use gatepass_core::{ConfigError, ExposeSecret, Scopes, SecretString};
use gatepass_http::ServerUrl;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use url::Url;

/// Logs a person in by a browser: authorization code with PKCE over a loopback address (RFC 8252).
///
/// * The listener is bound to 127.0.0.1 (or `[::1]`) before the person is asked, and closed when the login ends.
/// * PKCE always, by `S256` only. A server whose document doesn't name that method is refused before anything opens.
/// * An answer is believed by its state, compared in constant time before anything else of it is looked at, and by
///   its issuer (RFC 9207). It counts once. Whatever else comes to the listener changes nothing.
/// * It ends after 5 minutes without an answer. Dropping the future ends it at once.
///
/// ```no_run
/// use gatepass_core::{CredentialKey, CredentialStore, ProviderName, Scopes};
/// use gatepass_http::{HttpClient, HttpOptions, Transport};
/// use gatepass_oauth2::{AuthorizationCodeFlow, Browser, Client, Discovery};
///
/// # async fn f(store: impl CredentialStore) -> Result<(), Box<dyn std::error::Error>> {
/// let http = HttpClient::new(HttpOptions::default())?;
/// let discovery = Discovery::new(http.clone());
/// let server = discovery.metadata("https://login.corp.example", Transport::Encrypted).await?;
/// let endpoint = server.endpoint(http, Client::public("my-app"));
/// let flow = AuthorizationCodeFlow::new(&server, endpoint)?.with_scopes(Scopes::parse("openid llm.read")?);
/// let login = flow.run(&Browser::new()).await?;
///
/// let key = CredentialKey::new(ProviderName::parse("corp")?);
/// let _lock = store.lock(&key).await?;
/// store.save(&key, &login.credential).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct AuthorizationCodeFlow {
    endpoint: TokenEndpoint,
    authorization_endpoint: ServerUrl,
    issuer: Option<String>,
    sends_issuer: bool,
    scopes: Option<Scopes>,
    parameters: Vec<(String, String)>,
    path: String,
    port: u16,
    timeout: Duration,
}

/// One login's secrets.
struct Attempt {
    state: SecretString,
    verifier: SecretString,
    /// For an ID token, where one is asked for.
    nonce: Option<SecretString>,
}

impl AuthorizationCodeFlow {
    /// A login at `server`, whose token endpoint is `endpoint`. Asks for nothing yet.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the server has no authorization endpoint, doesn't name `S256`, or has another
    /// token endpoint.
    pub fn new(server: &Metadata, endpoint: TokenEndpoint) -> Result<Self, ConfigError> {
        let Some(authorization_endpoint) = server.authorization_endpoint.clone() else {
            let fix = "set it, or use a grant without a browser";
            return Err(ConfigError::invalid(
                "authorization_endpoint",
                "is not known",
                fix,
            ));
        };
        if !server.supports_s256 {
            let what = "of the metadata document doesn't name S256, without which a login isn't safe";
            let fix = "ask the server's administrator to allow PKCE";
            return Err(ConfigError::invalid(
                "code_challenge_methods_supported",
                what,
                fix,
            ));
        }
        if *endpoint.url() != server.token_endpoint {
            let fix = "exchange the code where it was issued";
            return Err(ConfigError::invalid("token_url", "is another server's", fix));
        }
        Ok(Self {
            endpoint,
            authorization_endpoint,
            issuer: server.issuer.clone(),
            sends_issuer: server.sends_issuer,
            scopes: None,
            parameters: Vec::new(),
            path: "/".into(),
            port: 0,
            timeout: Duration::from_secs(300),
        })
    }

    /// Asks for these scopes. `openid` among them makes the answer tell who it is, where the issuer is known.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// Adds a parameter to the authorization request: `prompt`, `login_hint`, … The flow's own can't be replaced.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Sets the redirect address for a server that knows one only: its path (`/` if nothing is said) and port (0, any
    /// that is free).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for what is no plain path.
    pub fn with_redirect(mut self, path: &str, port: u16) -> Result<Self, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !path.starts_with('/') || !path.bytes().all(plain) || path.contains("//") || path.contains("/.") {
            let fix = "write it as /path, with letters, digits, '-', '_', '.' and '~'";
            return Err(ConfigError::invalid("redirect path", "is not plain", fix));
        }
        path.clone_into(&mut self.path);
        self.port = port;
        Ok(self)
    }

    /// Sets how long to wait for the person.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Lets `handler` ask the person, waits for the answer and exchanges it.
    ///
    /// # Errors
    /// [`LoginError`]
    pub async fn run(&self, handler: &impl AuthorizationHandler) -> Result<Login, LoginError> {
        let listener = Listener::bind(self.port)?;
        let redirect_uri = format!("http://{}{}", listener.authority(), self.path);
        let attempt = self.attempt()?;
        let (redirect, verdict) =
            Redirect::new(attempt.state.clone(), self.issuer.clone(), self.sends_issuer);
        let request = AuthorizationRequest {
            url: self.url(&attempt, &redirect_uri)?,
            redirect: Arc::new(redirect),
            redirect_uri,
        };
        let site = listener.serve(&self.path, Arc::clone(&request.redirect));
        let login = match self.ask(handler, &request, verdict).await {
            Ok(code) => self.exchange(code, &request.redirect_uri, attempt).await,
            Err(error) => Err(error),
        };
        let outcome = Outcome::new(&self.endpoint.name, login.as_ref().err());
        site.finish(outcome).await;
        login
    }

    fn attempt(&self) -> Result<Attempt, LoginError> {
        let openid = self
            .scopes
            .as_ref()
            .is_some_and(|scopes| scopes.contains("openid"));
        Ok(Attempt {
            state: random()?,
            verifier: random()?,
            nonce: openid.then(random).transpose()?,
        })
    }

    /// The authorization request, RFC 6749 §4.1.1. What the endpoint's address has in its query stays (§3.1).
    fn url(&self, attempt: &Attempt, redirect_uri: &str) -> Result<Url, LoginError> {
        let challenge = challenge(&attempt.verifier);
        let scopes = self.scopes.as_ref().map(Scopes::to_string);
        let mut ours = vec![
            ("response_type", "code"),
            ("client_id", self.endpoint.client_id()),
            ("redirect_uri", redirect_uri),
            ("state", attempt.state.expose_secret()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        ours.extend(scopes.as_deref().map(|scopes| ("scope", scopes)));
        ours.extend(
            attempt
                .nonce
                .as_ref()
                .map(|nonce| ("nonce", nonce.expose_secret())),
        );

        let endpoint = self.authorization_endpoint.as_str();
        let mut url = Url::parse(endpoint)
            .map_err(|error| LoginError::system("the login has no address", Some(Arc::new(error))))?;
        let given: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let others = given
            .iter()
            .chain(&self.parameters)
            .chain(&self.endpoint.target)
            .filter(|(name, _)| !ours.iter().any(|(ours, _)| ours == name));
        url.query_pairs_mut()
            .clear()
            .extend_pairs(&ours)
            .extend_pairs(others);
        Ok(url)
    }

    /// Waits for the answer, from the listener or from the handler.
    async fn ask(
        &self,
        handler: &impl AuthorizationHandler,
        request: &AuthorizationRequest,
        mut verdict: oneshot::Receiver<Verdict>,
    ) -> Verdict {
        let timed_out = || LoginError::TimedOut { after: self.timeout };
        let asking = async {
            let early = tokio::select! {
                biased;
                verdict = &mut verdict => Some(verdict),
                asked = handler.authorize(request) => {
                    asked?;
                    None
                }
            };
            let answer = match early {
                Some(answer) => answer,
                None => verdict.await,
            };
            answer.unwrap_or_else(|_| Err(timed_out()))
        };
        tokio::time::timeout(self.timeout, asking)
            .await
            .unwrap_or_else(|_| Err(timed_out()))
    }

    /// RFC 6749 §4.1.3
    async fn exchange(
        &self,
        code: SecretString,
        redirect_uri: &str,
        attempt: Attempt,
    ) -> Result<Login, LoginError> {
        let grant = Grant::AuthorizationCode {
            code,
            redirect_uri: redirect_uri.to_owned(),
            code_verifier: attempt.verifier,
        };
        let response = self.endpoint.request(&grant).await?;
        let expected = self.issuer.as_deref().zip(attempt.nonce.as_ref());
        let expected = expected.map(|(issuer, nonce)| Expected {
            issuer,
            client_id: self.endpoint.client_id(),
            nonce: Some(nonce.expose_secret()),
            now: self.endpoint.now(),
        });
        let scopes = self.scopes.as_ref();
        Ok(Login::new(&self.endpoint, scopes, response, expected.as_ref())?)
    }
}
