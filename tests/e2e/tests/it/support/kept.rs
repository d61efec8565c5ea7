use super::{Database, Person, PostgresStore, World};
use gatepass_core::{
    AccessToken, CachedTokenSource, Clock, Credential, CredentialKey, CredentialStore, ExposeSecret,
    ProviderName, RefreshPolicy, Scopes, SystemClock,
};
use gatepass_file_store::{FileStore, KeySource};
use gatepass_http::{HttpClient, HttpOptions, Transport};
use gatepass_keyring_store::{Keyring, KeyringStore};
use gatepass_oauth2::{
    AuthorizationCodeFlow, Client, Discovery, Login, Metadata, RefreshTokenSource, Revocation, TokenEndpoint,
};
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A person's login in a store that processes share. They tell each other of it as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    store: Place,
    issuer: String,
}

/// Which store it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Place {
    /// The encrypted file in this directory.
    File(PathBuf),
    /// The keyring of the desktop that the process runs on, with locks in this directory.
    Keyring(PathBuf),
    /// The database whose socket is in this directory.
    Postgres(PathBuf),
}

/// A public client with rotating refresh tokens.
const CLIENT: &str = "desktop";

impl Place {
    pub(crate) fn file(directory: &Path) -> Self {
        Self::File(directory.join("gatepass"))
    }

    pub(crate) fn keyring(directory: &Path) -> Self {
        Self::Keyring(directory.join("gatepass"))
    }

    pub(crate) fn postgres(database: &Database) -> Self {
        Self::Postgres(database.folder().to_owned())
    }
}

impl Kept {
    /// Jane logs in; the login is kept.
    pub(crate) async fn new(world: &World, store: Place) -> Self {
        let kept = Self::at(world, store);
        kept.log_in_again().await;
        kept
    }

    /// Nobody has logged in yet.
    pub(crate) fn at(world: &World, store: Place) -> Self {
        Self {
            store,
            issuer: world.authorization.metadata.issuer.clone(),
        }
    }

    /// Jane logs in once more; that login is kept now.
    pub(crate) async fn log_in_again(&self) {
        let login = self.log_in().await;
        self.store().save(&key(), &login.credential).await.unwrap();
    }

    /// Jane logs in.
    pub(crate) async fn log_in(&self) -> Login {
        let (server, endpoint) = self.server().await;
        let flow = AuthorizationCodeFlow::new(&server, endpoint).unwrap();
        let flow = flow.with_scopes(Scopes::parse("openid llm.read").unwrap());
        flow.run(&Person).await.unwrap()
    }

    pub(crate) fn store(&self) -> Box<dyn CredentialStore> {
        match &self.store {
            Place::File(directory) => Box::new(file(directory)),
            Place::Keyring(directory) => Box::new(keyring(directory)),
            Place::Postgres(folder) => Box::new(postgres(folder)),
        }
    }

    /// What is in the store.
    pub(crate) async fn stored(&self) -> Credential {
        self.store().load(&key()).await.unwrap().expect("a login")
    }

    /// Its tokens, refreshed in the store.
    pub(crate) async fn source(&self, clock: Arc<dyn Clock>) -> RefreshTokenSource {
        let endpoint = self.server().await.1.with_clock(clock);
        match &self.store {
            Place::File(directory) => RefreshTokenSource::new(endpoint, file(directory), key()),
            Place::Keyring(directory) => RefreshTokenSource::new(endpoint, keyring(directory), key()),
            Place::Postgres(folder) => RefreshTokenSource::new(endpoint, postgres(folder), key()),
        }
    }

    pub(crate) async fn revocation(&self) -> Revocation {
        let (server, endpoint) = self.server().await;
        Revocation::new(&server, endpoint).unwrap()
    }

    /// What the server says of itself, and its token endpoint.
    pub(crate) async fn server(&self) -> (Metadata, TokenEndpoint) {
        self.server_for(CLIENT).await
    }

    /// The same for another public client.
    pub(crate) async fn server_for(&self, client: &str) -> (Metadata, TokenEndpoint) {
        let http = HttpClient::new(HttpOptions::default()).unwrap();
        let discovery = Discovery::new(http.clone());
        let server = discovery
            .metadata(&self.issuer, Transport::Encrypted)
            .await
            .unwrap();
        let endpoint = server.endpoint(http, Client::public(client));
        (server, endpoint)
    }
}

/// As programs stack them.
pub(crate) fn cached(
    source: RefreshTokenSource,
    clock: Arc<dyn Clock>,
) -> CachedTokenSource<RefreshTokenSource> {
    CachedTokenSource::with(source, RefreshPolicy::default(), clock)
}

pub(crate) fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

pub(crate) fn key() -> CredentialKey {
    CredentialKey::new(ProviderName::parse("corp").unwrap())
}

/// What tells a token from others without showing it; the same in all processes.
pub(crate) fn mark(token: &AccessToken) -> String {
    let mut hasher = DefaultHasher::new();
    token.expose_secret().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn file(directory: &Path) -> FileStore {
    FileStore::open(directory, KeySource::KeyFile).unwrap()
}

fn keyring(directory: &Path) -> KeyringStore {
    KeyringStore::open(Keyring::new(), directory).unwrap()
}

fn postgres(folder: &Path) -> PostgresStore {
    PostgresStore::new(folder, "people")
}
