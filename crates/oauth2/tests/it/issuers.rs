//! M03: what belongs to one server is never sent to another.

use crate::person::{agree, http, log_in, metadata, parameter};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use gatepass_core::{
    CredentialKey, CredentialStore, ExposeSecret, MemoryStore, ProviderName, Scopes, TokenSource,
};
use gatepass_http::{HttpClient, RetryPolicy};
use gatepass_oauth2::{
    AuthStyle, AuthorizationCodeFlow, Client, DeviceFlow, Grant, Metadata, RefreshTokenSource, Revocation,
    TokenEndpoint,
};
use gatepass_testkit::{AuthorizationServer, RecordedRequest};
use std::collections::HashMap;

/// How many histories: as a variable says, or a few.
#[expect(clippy::disallowed_methods, reason = "a person may want more of them")]
fn histories() -> u64 {
    let wanted = std::env::var("GATEPASS_TEST_HISTORIES").ok();
    wanted.map_or(100, |number| number.parse().expect("a number of histories"))
}

/// M03: logins, refreshes, revocations and changes of the configuration in random order, at two servers that both
/// know a client of the same name.
#[tokio::test]
async fn no_history_of_two_servers_mixes_their_secrets() {
    let http = http();
    let issuers = [Issuer::start(0).await, Issuer::start(1).await];
    let mut owners = Owners::default();
    let mut refused = 0;
    for number in 0..histories() {
        let mut history = History::new(&issuers, &http, number);
        for _ in 0..history.random.usize(4..16) {
            history.step(&mut owners).await;
        }
        refused += history.refused;
        for issuer in &issuers {
            for request in issuer.server.take_requests() {
                owners.see(&request, issuer.number, number);
            }
        }
    }
    let (secrets, requests) = (owners.issuers.len(), owners.requests);
    let count = usize::try_from(histories()).unwrap();
    assert!(
        secrets > 10 * count && refused > count / 10,
        "too little has happened: {secrets} secrets, {refused} refusals"
    );
    eprintln!(
        "{count} histories, {requests} requests, {secrets} values, each seen by its own server alone; {refused} times \
         a login was held back from another server or client"
    );
}

/// A server, and the clients that it knows.
struct Issuer {
    number: usize,
    server: AuthorizationServer,
    metadata: Metadata,
    clients: [(String, String); 2],
}

impl Issuer {
    async fn start(number: usize) -> Self {
        let server = AuthorizationServer::start().await;
        server.rotate_refresh_tokens(true);
        let clients = ["shared".to_owned(), format!("only-{number}")].map(|id| {
            let secret = format!("{id}:secret {number}+/=%");
            server.add_client(&id, &secret);
            (id, secret)
        });
        Self {
            number,
            metadata: metadata(&server).await,
            server,
            clients,
        }
    }

    /// As a configuration may name it: one of its clients, by either method, with one of its resources or none.
    fn endpoint(&self, http: &HttpClient, random: &mut Rng) -> TokenEndpoint {
        let (id, secret) = random.choice(&self.clients).unwrap();
        let style = *random.choice(&[AuthStyle::Basic, AuthStyle::Post]).unwrap();
        let endpoint = self
            .metadata
            .endpoint(http.clone(), Client::new(id, secret.as_str()))
            .with_auth_style(style)
            .with_retry(RetryPolicy::never());
        let api = format!("https://api-{}.example/{}", self.number, random.u8(0..2));
        match random.u8(0..3) {
            0 => endpoint.with_resource(api),
            1 => endpoint.with_audience(api),
            _ => endpoint,
        }
    }

    fn scopes(&self, random: &mut Rng) -> Scopes {
        let number = self.number;
        let scopes = [format!("read-{number}"), format!("read-{number} write-{number}")];
        Scopes::parse(random.choice(&scopes).unwrap()).unwrap()
    }
}

/// Some steps with one store, and the sources that are made on the way.
struct History<'a> {
    issuers: &'a [Issuer; 2],
    http: &'a HttpClient,
    random: Rng,
    store: MemoryStore,
    sources: Vec<RefreshTokenSource>,
    refused: usize,
}

impl<'a> History<'a> {
    fn new(issuers: &'a [Issuer; 2], http: &'a HttpClient, seed: u64) -> Self {
        Self {
            issuers,
            http,
            random: Rng::with_seed(seed),
            store: MemoryStore::new(),
            sources: Vec::new(),
            refused: 0,
        }
    }

    async fn step(&mut self, owners: &mut Owners) {
        let issuer = self.random.choice(self.issuers).unwrap();
        let key = self.key();
        match self.random.u8(0..20) {
            0..4 => self.log_in_by_browser(issuer, &key, owners).await,
            4..6 => self.log_in_by_device(issuer, &key).await,
            6 => self.revoke(issuer, &key).await,
            7 => _ = self.store.delete(&key).await.unwrap(),
            8 => self.ask_for_the_client(issuer).await,
            _ => self.use_a_login(issuer, key).await,
        }
        for key in self.store.list().await.unwrap() {
            owners.note_login(&self.store.load(&key).await.unwrap().unwrap(), self.issuers);
        }
    }

    /// Both servers use the same names at times: a configuration that was changed.
    fn key(&mut self) -> CredentialKey {
        let name = self.random.choice(["one", "two"]).unwrap();
        let account = self.random.choice(["jane", "joe"]).unwrap();
        CredentialKey::new(ProviderName::parse(name).unwrap())
            .with_account(account)
            .unwrap()
    }

