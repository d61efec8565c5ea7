//! A store in a database that many hosts share: how one is written.

mod connection;
mod database;

pub(crate) use database::Database;

use super::lock;
use connection::Connection;
use gatepass_core::{
    Credential, CredentialKey, CredentialLock, CredentialStore, Exclusion, ExposeSecret, ProviderName,
    StoreError, async_trait,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Logins as rows of a table, one for each tenant, provider and account.
///
/// The JSON is plain here. Outside of a test it is encrypted before it goes out, bound to its row, with a key that the
/// database doesn't have.
pub(crate) struct PostgresStore {
    folder: PathBuf,
    tenant: String,
    idle: Mutex<Vec<Connection>>,
}

/// A migration makes it; stores find it there.
const TABLE: &str = "create table credentials (tenant text, provider text, account text, credential text not null, \
                     primary key (tenant, provider, account))";

/// How long the lock is waited for: longer than any refresh takes.
const PATIENCE: Duration = Duration::from_secs(60);

impl PostgresStore {
    /// The logins of `tenant`, in the database whose socket is in `folder`.
    pub(crate) fn new(folder: &Path, tenant: impl Into<String>) -> Self {
        Self {
            folder: folder.to_owned(),
            tenant: tenant.into(),
            idle: Mutex::default(),
        }
    }

    async fn connect(&self) -> Result<Connection, StoreError> {
        Connection::open(&self.folder).await.map_err(unavailable)
    }

    /// One statement, which is a transaction of its own. A connection that fails, or whose caller goes away, is closed.
    async fn run(&self, statement: &str, parameters: &[&str]) -> Result<Vec<Vec<String>>, StoreError> {
        let idle = lock(&self.idle).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let rows = connection
            .query(statement, parameters)
            .await
            .map_err(unavailable)?;
        lock(&self.idle).push(connection);
        Ok(rows)
    }

    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        let statement = "select credential from credentials where (tenant, provider, account) = ($1, $2, $3)";
        let rows = self.run(statement, &self.row(key)).await?;
        let Some(json) = rows.first().and_then(|row| row.first()) else {
            return Ok(None);
        };
        let credential = Credential::from_json(json).map_err(|error| StoreError::Corrupt {
            what: key.to_string(),
            source: Some(Arc::new(error)),
        });
        credential.map(Some)
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        let statement = "insert into credentials values ($1, $2, $3, $4) \
                         on conflict (tenant, provider, account) do update set credential = excluded.credential";
        let json = credential.to_secret_json().map_err(unavailable)?;
        let [tenant, provider, account] = self.row(key);
        let row = [tenant, provider, account, json.expose_secret()];
        self.run(statement, &row).await.map(|_| ())
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        let statement =
            "delete from credentials where (tenant, provider, account) = ($1, $2, $3) returning account";
        Ok(!self.run(statement, &self.row(key)).await?.is_empty())
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        let statement = "select provider, account from credentials where tenant = $1";
        let rows = self.run(statement, &[&self.tenant]).await?;
        let key = |row: &Vec<String>| {
            let provider = ProviderName::parse(row.first()?).ok()?;
            CredentialKey::new(provider).with_account(row.get(1)?).ok()
        };
        // Sorted here: a database has an order of letters of its own.
        let mut keys: Vec<_> = rows.iter().filter_map(key).collect();
        keys.sort();
        Ok(keys)
    }

    /// A lock of a transaction, not of a session: in a pool of connections (PgBouncer's) those outlive their holder.
    /// The connection is the lock's own. When it closes, because the lock is dropped or its process is gone, the
    /// transaction ends, and the next one has the lock; a host that vanishes is noticed by TCP keep-alives.
    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        let mut connection = self.connect().await?;
        let wait = format!("set local lock_timeout = '{}s'", PATIENCE.as_secs());
        for statement in ["begin", &wait] {
            connection.query(statement, &[]).await.map_err(unavailable)?;
        }
        let name = self.row(key).join("/");
        let statement = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
        match connection.query(statement, &[&name]).await {
            Ok(_) => Ok(CredentialLock::new(connection)),
            Err(failure) if failure.is_lock_timeout() => Err(StoreError::Locked {
                what: key.to_string(),
                waited: PATIENCE,
                holder: None,
            }),
            Err(failure) => Err(unavailable(failure)),
        }
    }

    fn row<'a>(&'a self, key: &'a CredentialKey) -> [&'a str; 3] {
        [&self.tenant, key.provider().as_str(), key.account()]
    }
}

#[async_trait]
impl CredentialStore for PostgresStore {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        self.load(key).await
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        self.save(key, credential).await
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        self.delete(key).await
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        self.list().await
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        self.lock(key).await
    }

    fn exclusion(&self) -> Exclusion {
        Exclusion::Shared
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable {
        what: "the database".to_owned(),
        source: Some(Arc::new(error)),
    }
}
