//! People's logins through the facade.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::oauth2::{AuthorizationHandler, AuthorizationRequest, LoginError};
use gatepass::{
    BackendError, ConfigError, CredentialKey, ExposeSecret, LlmConfig, LoginOptions, LoginProvider, Profile,
    StoreKind, TokenError, TokenSource, TokenSourceOptions, call_llm, logged_in_source, token_source_with,
};
use gatepass_testkit::{Answer, AuthorizationServer, ModelServer, visit};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A person whose browser says yes to everything.
pub(crate) struct Willing;

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
        let authorization = AuthorizationServer::start().await;
        let model = ModelServer::start().await;
        model.require_token(&authorization);
        model.reply_text("Paris");
        let directory = tempfile::tempdir().unwrap();
        Self {
            authorization,
            model,
            directory,
        }
    }

    fn profile(&self) -> Profile {
        Profile::new(self.directory.path().join("profile"))
    }

    fn entry(&self) -> Value {
        json!({
            "grant_type": "authorization_code",
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": AuthorizationServer::CLIENT_SECRET,
            "issuer": self.authorization.issuer(),
            "scope": "openid llm.read",
            "base_url": self.model.base_url(),
        })
    }

    fn config(&self, entry: &Value) -> PathBuf {
        let path = self.directory.path().join("config.json");
        std::fs::write(
            &path,
            json!({ "oauth2_providers": { "team": entry } }).to_string(),
        )
        .unwrap();
        path
    }

    fn provider(&self) -> LoginProvider {
        LoginProvider::find("team", &self.profile(), Some(&self.config(&self.entry()))).unwrap()
    }

    async fn log_in(&self, account: Option<&str>) -> CredentialKey {
        let provider = self.provider();
        let login = provider.log_in(&LoginOptions::default(), &Willing).await.unwrap();
        let store = self.profile().store().unwrap();
        provider.save(&*store, &login, account).await.unwrap().key
    }

    fn llm(&self) -> LlmConfig {
        LlmConfig::new("team/my-model")
            .with_config_path(self.config(&self.entry()))
            .with_profile(self.profile())
    }

    /// The bearer tokens that reached the model.
    fn tokens(&self) -> Vec<String> {
        let requests = self.model.requests();
        requests
            .iter()
            .filter_map(|request| request.bearer().map(str::to_owned))
            .collect()
    }
}

#[tokio::test]
async fn a_model_is_called_as_the_person_who_logged_in() {
    let world = World::new().await;
    let error = call_llm("Where?", &world.llm().with_account("nobody"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, BackendError::Token(TokenError::LoginRequired { provider, .. }) if provider == "team"),
        "{error:?}"
    );
    assert_eq!(
        error.fix(),
        "run: gatepass auth login --provider team --account nobody"
    );
    assert_eq!(world.authorization.token_requests(), 0);

    world.log_in(None).await;
    assert_eq!(call_llm("Where?", &world.llm()).await.unwrap(), "Paris");
    assert_eq!(call_llm("Where?", &world.llm()).await.unwrap(), "Paris");
    assert_eq!(
        world.authorization.token_requests(),
        1,
        "the login's own token was used"
    );
}

/// G12
#[tokio::test]
async fn two_people_in_one_process_never_share_a_token() {
    let world = World::new().await;
    world.log_in(Some("jane@example.com")).await;
    world.log_in(Some("joe@example.com")).await;
    for account in ["jane@example.com", "joe@example.com", "jane@example.com"] {
        call_llm("Where?", &world.llm().with_account(account))
            .await
            .unwrap();
    }
    let tokens = world.tokens();
    assert_eq!(tokens[0], tokens[2]);
    assert_ne!(tokens[0], tokens[1]);

    let error = call_llm("Where?", &world.llm()).await.unwrap_err();
    assert!(error.to_string().contains("no token"), "{error}");
    let BackendError::Token(TokenError::Config(error)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        error.to_string(),
        "account must be chosen: team has jane@example.com, joe@example.com"
    );
    assert!(error.fix().contains("--account"));
}