    async fn log_in_by_browser(&mut self, issuer: &Issuer, key: &CredentialKey, owners: &mut Owners) {
        let endpoint = issuer.endpoint(self.http, &mut self.random);
        let flow = AuthorizationCodeFlow::new(&issuer.metadata, endpoint)
            .unwrap()
            .with_scopes(issuer.scopes(&mut self.random));
        let (login, page) = log_in(&flow, agree).await;
        let landing = page.addresses.iter().find(|address| address.contains("code="));
        owners.note(&parameter(landing.unwrap(), "code"), issuer.number);
        self.store.save(key, &login.unwrap().credential).await.unwrap();
    }

    /// The time of the polls passes at once.
    async fn log_in_by_device(&mut self, issuer: &Issuer, key: &CredentialKey) {
        let endpoint = issuer.endpoint(self.http, &mut self.random);
        let flow = DeviceFlow::new(&issuer.metadata, endpoint)
            .unwrap()
            .with_scopes(issuer.scopes(&mut self.random));
        let device = flow.begin().await.unwrap();
        tokio::time::pause();
        let login = flow.finish(device).await;
        tokio::time::resume();
        self.store.save(key, &login.unwrap().credential).await.unwrap();
    }

    /// At this server, whosever login it is.
    async fn revoke(&mut self, issuer: &Issuer, key: &CredentialKey) {
        let endpoint = issuer.endpoint(self.http, &mut self.random);
        let revocation = Revocation::new(&issuer.metadata, endpoint).unwrap();
        if let Some(credential) = self.store.load(key).await.unwrap() {
            _ = revocation.revoke(&credential).await;
        }
    }

    async fn ask_for_the_client(&mut self, issuer: &Issuer) {
        let scopes = Some(issuer.scopes(&mut self.random));
        let endpoint = issuer.endpoint(self.http, &mut self.random);
        endpoint
            .request(&Grant::ClientCredentials { scopes })
            .await
            .unwrap();
    }

    /// By a new source, or by one that has seen another login under the same name.
    async fn use_a_login(&mut self, issuer: &Issuer, key: CredentialKey) {
        if self.sources.is_empty() || self.random.bool() {
            let endpoint = issuer.endpoint(self.http, &mut self.random);
            self.sources
                .push(RefreshTokenSource::new(endpoint, self.store.clone(), key));
        }
        let source = self.random.choice(&self.sources).unwrap();
        match source.token().await {
            Ok(token) => {
                source.reject(&token);
                _ = source.token().await;
            }
            Err(gatepass_core::TokenError::Config(_)) => self.refused += 1,
            Err(_) => {}
        }
    }
}

/// To which server each value belongs, and to which client each token.
#[derive(Default)]
struct Owners {
    issuers: HashMap<String, usize>,
    clients: HashMap<String, String>,
    requests: usize,
}

/// What is the same at every server, or (a port of this machine) may come again.
const COMMON: [&str; 6] = [
    "client_id",
    "grant_type",
    "response_type",
    "code_challenge_method",
    "token_type_hint",
    "redirect_uri",
];

impl Owners {
    fn note(&mut self, value: &str, issuer: usize) {
        let owner = *self.issuers.entry(value.to_owned()).or_insert(issuer);
        assert_eq!(owner, issuer, "{value} is known to both servers");
    }

    fn note_login(&mut self, login: &gatepass_core::Credential, issuers: &[Issuer; 2]) {
        let issuer = issuers
            .iter()
            .find(|issuer| issuer.server.token_url() == login.token_url)
            .expect("a login names who issued it");
        let refresh = login.refresh_token.iter().map(|token| token.expose_secret());
        let access = login.access_token.iter().map(|token| token.expose_secret());
        for token in refresh.chain(access) {
            self.note(token, issuer.number);
            self.clients.insert(token.to_owned(), login.client_id.clone());
        }
    }

    /// What `issuer` has been sent: client secrets, states, verifiers, codes and tokens, wherever they stand.
    fn see(&mut self, request: &RecordedRequest, issuer: usize, history: u64) {
        self.requests += 1;
        let mut said: Vec<_> = request.form.iter().chain(&request.query).cloned().collect();
        let mut client = request.form_value("client_id").map(str::to_owned);
        if let Some((id, secret)) = basic(request) {
            client = Some(id.clone());
            said.extend([("client_id".into(), id), ("client_secret".into(), secret)]);
        }
        for (name, value) in said {
            if !COMMON.contains(&&*name) {
                self.issuers.entry(value.clone()).or_insert(issuer);
            }
            let owner = self.issuers.get(&value);
            assert!(
                owner.is_none_or(|owner| *owner == issuer),
                "history {history}: {name} of the other server in {request:?}"
            );
            let its_client = self.clients.get(&value);
            assert!(
                its_client.is_none() || its_client == client.as_ref(),
                "history {history}: {name} of another client in {request:?}"
            );
        }
        let elsewhere = request
            .headers
            .iter()
            .filter(|(name, _)| *name != "authorization");
        for text in elsewhere.filter_map(|(_, value)| value.to_str().ok()) {
            assert!(!self.issuers.contains_key(text), "history {history}: {request:?}");
        }
    }
}

/// Id and secret of a client that authenticates by header (RFC 6749 §2.3.1).
fn basic(request: &RecordedRequest) -> Option<(String, String)> {
    let (scheme, encoded) = request.header("authorization")?.split_once(' ')?;
    assert_eq!(scheme, "Basic");
    let text = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    let (id, secret) = text.split_once(':').unwrap();
    let decoded = |text: &str| {
        let query = format!("={text}");
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.next().unwrap().1.into_owned()
    };
    Some((decoded(id), decoded(secret)))
}
