use super::http;
use super::process::ServerProcess;
use super::tools::Tools;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// oidc-provider, in a process of its own. It forgets all tokens when it ends.
pub(crate) struct AuthorizationServer {
    process: ServerProcess,
    command: [PathBuf; 2],
    token_lifetime: Duration,
    pub(crate) metadata: Ready,
    barriers: AtomicUsize,
}

/// What it prints when it answers.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ready {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) introspection_endpoint: String,
    pub(crate) revocation_endpoint: String,
    pub(crate) resource: String,
    /// Secrets by client.
    pub(crate) clients: BTreeMap<String, String>,
}

/// What is held back of a token request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hold {
    /// The request: the server never gets to see it.
    Request,
    /// The answer: the server has done what was asked for.
    Answer,
}

/// An answer of its token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenAnswer {
    pub(crate) status: u16,
    /// When, in milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) grant: String,
    pub(crate) client: String,
    pub(crate) error: String,
}

impl AuthorizationServer {
    pub(crate) async fn start(tools: &Tools, token_lifetime: Duration) -> Self {
        let command = tools.authorization_server();
        let lifetime = token_lifetime.as_secs().to_string();
        let (process, ready) = ServerProcess::start(&command, &[("E2E_TOKEN_TTL", lifetime)]).await;
        let metadata = serde_json::from_value(ready).expect("the line that the script's head describes");
        Self {
            process,
            command,
            token_lifetime,
            metadata,
            barriers: AtomicUsize::new(0),
        }
    }

    pub(crate) fn secret_of(&self, client: &str) -> &str {
        &self.metadata.clients[client]
    }

    /// What it says of a token, as RFC 7662 has it.
    pub(crate) async fn introspect(&self, token: &str) -> Value {
        let endpoint = &self.metadata.introspection_endpoint;
        let (status, said) = self.post(endpoint, "proxy", token).await;
        assert_eq!(status, 200, "{said}");
        said
    }

    /// Takes a token back, RFC 7009.
    pub(crate) async fn revoke(&self, token: &str) {
        let endpoint = &self.metadata.revocation_endpoint;
        let (status, said) = self.post(endpoint, "gateway-admin", token).await;
        assert_eq!(status, 200, "{said}");
    }

    /// Holds the next token request back, until its client hangs up.
    pub(crate) async fn hold(&self, what: Hold) {
        let word = match what {
            Hold::Request => "before",
            Hold::Answer => "after",
        };
        let url = format!("{}/e2e/hold/{word}", self.metadata.issuer);
        let (status, _) = http::post_form(&url, ("", ""), &[]).await.expect("an answer");
        assert_eq!(status, 204);
    }

    /// Waits until so many token requests were held back.
    pub(crate) async fn holds(&self, number: usize) {
        let held = || {
            let lines = self.process.stderr();
            lines.iter().filter(|line| line.starts_with("HELD ")).count() == number
        };
        gatepass_testkit::eventually("a token request is held back", held).await;
    }

    /// Uses a refresh token of the client `desktop`; the answer's status.
    pub(crate) async fn refresh(&self, token: &str) -> u16 {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "desktop"),
            ("refresh_token", token),
        ];
        let endpoint = &self.metadata.token_endpoint;
        http::post_public_form(endpoint, &form)
            .await
            .expect("an answer")
            .0
    }

    async fn post(&self, endpoint: &str, client: &str, token: &str) -> (u16, Value) {
        let credentials = (client, self.secret_of(client));
        let answer = http::post_form(endpoint, credentials, &[("token", token)]).await;
        answer.expect("an authorization server that answers")
    }

    /// How often it was asked for a token so far.
    pub(crate) async fn token_requests(&self) -> usize {
        self.token_answers().await.len()
    }

    /// How often it gave one so far.
    pub(crate) async fn granted(&self) -> usize {
        let answers = self.token_answers().await;
        answers.iter().filter(|answer| answer.status == 200).count()
    }

    /// What its token endpoint answered so far.
    pub(crate) async fn token_answers(&self) -> Vec<TokenAnswer> {
        self.catch_up().await;
        self.process
            .stderr()
            .iter()
            .filter_map(|line| token_answer(line))
            .collect()
    }

    /// It writes one line for each answer, in order: once the line of a last request is there, all others are.
    async fn catch_up(&self) {
        let number = self.barriers.fetch_add(1, Ordering::Relaxed);
        let path = format!("/barrier-{number}-");
        let url = format!("{}{path}", self.metadata.issuer);
        http::post_form(&url, ("", ""), &[])
            .await
            .expect("an authorization server that answers");
        let marked = || self.process.stderr().iter().any(|line| line.contains(&path));
        gatepass_testkit::eventually("the authorization server has told of all requests", marked).await;
    }

    /// Ends it and starts it anew at the same address: all tokens are forgotten, and what it told so far.
    pub(crate) async fn restart(&mut self) {
        self.kill().await;
        let port = self
            .metadata
            .issuer
            .rsplit_once(':')
            .expect("a port")
            .1
            .to_owned();
        let lifetime = self.token_lifetime.as_secs().to_string();
        let variables = [("E2E_TOKEN_TTL", lifetime), ("E2E_PORT", port)];
        (self.process, _) = ServerProcess::start(&self.command, &variables).await;
    }

    pub(crate) async fn kill(&mut self) {
        self.process.kill().await;
    }
}

/// Reads `POST /token 200 at=1800000000000 grant=refresh_token client=desktop error=-`; a client's name may have
/// spaces.
fn token_answer(line: &str) -> Option<TokenAnswer> {
    let (status, rest) = line.strip_prefix("POST /token ")?.split_once(" at=")?;
    let (at, rest) = rest.split_once(" grant=")?;
    let (grant, rest) = rest.split_once(" client=")?;
    let (client, error) = rest.rsplit_once(" error=")?;
    Some(TokenAnswer {
        status: status.parse().ok()?,
        at: at.parse().ok()?,
        grant: grant.to_owned(),
        client: client.to_owned(),
        error: error.to_owned(),
    })
}
