//! A store in a directory of its own, and things to keep in it.

use gatepass_core::{
    AccessToken, Credential, CredentialKey, CredentialStore, ExposeSecret, ProviderName, RefreshToken,
    Scopes, StoreError,
};
use gatepass_file_store::{FileStore, KeySource};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

pub(crate) const CREDENTIALS: &str = "credentials.json.enc";
pub(crate) const META: &str = "credentials.meta.json";

/// A directory that doesn't exist yet, in one that vanishes.
pub(crate) struct Home {
    _root: TempDir,
    pub(crate) path: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("config").join("gatepass");
        Self { _root: root, path }
    }

    /// With one credential in it.
    pub(crate) async fn with_jane() -> Self {
        let home = Self::new();
        home.store().save(&key("jane"), &credential("1")).await.unwrap();
        home
    }

    pub(crate) fn store(&self) -> FileStore {
        FileStore::open(&self.path, KeySource::KeyFile).unwrap()
    }

    pub(crate) fn with(&self, source: KeySource) -> FileStore {
        FileStore::open(&self.path, source).unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.file(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.file(name), bytes).unwrap();
    }

    /// The names in the directory, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.path)
    }

    pub(crate) fn temporaries(&self) -> usize {
        self.names().iter().filter(|name| name.ends_with(".tmp")).count()
    }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn key(account: &str) -> CredentialKey {
    let provider = ProviderName::parse("corp").unwrap();
    CredentialKey::new(provider).with_account(account).unwrap()
}

/// Every field, each with `mark`.
pub(crate) fn credential(mark: &str) -> Credential {
    let token = AccessToken::bearer(format!("access-{mark}"))
        .unwrap()
        .with_expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000))
        .with_lifetime(Duration::from_secs(3599));
    Credential::new("https://as.example/token", "client")
        .with_access_token(token)
        .with_refresh_token(RefreshToken::new(format!("refresh-{mark}")))
        .with_scopes(Scopes::parse("llm.read llm.write").unwrap())
}

/// The mark of a stored credential, which must be whole.
pub(crate) fn mark(credential: &Credential) -> String {
    let refresh_token = credential.refresh_token.as_ref().unwrap().expose_secret();
    let mark = refresh_token.strip_prefix("refresh-").unwrap().to_owned();
    assert_eq!(*credential, self::credential(&mark));
    mark
}

pub(crate) async fn loaded(store: &FileStore, account: &str) -> Result<Option<String>, StoreError> {
    Ok(CredentialStore::load(store, &key(account))
        .await?
        .as_ref()
        .map(mark))
}

/// Says that a test was left out, in a way that nobody overlooks: it needs rights that this process doesn't have.
pub(crate) fn left_out(what: &str) {
    eprintln!("\n*** LEFT OUT: {what} ***\n");
}

/// A tool is not to be had; in CI, which installs what is missing, that is a failure.
pub(crate) fn missing(tool: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test may ask where it runs")]
    let in_ci = std::env::var_os("CI").is_some();
    assert!(!in_ci, "missing in CI: {tool}");
    left_out(&format!("{tool} is not to be had"));
}