/// G7, B4
#[tokio::test]
async fn a_login_is_refreshed_once_and_the_new_refresh_token_is_kept() {
    let world = World::new().await;
    world.authorization.rotate_refresh_tokens(true);
    world.authorization.punish_reuse(true);
    world.authorization.set_lifetime(Duration::from_secs(1));
    let key = world.log_in(None).await;
    let store = world.profile().store().unwrap();
    let before = store.load(&key).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    world.authorization.set_lifetime(Duration::from_secs(3600));

    let source = logged_in_source(&world.provider(), &world.profile(), None).unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let source = Arc::clone(&source);
        calls.spawn(async move { source.token().await.unwrap() });
    }
    let tokens = calls.join_all().await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(
        world.authorization.token_requests(),
        2,
        "the login and one refresh"
    );
    let after = store.load(&key).await.unwrap().unwrap();
    assert_ne!(before.refresh_token, after.refresh_token);
    assert_eq!(before.scopes, after.scopes, "neither widened nor narrowed");
    assert_eq!(
        after.access_token.unwrap().expose_secret(),
        tokens[0].expose_secret()
    );
    gatepass::persist_logins().await.unwrap();
}

/// A login goes back to who issued it, or nowhere.
#[tokio::test]
async fn a_refresh_goes_to_the_server_that_issued_the_login() {
    let world = World::new().await;
    world.authorization.set_lifetime(Duration::from_secs(1));
    world.log_in(None).await;
    let other = AuthorizationServer::start().await;
    let mut entry = world.entry();
    entry["issuer"] = other.issuer().into();
    let options = TokenSourceOptions::default()
        .with_config_path(world.config(&entry))
        .with_profile(world.profile());
    let source = token_source_with("team", &options).unwrap();
    let error = source.token().await.unwrap_err();
    assert!(matches!(error, TokenError::Config(_)), "{error:?}");
    assert_eq!(other.token_requests(), 0);
}

#[tokio::test]
async fn the_shared_source_follows_the_entry() {
    let world = World::new().await;
    let source = || logged_in_source(&world.provider(), &world.profile(), None).unwrap();
    assert!(Arc::ptr_eq(&source(), &source()));
    let named = logged_in_source(&world.provider(), &world.profile(), Some("jane")).unwrap();
    assert!(!Arc::ptr_eq(&source(), &named));
    assert!(logged_in_source(&world.provider(), &world.profile(), Some("../jane")).is_err());
}

#[tokio::test]
async fn a_login_without_a_discoverable_server_names_its_endpoints() {
    let world = World::new().await;
    let mut entry = world.entry();
    entry.as_object_mut().unwrap().remove("issuer");
    entry["token_url"] = world.authorization.token_url().into();
    entry["authorization_url"] = world.authorization.authorization_url().into();
    entry["revocation_url"] = world.authorization.revocation_url().into();
    let path = world.config(&entry);
    let provider = LoginProvider::find("team", &world.profile(), Some(&path)).unwrap();
    let login = provider.log_in(&LoginOptions::default(), &Willing).await.unwrap();
    let token = login.credential.access_token.clone().unwrap();
    assert!(world.authorization.is_active(token.expose_secret()));
    provider.revoke(&login.credential).await.unwrap();
    assert!(!world.authorization.is_active(token.expose_secret()));
}

#[tokio::test]
async fn what_needs_no_person_is_no_login() {
    let world = World::new().await;
    let mut entry = world.entry();
    entry.as_object_mut().unwrap().remove("grant_type");
    let path = world.config(&entry);
    let error = LoginProvider::find("team", &world.profile(), Some(&path)).unwrap_err();
    assert!(
        error.to_string().contains("grant_type is client_credentials"),
        "{error}"
    );
    let error = LoginProvider::find("taem", &world.profile(), Some(&path)).unwrap_err();
    assert!(matches!(error, ConfigError::UnknownProvider { .. }), "{error:?}");
    let error = LoginProvider::find("google", &world.profile(), Some(&path)).unwrap_err();
    assert!(
        error.to_string().starts_with("Client secrets file not found: "),
        "{error}"
    );
}

