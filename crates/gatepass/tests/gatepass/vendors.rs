//! Gemini and Claude through the facade: by key, by a login at Google, behind a configured provider.

use gatepass::oauth2::{AuthorizationHandler, AuthorizationRequest, LoginError};
use gatepass::{BackendError, Llm, LlmConfig, LoginOptions, LoginProvider, Profile, TokenError, call_llm};
use gatepass_testkit::{AuthorizationServer, ModelServer, visit};
use serde_json::{Value, json};
use std::path::PathBuf;

struct Willing;

impl AuthorizationHandler for Willing {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        visit(request.url()).await.unwrap();
        Ok(())
    }
}

struct World {
    authorization: AuthorizationServer,
    model: ModelServer,
    directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let world = Self {
            authorization: AuthorizationServer::start().await,
            model: ModelServer::start().await,
            directory: tempfile::tempdir().unwrap(),
        };
        world.model.reply_text("Paris");
        world
    }

    /// The server's root: Gemini and Claude add their own versions.
    fn root(&self) -> String {
        self.model.base_url().trim_end_matches("/v1").to_owned()
    }

    fn write(&self, name: &str, content: &Value) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content.to_string()).unwrap();
        path
    }

    fn profile(&self) -> Profile {
        Profile::new(self.directory.path())
    }

    async fn log_in_with_google(&self) {
        self.write(
            "client_secrets.json",
            &json!({ "installed": {
                "client_id": AuthorizationServer::CLIENT_ID,
                "client_secret": AuthorizationServer::CLIENT_SECRET,
                "project_id": "my-project",
                "auth_uri": self.authorization.authorization_url(),
                "token_uri": self.authorization.token_url(),
            }}),
        );
        let google = LoginProvider::google(&self.profile()).unwrap();
        let login = google.log_in(&LoginOptions::default(), &Willing).await.unwrap();
        google
            .save(&*self.profile().store().unwrap(), &login, None)
            .await
            .unwrap();
    }

    fn gemini(&self) -> LlmConfig {
        LlmConfig::new("gemini/gemini-2.5-flash")
            .with_base_url(self.root())
            .with_profile(self.profile())
    }
}

/// G9
#[tokio::test]
async fn gemini_is_called_with_the_login_at_google_and_its_quota_project() {
    let world = World::new().await;
    world.model.require_token(&world.authorization);
    world.log_in_with_google().await;
    let config = world.gemini().with_oauth2("google").with_temperature(0.5);
    assert_eq!(call_llm("Where?", &config).await.unwrap(), "Paris");
    let [request] = &world.model.requests()[..] else {
        panic!("one request")
    };
    assert_eq!(request.path, "/v1beta/models/gemini-2.5-flash:generateContent");
    assert!(
        request
            .bearer()
            .is_some_and(|token| world.authorization.is_active(token))
    );
    assert_eq!(request.header("x-goog-user-project"), Some("my-project"));
    assert_eq!(
        (request.header("x-goog-api-key"), request.query_value("key")),
        (None, None)
    );
    assert_eq!(request.json["generationConfig"]["temperature"], json!(0.5));
}

#[tokio::test]
async fn gemini_without_a_login_says_to_log_in() {
    let world = World::new().await;
    world.log_in_with_google().await;
    let config = world
        .gemini()
        .with_oauth2("google")
        .with_account("nobody@example.com");
    let error = call_llm("Where?", &config).await.unwrap_err();
    assert!(
        matches!(&error, BackendError::Token(TokenError::LoginRequired { .. })),
        "{error:?}"
    );
    assert!(
        error
            .fix()
            .starts_with("run: gatepass auth login --provider google"),
        "{}",
        error.fix()
    );
}

/// A login goes to no other address unasked.
#[tokio::test]
async fn a_login_is_not_used_unasked_at_an_address_of_ones_own() {
    let world = World::new().await;
    world.log_in_with_google().await;
    let error = call_llm("Where?", &world.gemini()).await.unwrap_err();
    assert!(error.to_string().starts_with("GOOGLE_API_KEY"), "{error}");
    assert!(world.model.requests().is_empty());
    // At Google's own it would be: nothing is asked yet.
    let config = LlmConfig::new("gemini/gemini-2.5-flash").with_profile(world.profile());
    Llm::with_config(&config).await.unwrap();
}

/// G10
#[tokio::test]
async fn each_vendor_gets_its_key_in_its_own_header_side_by_side() {
    let world = World::new().await;
    for (model, base_url, header, path) in [
        (
            "gemini/gemini-2.5-flash",
            world.root(),
            "x-goog-api-key",
            "/v1beta/models/gemini-2.5-flash:generateContent",
        ),
        ("claude-sonnet-4", world.root(), "x-api-key", "/v1/messages"),
        (
            "gpt-4o-mini",
            world.model.base_url(),
            "authorization",
            "/v1/chat/completions",
        ),
    ] {
        let config = LlmConfig::new(model)
            .with_base_url(base_url)
            .with_api_key("the-key");
        assert_eq!(call_llm("Where?", &config).await.unwrap(), "Paris", "{model}");
        let requests = world.model.requests();
        let request = requests.last().unwrap();
        assert_eq!(request.path, path);
        for name in ["x-goog-api-key", "x-api-key", "authorization"] {
            let sent = if name == "authorization" {
                "Bearer the-key"
            } else {
                "the-key"
            };
            let expected = (name == header).then_some(sent);
            assert_eq!(request.header(name), expected, "{model}: {name}");
        }
        assert_eq!(request.query_value("key"), None);
    }
}

/// G13
#[tokio::test]
async fn another_vendors_model_is_refused_googles_token() {
    for model in ["gpt-4o", "claude-sonnet-4"] {
        let config = LlmConfig::new(model).with_oauth2("google");
        let error = Llm::with_config(&config).await.unwrap_err();
        assert!(
            error.to_string().contains("google has no token for the model"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_gateway_speaks_the_language_that_its_entry_names() {
    let world = World::new().await;
    world.model.require_token(&world.authorization);
    for (api, path) in [
        ("openai", "/v1/chat/completions"),
        ("anthropic", "/v1/messages"),
        ("gemini", "/v1beta/models/my-model:generateContent"),
    ] {
        let base_url = if api == "openai" {
            world.model.base_url()
        } else {
            world.root()
        };
        let entry = json!({
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": AuthorizationServer::CLIENT_SECRET,
            "token_url": world.authorization.token_url(),
            "base_url": base_url,
            "api": api,
        });
        let file = world.write(
            &format!("{api}.json"),
            &json!({ "oauth2_providers": { "corp": entry } }),
        );
        let config = LlmConfig::new("corp/my-model").with_config_path(file);
        assert_eq!(call_llm("Where?", &config).await.unwrap(), "Paris", "{api}");
        let requests = world.model.requests();
        let request = requests.last().unwrap();
        assert_eq!(request.path, path);
        assert!(request.bearer().is_some(), "{api}");
        assert_eq!(
            (request.header("x-api-key"), request.header("x-goog-api-key")),
            (None, None)
        );
    }
}
