//! The facade against live local servers.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy takes for library code; figures are printed"
)]

#[cfg(feature = "google")]
mod debug;
#[cfg(all(feature = "google", target_os = "linux"))]
mod endurance;
#[cfg(feature = "google")]
mod logged_in;
#[cfg(all(feature = "login", target_os = "linux"))]
mod memory;
#[cfg(all(feature = "gemini", feature = "google"))]
mod people;
mod tool_loop;
mod vendors;

use gatepass::{
    AccessToken, BackendError, CachedTokenSource, ChatRequest, ConfigError, ErrorKind, Llm, LlmConfig,
    Message, TokenError, TokenSource, async_trait, call_llm, openai::OpenAiBackend,
};
use gatepass_testkit::{AuthorizationServer, ModelServer};
use serde_json::json;
use std::path::{Path, PathBuf};

/// An authorization server, a model server that asks it, and a configuration file that names both.
struct World {
    authorization: AuthorizationServer,
    model: ModelServer,
    directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let authorization = AuthorizationServer::start().await;
        let model = ModelServer::start().await;
        model.require_token(&authorization);
        model.reply_text("Paris");
        Self {
            authorization,
            model,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn entry(&self) -> serde_json::Value {
        json!({
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": AuthorizationServer::CLIENT_SECRET,
            "token_url": self.authorization.token_url(),
            "base_url": self.model.base_url(),
        })
    }

    fn write(&self, providers: &serde_json::Value) -> PathBuf {
        let path = self.directory.path().join("config.json");
        std::fs::write(&path, json!({ "oauth2_providers": providers }).to_string()).unwrap();
        path
    }

    fn config(&self, model: &str) -> LlmConfig {
        let path = self.write(&json!({ "corp": self.entry() }));
        LlmConfig::new(model).with_config_path(path)
    }
}

fn config_error(error: BackendError) -> ConfigError {
    match error {
        BackendError::Config(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_model_of_a_configured_provider_answers_and_its_prefix_is_stripped() {
    let world = World::new().await;
    let config = world
        .config("corp/meta/llama-3")
        .with_temperature(0.5)
        .with_max_tokens(7)
        .with_top_p(0.9);
    assert_eq!(
        call_llm("What is the capital of France?", &config).await.unwrap(),
        "Paris"
    );
    let request = world.model.requests().pop().unwrap();
    assert_eq!(request.json["model"], "meta/llama-3");
    assert_eq!(request.json["temperature"], 0.5);
    assert_eq!(request.json["max_tokens"], 7);
    assert_eq!(request.json["top_p"], 0.9);
    assert!(request.bearer().unwrap().starts_with("at-"));
}

#[tokio::test]
async fn all_who_use_one_provider_share_one_token() {
    let world = World::new().await;
    let config = world.config("corp/a");
    let (first, second) = (
        Llm::with_config(&config).await.unwrap(),
        Llm::with_config(&config).await.unwrap(),
    );
    first.ask("1").await.unwrap();
    second.ask("2").await.unwrap();
    call_llm("3", &config).await.unwrap();
    call_llm("4", &world.config("corp/b")).await.unwrap();
    let source = gatepass::token_source("corp", config.config_path.as_deref()).unwrap();
    assert!(source.current().is_some());
    assert_eq!(world.authorization.token_requests(), 1);
}

#[tokio::test]
async fn a_changed_entry_is_another_source() {
    let world = World::new().await;
    let config = world.config("corp/a");
    call_llm("1", &config).await.unwrap();
    world.authorization.add_client("client", "rotated");
    let mut entry = world.entry();
    entry["client_secret"] = json!("rotated");
    world.write(&json!({ "corp": entry }));
    call_llm("2", &config).await.unwrap();
    assert_eq!(world.authorization.token_requests(), 2);
}

#[tokio::test]
async fn two_providers_of_one_file_are_used_side_by_side() {
    let (one, two) = (World::new().await, World::new().await);
    two.model.reply_text("Rome");
    let path = one.write(&json!({ "provider_a": one.entry(), "provider_b": two.entry() }));
    let config = |model: &str| LlmConfig::new(model).with_config_path(&path);
    assert_eq!(
        call_llm("?", &config("provider_a/model-1")).await.unwrap(),
        "Paris"
    );
    assert_eq!(
        call_llm("?", &config("provider_b/model-2")).await.unwrap(),
        "Rome"
    );
    let (a, b) = (
        one.model.requests().pop().unwrap(),
        two.model.requests().pop().unwrap(),
    );
    assert_ne!(a.bearer(), b.bearer());
}

#[tokio::test]
async fn a_revoked_token_is_replaced_and_the_call_replayed_once() {
    let world = World::new().await;
    let llm = Llm::with_config(&world.config("corp/a")).await.unwrap();
    llm.ask("1").await.unwrap();
    let first = world.model.requests().pop().unwrap().bearer().unwrap().to_owned();
    world.authorization.revoke(&first);
    assert_eq!(llm.ask("2").await.unwrap(), "Paris");
    assert_eq!(world.model.requests().len(), 3);
    assert_eq!(world.authorization.token_requests(), 2);
}

#[tokio::test]
async fn a_server_that_refuses_every_token_gets_two_requests_and_the_caller_a_clear_error() {
    let world = World::new().await;
    world.model.require_bearer("no token of ours");
    let error = call_llm("?", &world.config("corp/a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.request_id().is_some());
    assert_eq!(world.model.requests().len(), 2);
}

#[tokio::test]
async fn an_unknown_provider_of_a_named_file_is_an_error_with_the_nearest_name() {
    let world = World::new().await;
    for model in ["crop/a", "openai/gpt-4o-mini"] {
        let error = config_error(call_llm("?", &world.config(model)).await.unwrap_err());
        assert!(matches!(error, ConfigError::UnknownProvider { .. }), "{error:?}");
        assert!(error.to_string().contains("corp"), "{error}");
    }
    assert_eq!(world.authorization.token_requests(), 0);
}

#[tokio::test]
async fn a_named_file_that_is_missing_is_an_error() {
    let config = LlmConfig::new("corp/a").with_config_path("/nowhere/config.json");
    let error = config_error(call_llm("?", &config).await.unwrap_err());
    assert!(
        matches!(&error, ConfigError::File { path, .. } if path == Path::new("/nowhere/config.json")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_token_goes_only_where_its_entry_says() {
    let world = World::new().await;
    let elsewhere = ModelServer::start().await;
    let config = world.config("corp/a").with_base_url(elsewhere.base_url());
    let error = config_error(call_llm("?", &config).await.unwrap_err());
    assert!(
        error.to_string().contains("provider 'corp': base_url differs"),
        "{error}"
    );
    assert!(elsewhere.requests().is_empty());
    call_llm("?", &world.config("corp/a").with_base_url(world.model.base_url()))
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_base_url_the_error_says_what_to_add() {
    let world = World::new().await;
    let mut entry = world.entry();
    entry.as_object_mut().unwrap().remove("base_url");
    let config = LlmConfig::new("corp/a").with_config_path(world.write(&json!({ "corp": entry })));
    let error = config_error(call_llm("?", &config).await.unwrap_err());
    assert!(error.to_string().contains("base_url is missing"), "{error}");
    assert_eq!(
        call_llm("?", &config.with_base_url(world.model.base_url()))
            .await
            .unwrap(),
        "Paris"
    );
}

#[tokio::test]
async fn a_model_of_one_vendor_never_gets_another_vendors_token() {
    let world = World::new().await;
    for model in ["gpt-4o", "openai/gpt-4o", "claude-sonnet-4", "corp/a"] {
        let config = world.config(model).with_oauth2("google");
        let error = Llm::with_config(&config).await.unwrap_err();
        assert!(
            error.to_string().contains("google has no token for the model"),
            "{model}: {error}"
        );
    }
    let error = Llm::with_config(&world.config("gpt-4o").with_oauth2(""))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("oauth_provider must be specified"),
        "{error}"
    );
}

#[tokio::test]
async fn an_oauth2_provider_may_be_named_apart_from_the_model() {
    let world = World::new().await;
    assert_eq!(
        call_llm("?", &world.config("gpt-4o").with_oauth2("corp"))
            .await
            .unwrap(),
        "Paris"
    );
    assert_eq!(world.model.requests().pop().unwrap().json["model"], "gpt-4o");
    call_llm("?", &world.config("meta/llama-3").with_oauth2("corp"))
        .await
        .unwrap();
    assert_eq!(
        world.model.requests().pop().unwrap().json["model"],
        "meta/llama-3"
    );
}

#[tokio::test]
async fn an_api_key_and_a_configured_provider_work_side_by_side() {
    let world = World::new().await;
    let openai = ModelServer::start().await;
    openai.require_bearer("sk-canary");
    let config = LlmConfig::new("gpt-4o-mini")
        .with_api_key("sk-canary")
        .with_base_url(openai.base_url());
    assert!(!call_llm("?", &config).await.unwrap().is_empty());
    assert_eq!(openai.requests().pop().unwrap().json["model"], "gpt-4o-mini");
    assert_eq!(call_llm("?", &world.config("corp/a")).await.unwrap(), "Paris");
    let bad = LlmConfig::new("gpt-4o-mini").with_api_key("sk-canary\n");
    let error = call_llm("?", &bad).await.unwrap_err();
    assert!(
        !format!("{error} {error:?} {bad:?}").contains("canary"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_api_key_and_a_configured_provider_exclude_each_other() {
    let world = World::new().await;
    for config in [world.config("corp/a"), world.config("gpt-4o").with_oauth2("corp")] {
        let error = config_error(call_llm("?", &config.with_api_key("sk-1")).await.unwrap_err());
        assert!(error.to_string().starts_with("api_key is of no use"), "{error}");
    }
    // A key that was named is used, though the file has a provider of the vendor's name.
    let openai = ModelServer::start().await;
    openai.require_bearer("sk-1");
    let path = world.write(&json!({ "openai": world.entry() }));
    let config = LlmConfig::new("openai/gpt-4o")
        .with_config_path(path)
        .with_api_key("sk-1");
    call_llm("?", &config.with_base_url(openai.base_url()))
        .await
        .unwrap();
    assert_eq!(world.authorization.token_requests(), 0);
}

#[tokio::test]
async fn a_model_that_names_no_provider_is_an_error() {
    for model in ["llama", "", "/", "gemini/"] {
        let error = config_error(call_llm("?", &LlmConfig::new(model)).await.unwrap_err());
        assert!(
            error.to_string().starts_with("model:") && !error.fix().is_empty(),
            "{model}: {error}"
        );
    }
}

#[tokio::test]
async fn a_provider_of_ones_own_is_one_method() {
    struct VaultSource;

    #[async_trait]
    impl TokenSource for VaultSource {
        async fn token(&self) -> Result<AccessToken, TokenError> {
            AccessToken::bearer("lease")
        }
    }

    let model = ModelServer::start().await;
    model.require_bearer("lease");
    model.reply_text("Paris");
    let source = CachedTokenSource::new(VaultSource);
    let llm = Llm::new(OpenAiBackend::new(&model.base_url(), source).unwrap(), "my-model");
    let reply = llm.chat(ChatRequest::new([Message::user("?")])).await.unwrap();
    assert_eq!(reply.text(), "Paris");
    let mut events = llm
        .chat_stream(ChatRequest::new([Message::user("?")]))
        .await
        .unwrap();
    assert!(events.try_next().await.unwrap().is_some());
}
