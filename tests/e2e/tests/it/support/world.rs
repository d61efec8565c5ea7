use super::tools::{self, Tools};
use super::{AuthorizationServer, Gateway, MODEL, ModelServer, lock, say};
use gatepass::LlmConfig;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

/// What a test needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    token_lifetime: Duration,
    with_model: bool,
}

/// An authorization server, a gateway, a model where it is needed, and a folder.
pub(crate) struct World {
    pub(crate) authorization: AuthorizationServer,
    pub(crate) gateway: Gateway,
    model: Option<ModelServer>,
    folder: TempDir,
    configurations: Mutex<Configurations>,
}

#[derive(Default)]
struct Configurations {
    count: usize,
    /// Secrets that stand in them and are no client's.
    secrets: Vec<String>,
}

impl Setup {
    /// Tokens that live for an hour, and no model.
    pub(crate) const fn tokens() -> Self {
        Self {
            token_lifetime: Duration::from_secs(3600),
            with_model: false,
        }
    }

    /// The same, and a model.
    pub(crate) const fn model() -> Self {
        Self {
            with_model: true,
            ..Self::tokens()
        }
    }

    pub(crate) const fn with_token_lifetime(self, token_lifetime: Duration) -> Self {
        Self {
            token_lifetime,
            ..self
        }
    }

    /// Starts it all; `None` where the servers aren't installed.
    pub(crate) async fn start(self) -> Option<World> {
        let tools = Tools::find()?;
        let model = async {
            if self.with_model {
                Some(ModelServer::start(&tools).await)
            } else {
                None
            }
        };
        let authorization = AuthorizationServer::start(&tools, self.token_lifetime);
        let (authorization, model) = tokio::join!(authorization, model);
        // Without a model nobody may come that far: 9 is the port that discards.
        let url = model.as_ref().map_or("http://127.0.0.1:9", ModelServer::url);
        let gateway = Gateway::start(authorization.metadata.clone(), url).await;
        let mut folder = tempfile::tempdir().expect("a temporary folder");
        if tools::keeps_folders() {
            folder.disable_cleanup(true);
            say(format!("its folder stays: {}", folder.path().display()));
        }
        Some(World {
            authorization,
            gateway,
            model,
            folder,
            configurations: Mutex::default(),
        })
    }
}

impl World {
    /// An entry of `oauth2_providers` for this client, with `fields` added; `null` takes a field away.
    pub(crate) fn entry(&self, client: &str, fields: Value) -> Value {
        let mut entry = json!({
            "client_id": client,
            "client_secret": self.authorization.secret_of(client),
            "token_url": self.authorization.metadata.token_endpoint,
            "scope": "llm.read",
            "base_url": self.gateway.base_url(),
        });
        let Value::Object(fields) = fields else {
            panic!("fields are an object")
        };
        for (name, value) in fields {
            entry[name] = value;
        }
        entry
    }

    /// Writes a `litellm_config.json` with these entries, in a folder of its own.
    pub(crate) fn config<const N: usize>(&self, entries: [(&str, Value); N]) -> PathBuf {
        let mut configurations = lock(&self.configurations);
        configurations.count += 1;
        let secrets = entries
            .iter()
            .filter_map(|(_, entry)| entry["client_secret"].as_str());
        configurations.secrets.extend(secrets.map(str::to_owned));
        let folder = self.folder().join(format!("config-{}", configurations.count));
        let entries: Map<_, _> = entries
            .map(|(name, entry)| (name.to_owned(), without_null(entry)))
            .into_iter()
            .collect();
        let path = folder.join("litellm_config.json");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(&path, json!({"oauth2_providers": entries}).to_string()).expect("a file");
        path
    }

    /// A configuration with one provider, `corp`, that needs nothing but what stands in it.
    pub(crate) fn corp(&self) -> PathBuf {
        self.config([("corp", self.entry("service", json!({})))])
    }

    /// The model that `provider` of this configuration serves, with answers that can be repeated.
    pub(crate) fn llm_config(&self, provider: &str, config: &Path) -> LlmConfig {
        LlmConfig::new(format!("{provider}/{MODEL}"))
            .with_config_path(config)
            .with_temperature(0.0)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What nobody may be shown.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let clients = self.authorization.metadata.clients.values().cloned();
        clients
            .chain(lock(&self.configurations).secrets.clone())
            .collect()
    }

    pub(crate) fn model_url(&self) -> String {
        self.model.as_ref().expect("a model").url().to_owned()
    }

    pub(crate) async fn kill_model(&mut self) {
        self.model.as_mut().expect("a model").kill().await;
    }
}

fn without_null(entry: Value) -> Value {
    match entry {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}
