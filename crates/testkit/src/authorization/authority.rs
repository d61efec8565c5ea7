use super::client_auth::{ClientAuth, authenticate};
use super::ledger::Ledger;
use super::refusal::Refusal;
use super::{authorize, metadata, token_endpoint};
use crate::answer::{Answer, Script};
use crate::json::set;
use crate::lock;
use crate::request::RecordedRequest;
use crate::server::Answers;
use gatepass_core::{Clock, SystemClock};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The rules, the tokens and the script of one server.
pub(crate) struct Authority {
    rules: Mutex<Rules>,
    ledger: Mutex<Ledger>,
    pub(super) script: Script<Answer>,
}

/// What a test can change.
pub(super) struct Rules {
    pub(super) base_url: String,
    pub(super) issuer: String,
    pub(super) metadata: Option<Value>,
    /// Secrets by id; `None` for a public client.
    pub(super) clients: HashMap<String, Option<String>>,
    pub(super) accepted: Vec<ClientAuth>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) lifetime: Duration,
    pub(super) rotate: bool,
    pub(super) punish_reuse: bool,
    pub(super) delay: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) canned: HashMap<String, Answer>,
    /// The error that a person's refusal leads to.
    pub(super) refusal: Option<String>,
    /// The `iss` of authorization responses.
    pub(super) response_issuer: Option<String>,
    /// Set on every ID token.
    pub(super) claims: Vec<(String, Value)>,
}

impl Authority {
    pub(super) fn new(address: SocketAddr) -> Self {
        let base_url = format!("http://{address}");
        let client = super::AuthorizationServer::CLIENT_ID.to_owned();
        let secret = super::AuthorizationServer::CLIENT_SECRET.to_owned();
        let rules = Rules {
            issuer: base_url.clone(),
            base_url,
            metadata: None,
            clients: HashMap::from([(client, Some(secret))]),
            accepted: vec![ClientAuth::Basic, ClientAuth::Post],
            scopes: None,
            lifetime: Duration::from_secs(3600),
            rotate: false,
            punish_reuse: true,
            delay: Duration::ZERO,
            clock: Arc::new(SystemClock),
            canned: HashMap::new(),
            refusal: None,
            response_issuer: None,
            claims: Vec::new(),
        };
        Self {
            rules: Mutex::new(rules),
            ledger: Mutex::default(),
            script: Script::new(),
        }
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Rules> {
        lock(&self.rules)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub(crate) fn is_active(&self, token: &str) -> bool {
        let now = self.rules().clock.now();
        self.ledger().active(token, now).is_some()
    }

    /// Introspection, RFC 7662 §2.
    fn introspect(&self, request: &RecordedRequest) -> Result<Answer, Refusal> {
        let rules = self.rules();
        authenticate(request, &rules)?;
        let token = parameter(request, "token")?.ok_or_else(|| Refusal::missing("token"))?;
        let ledger = self.ledger();
        let Some(grant) = ledger.active(token, rules.clock.now()) else {
            return Ok(Answer::json(200, &json!({ "active": false })));
        };
        let mut claims = json!({ "active": true, "client_id": grant.client_id, "iss": rules.issuer });
        if let Some(scope) = &grant.scope {
            set(&mut claims, "scope", scope.as_str());
        }
        if let Some(expires) = grant.expires {
            set(&mut claims, "exp", expires.wall.as_secs());
            set(&mut claims, "token_type", "Bearer");
        }
        Ok(Answer::json(200, &claims))
    }

    /// Revocation, RFC 7009 §2: 200 for a token that is not known, too.
    fn revoke(&self, request: &RecordedRequest) -> Result<Answer, Refusal> {
        let client_id = authenticate(request, &self.rules())?;
        let token = parameter(request, "token")?.ok_or_else(|| Refusal::missing("token"))?;
        let mut ledger = self.ledger();
        if ledger.owner(token).is_some_and(|owner| owner != client_id) {
            return Err(Refusal::new(
                "unauthorized_client",
                "the token is another client's",
            ));
        }
        ledger.revoke(token);
        Ok(Answer::new(200))
    }

    async fn token(&self, request: &RecordedRequest) -> Answer {
        let delay = self.rules().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match self.script.next() {
            Some(canned) => canned,
            None => posted(request, |request| {
                token_endpoint::answer(request, &self.rules(), &mut self.ledger())
            }),
        }
    }
}

impl Answers for Authority {
    async fn answer(&self, request: &RecordedRequest) -> Answer {
        let canned = self.rules().canned.get(&request.path).cloned();
        if let Some(canned) = canned {
            return canned;
        }
        match request.path.as_str() {
            "/token" => self.token(request).await,
            "/authorize" => authorize::answer(request, &self.rules(), &mut self.ledger()),
            "/device_authorization" => posted(request, |request| {
                authorize::device(request, &self.rules(), &mut self.ledger())
            }),
            "/introspect" => posted(request, |request| self.introspect(request)),
            "/revoke" => posted(request, |request| self.revoke(request)),
            path if metadata::PATHS.contains(&path) => metadata::answer(&self.rules()),
            _ => Answer::text(404, "no such endpoint"),
        }
    }
}

/// What every endpoint of RFC 6749 and its extensions asks for: a POST of a form (Appendix B).
fn posted(
    request: &RecordedRequest,
    answer: impl FnOnce(&RecordedRequest) -> Result<Answer, Refusal>,
) -> Answer {
    if request.method != http::Method::POST {
        return Answer::new(405).with_header("allow", "POST");
    }
    if request.media_type() != "application/x-www-form-urlencoded" {
        return Refusal::new("invalid_request", "the body must be a form").into();
    }
    answer(request).unwrap_or_else(Answer::from)
}

/// A parameter of the form: one without a value counts as omitted, and none comes twice (RFC 6749 §3.2).
pub(super) fn parameter<'a>(request: &'a RecordedRequest, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = request.form.iter().filter(|(key, _)| key == name);
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::new("invalid_request", "a parameter is there twice"));
    }
    Ok(first
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty()))
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}
