//! H01, C7: what is logged, by us and by all that we stand on, down to TRACE.

use crate::captured::Log;
use crate::support::{Directory, free_of_canaries, json};
use gatepass_client_credentials::{ClientCredentialsSource, Environment, Providers};
use gatepass_core::{CachedTokenSource, TokenSource};
use gatepass_http::{AuthorizedClient, HttpClient, RetryPolicy};
use gatepass_testkit::{Answer, AuthorizationServer, ModelServer};
use serde_json::{Value, json as value};
use std::sync::Arc;
use std::time::Duration;

const SECRET: &str = "canary-secret+/%&= ü";

struct World {
    server: AuthorizationServer,
    model: ModelServer,
}

impl World {
    async fn new() -> Self {
        let server = AuthorizationServer::start().await;
        server.add_client("canary-id", SECRET);
        let model = ModelServer::start().await;
        Self { server, model }
    }

    fn source(&self, change: impl FnOnce(&mut Value)) -> ClientCredentialsSource {
        let mut entry = value!({
            "client_id": "canary-id",
            "client_secret": "os.environ/SECRET",
            "token_url": format!("{}?key=canary-key", self.server.token_url()),
            "base_url": format!("{}?key=canary-key", self.model.base_url()),
            "headers": {"x-key": "canary-header"},
            "unknown": "canary-unknown",
        });
        change(&mut entry);
        let text = value!({"oauth2_providers": {"corp": entry}}).to_string();
        let directory = Directory::new().with("litellm_config.json", text);
        let providers = Providers::read(&directory.file("litellm_config.json")).unwrap();
        let environment = Environment::of([("SECRET", SECRET)]);
        let provider = providers.with_environment(environment).get("corp").unwrap();
        let retry = RetryPolicy::tokens().with_first_pause(Duration::from_millis(2));
        ClientCredentialsSource::new(provider).unwrap().with_retry(retry)
    }

    /// Every outcome that a token request can have, and its error if there is one.
    async fn ask_for_tokens(&self) {
        let error = value!({"error": "invalid_grant", "error_description": format!("not {SECRET}")});
        let token =
            value!({"access_token": "canary-access", "refresh_token": "canary-rotated", "expires_in": 60});
        let answers = [
            json(200, &token),
            json(200, &value!({"access_token": "canary access"})),
            json(200, &value!({"access_token": ["canary"]})),
            json(400, &error),
            json(503, &error),
            Answer::redirect(307, "http://127.0.0.1:1/canary-location"),
            Answer::text(200, "<html>canary-page</html>"),
            Answer::text(500, "canary-page").with_header("set-cookie", "session=canary-cookie"),
            Answer::truncated("canary-torn"),
            Answer::close(),
        ];
        for style in ["basic", "post", "auto"] {
            for answer in &answers {
                let source = self.source(|entry| entry["auth_style"] = value!(style));
                self.server.always(answer.clone());
                free_of_canaries(&source.token().await);
                self.server.normal();
            }
        }
        let refreshing = self.source(|entry| entry["refresh_token"] = value!("canary-refresh"));
        self.server.push(json(200, &token));
        refreshing.token().await.unwrap();
        refreshing.token().await.unwrap();
    }

    async fn ask_for_metadata(&self) {
        let source = self.source(|entry| {
            entry.as_object_mut().unwrap().remove("token_url");
            entry["issuer"] = value!(self.server.issuer());
        });
        source.token().await.unwrap();
    }