/// Telling where it is asks no keyring.
#[test]
fn a_keyring_is_named_and_not_touched() {
    let profile = Profile::new("/nowhere").with_store(StoreKind::Keyring);
    let place = profile.store_place().unwrap();
    assert_eq!((place.key_kind, &place.location), ("keyring", &place.key));
}

#[test]
fn the_entry_of_the_readme_is_one() {
    use gatepass::client_credentials::{Environment, GrantType, ProvidersFile};
    let readme = include_str!("../../README.md");
    let entries = readme
        .split("```")
        .filter_map(|block| block.strip_prefix("toml\n"));
    let entry = entries.last().unwrap();
    let file = ProvidersFile::parse("gatepass.toml".as_ref(), entry.as_bytes()).unwrap();
    let nothing = Environment::of::<String, String>([]);
    assert_eq!(file.check(&nothing), []);
    let team = file.provider("team", &nothing).unwrap().unwrap();
    assert_eq!(team.grant_type, GrantType::AuthorizationCode);
}

/// T08: whatever an ID token says that isn't for this login, the account stays whose it was.
#[tokio::test]
async fn a_forged_id_token_changes_no_account() {
    type Forgery = (&'static str, fn(&World));
    let forgeries: [Forgery; 5] = [
        ("unsigned", unsigned),
        ("for another client", |world| {
            world.authorization.set_claim("aud", "another")
        }),
        ("of another issuer", |world| {
            world.authorization.set_claim("iss", "https://evil.example")
        }),
        ("of another login", |world| {
            world.authorization.set_claim("nonce", "another")
        }),
        ("expired", |world| {
            world.authorization.set_claim("exp", 1_000_000_000)
        }),
    ];
    for (what, forge) in forgeries {
        let world = World::new().await;
        let key = world.log_in(Some("jane")).await;
        let store = world.profile().store().unwrap();
        let before = store.load(&key).await.unwrap().unwrap();
        assert_eq!(before.subject.as_deref(), Some("4711"));
        forge(&world);
        let login = world.provider().log_in(&LoginOptions::default(), &Willing).await;
        let error = login.unwrap_err().to_string();
        assert!(error.contains("the ID token"), "{what}: {error}");
        assert_eq!(store.load(&key).await.unwrap().unwrap(), before, "{what}");
        assert_eq!(store.list().await.unwrap(), [key], "{what}");
    }
}

/// T08: a refresh asks nobody who it is.
#[tokio::test]
async fn an_id_token_that_comes_with_a_refresh_is_no_matter() {
    let world = World::new().await;
    let key = world.log_in(Some("jane")).await;
    let store = world.profile().store().unwrap();
    let before = store.load(&key).await.unwrap().unwrap();
    let expired = before
        .access_token
        .clone()
        .unwrap()
        .with_expires_at(SystemTime::UNIX_EPOCH);
    store
        .save(&key, &before.clone().with_access_token(expired))
        .await
        .unwrap();
    unsigned(&world);
    let refused = call_llm("Where?", &world.llm().with_account("jane")).await;
    assert!(refused.is_err(), "it has no token of the server");
    let after = store.load(&key).await.unwrap().unwrap();
    let token = after.access_token.as_ref().map(ExposeSecret::expose_secret);
    assert_eq!(token, Some("unsigned"), "it was refreshed");
    assert_eq!(after.subject, before.subject);
}

/// The next answer of the token endpoint has an ID token of somebody else that nobody has signed.
fn unsigned(world: &World) {
    let claims = json!({
        "iss": world.authorization.issuer(), "aud": AuthorizationServer::CLIENT_ID, "sub": "evil",
        "exp": 4_000_000_000_u64,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let id_token = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
    world.authorization.push(Answer::json(
        200,
        &json!({ "access_token": "unsigned", "refresh_token": "r", "expires_in": 60, "id_token": id_token }),
    ));
}
