use gatepass_client_credentials::{ClientCredentialsSource, Environment, Provider, Providers};
use gatepass_core::{CachedTokenSource, Clock, ConfigError, ConfigProblem, RefreshPolicy};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{Answer, AuthorizationServer, ManualClock, Value};
use std::error::Error;
use std::fmt::{Debug, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// A directory with files.
pub(crate) struct Directory(TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub(crate) fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.path().join(name), content).expect("a file");
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

/// The providers of a `litellm_config.json` of this text, without any environment variable.
pub(crate) fn providers(text: &str) -> (Directory, Result<Providers, ConfigError>) {
    let directory = Directory::new().with("litellm_config.json", text);
    let providers = Providers::read(&directory.file("litellm_config.json"));
    (
        directory,
        providers.map(|providers| providers.with_environment(nothing())),
    )
}

/// The provider `corp` with this entry.
pub(crate) fn provider(entry: &Value) -> Result<Provider, ConfigError> {
    let root = serde_json::json!({ "oauth2_providers": { "corp": entry } });
    providers(&root.to_string()).1?.get("corp")
}

/// An environment without variables.
pub(crate) fn nothing() -> Environment {
    Environment::of::<String, String>([])
}

/// An entry for the test kit's server.
pub(crate) fn entry(server: &AuthorizationServer) -> Value {
    serde_json::json!({
        "client_id": AuthorizationServer::CLIENT_ID,
        "client_secret": AuthorizationServer::CLIENT_SECRET,
        "token_url": server.token_url(),
        "auth_style": "basic",
    })
}

/// The source of an entry; its pauses are milliseconds.
pub(crate) fn source(entry: &Value) -> ClientCredentialsSource {
    let provider = provider(entry).expect("a valid entry");
    let retry = RetryPolicy::tokens().with_first_pause(Duration::from_millis(2));
    ClientCredentialsSource::new(provider)
        .expect("a source")
        .with_retry(retry)
}

/// The source of an entry behind a cache, both on the same clock.
pub(crate) fn cached(entry: &Value, clock: &ManualClock) -> CachedTokenSource<ClientCredentialsSource> {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let source = source(entry).with_clock(Arc::clone(&clock));
    CachedTokenSource::with(source, RefreshPolicy::default(), clock)
}

/// An answer with a JSON text.
pub(crate) fn json(status: u16, body: &Value) -> Answer {
    Answer::json(status, body)
}

/// An error as a person and as a log may see it: `{}` and `{:?}` of it and of all its causes, its fix, and the
/// problem that it is in a list.
pub(crate) fn in_full(error: &ConfigError) -> String {
    let problem = error.problem();
    let mut text = format!(
        "{error} {error:?} {error:#?} {} {}",
        error.fix(),
        of_problem(&problem)
    );
    let mut next = error.source();
    while let Some(cause) = next {
        _ = write!(text, " {cause} {cause:?}");
        next = cause.source();
    }
    text
}

pub(crate) fn of_problem(problem: &ConfigProblem) -> String {
    format!("{problem} {problem:?} {}", problem.fix)
}

/// A canary in any of the forms in which a secret is written.
pub(crate) fn free_of_canaries(text: &impl Debug) {
    let text = format!("{text:?}");
    for form in ["canary", "Y2FuYXJ5", "NhbmFye", "jYW5hcn", "99, 97, 110, 97"] {
        assert!(!text.contains(form), "{form} in {text}");
    }
}