    /// A call of the model, with a token that is refused first.
    async fn ask_the_model(&self) {
        let token = |name: &str| json(200, &value!({"access_token": name, "expires_in": 600}));
        self.server.push(token("canary-first"));
        self.server.push(token("canary-second"));
        self.model.require_bearer("canary-second");
        let source = self.source(|entry| entry["auth_style"] = value!("basic"));
        let base_url = format!("{}?key=canary-key", self.model.base_url());
        let base_url =
            gatepass_http::ServerUrl::parse(&base_url, "base_url", gatepass_http::Transport::Encrypted);
        let source = Arc::new(CachedTokenSource::new(source));
        let http = HttpClient::new(gatepass_http::HttpOptions::default()).unwrap();
        let client = AuthorizedClient::new(http, base_url.unwrap(), source, |_, _| {});
        client
            .post_json("embeddings", r#"{"input":"canary-prompt"}"#)
            .await
            .unwrap();
    }
}

/// H01
#[tokio::test]
async fn no_log_at_any_level_shows_a_secret() {
    let log = Log::begin();
    let world = World::new().await;
    world.ask_for_tokens().await;
    world.ask_for_metadata().await;
    world.ask_the_model().await;
    let text = log.end();
    // The forms that really went over the wire.
    for request in world.server.requests().iter().chain(&world.model.requests()) {
        if let Some(authorization) = request.header("authorization") {
            let (_, credentials) = authorization.split_once(' ').unwrap();
            assert!(!text.contains(credentials), "{credentials}");
        }
        let body = String::from_utf8_lossy(&request.body);
        for pair in body
            .split('&')
            .filter(|pair| pair.contains("secret") || pair.contains("refresh"))
        {
            let (_, sent) = pair.split_once('=').unwrap();
            assert!(
                pair.contains("refresh_token") && sent.len() < 15 || !text.contains(sent),
                "{pair}"
            );
        }
    }
    let about_the_client = text.replace("canary-id", "");
    for form in ["canary", "Y2FuYXJ5", "NhbmFye", "jYW5hcn", "99, 97, 110, 97"] {
        let hit = about_the_client.lines().find(|line| line.contains(form));
        assert!(hit.is_none(), "{form}: {hit:?}");
    }
    // Who looks for it learns that a token was renewed, and for how long it is good.
    let renewed = "gatepass_core::cache: a new token lifetime=Some(600s)";
    assert!(text.contains(renewed), "{renewed}");
    for source in [
        "gatepass_http",
        "gatepass_client_credentials",
        "token refresh",
        "reqwest",
    ] {
        assert!(
            text.contains(source),
            "{source} has logged something, or this proves nothing"
        );
    }
}

/// C7
#[tokio::test]
async fn each_retry_is_logged_with_provider_attempt_and_pause() {
    let log = Log::begin();
    let world = World::new().await;
    world.server.always(Answer::text(503, "canary"));
    let source = world.source(|entry| entry["auth_style"] = value!("basic"));
    source.token().await.unwrap_err();
    let text = log.end();
    let retries: Vec<_> = text
        .lines()
        .filter(|line| line.contains("trying again"))
        .collect();
    assert_eq!(retries.len(), 3, "{text}");
    for (index, line) in retries.iter().enumerate() {
        assert!(line.contains("WARN") && line.contains("corp"), "{line}");
        assert!(line.contains(&format!("attempt={}", index + 1)), "{line}");
        assert!(line.contains("pause=") && line.contains("ms"), "{line}");
        assert!(line.contains("status 503"), "{line}");
    }
}

/// C5, C1: what else a person should know of.
#[tokio::test]
async fn what_is_odd_but_works_is_a_warning() {
    let log = Log::begin();
    let world = World::new().await;
    let source = world.source(|entry| {
        entry["scope"] = value!("a b c");
        entry["refresh_token"] = value!("spent");
    });
    world.server.push(json(400, &value!({"error": "invalid_grant"})));
    world
        .server
        .push(json(200, &value!({"access_token": "t", "scope": "b"})));
    source.token().await.unwrap();
    let text = log.end();
    let line = |what: &str| {
        text.lines()
            .find(|line| line.contains(what))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        line("unknown is not a known key").contains("litellm_config.json"),
        "{text}"
    );
    assert!(line("is of no use any more").contains("provider=corp"), "{text}");
    let fewer = line("fewer scopes");
    assert!(
        fewer.contains("provider=corp") && fewer.contains("missing=\"a c\""),
        "{text}"
    );
}
