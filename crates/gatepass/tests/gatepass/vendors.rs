//! Gemini and Claude through the facade: by key, by a login at Google, behind a configured provider.

use gatepass::oauth2::{AuthorizationHandler, AuthorizationRequest, LoginError};
use gatepass::{BackendError, Llm, LlmConfig, LoginOptions, LoginProvider, Profile, TokenError, call_llm};
use gatepass_testkit::{Answer, AuthorizationServer, ModelServer, visit};
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

#[tokio::test]
async fn a_key_travels_unencrypted_to_another_machine_only_if_it_may() {
    let world = World::new().await;
    // An address that isn't known to be this machine's own, and leads here.
    let elsewhere = world.model.base_url().replace("127.0.0.1", "0.0.0.0");
    let config = LlmConfig::new("gpt-4o-mini")
        .with_base_url(elsewhere)
        .with_api_key("the-key");
    let error = call_llm("Where?", &config).await.unwrap_err();
    assert!(error.to_string().contains("unencrypted"), "{error}");
    assert!(world.model.requests().is_empty());

    let allowed = config.clone().with_allow_http();
    if cfg!(target_os = "linux") {
        assert_eq!(call_llm("Where?", &allowed).await.unwrap(), "Paris");
    } else {
        Llm::with_config(&allowed).await.unwrap();
    }

    let of_login = LlmConfig::new("gemini/gemini-2.5-flash").with_oauth2("google");
    let of_login = of_login
        .with_base_url("http://llm.corp.example")
        .with_allow_http();
    world.log_in_with_google().await;
    let error = Llm::with_config(&of_login.with_profile(world.profile()))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("allow_http is for API keys"),
        "{error}"
    );
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

/// Vertex AI and Azure, where the entry tells project and location, or the version.
#[tokio::test]
async fn an_entry_leads_to_vertex_ai_and_to_azures_deployments() {
    let world = World::new().await;
    world.model.require_token(&world.authorization);
    let ask = async |more: Value| {
        let mut entry = json!({
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": AuthorizationServer::CLIENT_SECRET,
            "token_url": world.authorization.token_url(),
            "base_url": world.root(),
        });
        for (field, value) in more.as_object().unwrap() {
            entry[field] = value.clone();
        }
        let name = format!("{}.json", more["api"]);
        let file = world.write(&name, &json!({ "oauth2_providers": { "cloud": entry } }));
        call_llm("Where?", &LlmConfig::new("cloud/my-model").with_config_path(file)).await
    };
    let vertex = json!({ "api": "vertex", "project": "my-project", "location": "europe-west4" });
    assert_eq!(ask(vertex).await.unwrap(), "Paris");
    let answer = json!({ "choices": [{ "message": { "content": "Hi" } }] });
    world.model.push(Answer::json(200, &answer));
    let azure = json!({ "api": "azure", "api_version": "2024-10-21" });
    assert_eq!(ask(azure).await.unwrap(), "Hi");

    let requests = world.model.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    let vertex = "/v1beta1/projects/my-project/locations/europe-west4/publishers/google/models/my-model:generateContent";
    assert_eq!(paths, [vertex, "/openai/deployments/my-model/chat/completions"]);
    assert_eq!(requests[1].query_value("api-version"), Some("2024-10-21"));
    for request in &requests {
        assert!(request.bearer().is_some());
        let keys = ["api-key", "x-goog-api-key"].map(|name| request.header(name));
        assert_eq!(keys, [None, None]);
    }

    for (bad, field) in [
        (
            json!({ "api": "vertex", "project": "p", "location": "evil.example/x" }),
            "location",
        ),
        (
            json!({ "api": "vertex", "project": "../p", "location": "global" }),
            "project",
        ),
        (
            json!({ "api": "azure", "api_version": "2024-10-21&x=1" }),
            "api_version",
        ),
    ] {
        let error = ask(bad).await.unwrap_err().to_string();
        assert!(error.contains(&format!("provider 'cloud': {field} ")), "{error}");
    }
    assert_eq!(world.model.requests().len(), 2, "no token went anywhere else");
}

/// Without a `base_url`, the token goes to Google's own address of that location.
#[tokio::test]
async fn vertex_ai_needs_no_address() {
    let world = World::new().await;
    let entry = json!({
        "client_id": "client", "client_secret": "secret", "token_url": world.authorization.token_url(),
        "api": "vertex", "project": "my-project", "location": "global",
    });
    let file = world.write("vertex.json", &json!({ "oauth2_providers": { "cloud": entry } }));
    let config = LlmConfig::new("cloud/gemini-2.5-flash").with_config_path(&file);
    assert!(Llm::with_config(&config).await.is_ok());
    let elsewhere = config.with_base_url(world.root());
    let error = Llm::with_config(&elsewhere).await.unwrap_err().to_string();
    assert!(
        error.contains("base_url differs from the one that was given"),
        "{error}"
    );
}
