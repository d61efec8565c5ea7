//! A stored login as a token source: load, lock, re-read, refresh, save, use.

mod renewal;
mod state;
mod unsaved;

use crate::endpoint::TokenEndpoint;
use async_trait::async_trait;
use gatepass_core::{AccessToken, CredentialKey, CredentialStore, StoreError, TokenError, TokenSource};
use renewal::Renewal;
use state::State;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::Instrument;

type Outcome = Result<AccessToken, TokenError>;

/// Hands out tokens of a login that a [`CredentialStore`] keeps, and refreshes it there (RFC 6749 §6).
///
/// Wrap it in a [`CachedTokenSource`](gatepass_core::CachedTokenSource): without it, each call reads the store.
///
/// * **Rotation first.** A new refresh token is saved before its access token is used; an answer without one
///   keeps the old one. The granted scopes stay as they are.
/// * **One refresh among all.** A stored token that is still good for a while is used without a lock and without
///   a request. Otherwise the refresh runs under the store's lock and looks again first: what a sibling wrote is
///   adopted. Callers of this source share one refresh, its token and its error.
/// * **A dropped caller cancels nothing.** Lock, exchange and saving run in a task of their own.
/// * **`invalid_grant` is not the end.** Where the store's lock doesn't reach, a sibling may have been faster: the
///   store is read again, and a newer credential adopted. Only then it is [`TokenError::LoginRequired`].
/// * **Nothing is lost by a full disk.** When saving fails, the new credential stays in use in memory and saving
///   is tried again, after 1 to 15 s each time; [`persist_error`](Self::persist_error) tells. A rotation that is
///   not saved yet keeps the store's lock, so that nobody uses up the old refresh token again.
/// * **A killed process loses no login**, unless it dies between the server's answer and the end of the save, some
///   milliseconds on a local disk: a rotation that nobody keeps can't be undone. The next call says so.
/// * **Bound.** A credential goes to the token endpoint that issued it, for the client and the person it was
///   issued to, or nowhere. It is never deleted here.
///
/// A stored token in its last minutes is handed out once when the server can't be reached. Asking needs a tokio
/// runtime. Clones share everything.
///
/// ```
/// use gatepass_core::{CachedTokenSource, CredentialKey, MemoryStore, ProviderName};
/// use gatepass_http::{HttpClient, HttpOptions, ServerUrl, Transport};
/// use gatepass_oauth2::{Client, RefreshTokenSource, TokenEndpoint};
///
/// # fn main() -> Result<(), gatepass_core::ConfigError> {
/// let url = ServerUrl::parse("https://as.example/token", "token_url", Transport::Encrypted)?;
/// let endpoint = TokenEndpoint::new(HttpClient::new(HttpOptions::default())?, url, Client::public("app"));
/// let key = CredentialKey::new(ProviderName::parse("corp")?);
/// let source = CachedTokenSource::new(RefreshTokenSource::new(endpoint, MemoryStore::new(), key));
/// # drop(source);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RefreshTokenSource {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: TokenEndpoint,
    store: Arc<dyn CredentialStore>,
    key: CredentialKey,
    /// Never locked across an `await`.
    state: Mutex<State>,
    /// Held while the credential is read, exchanged or written, by this source.
    turn: tokio::sync::Mutex<()>,
}

impl RefreshTokenSource {
    /// Hands out tokens of the login that `store` keeps under `key`, refreshed at `endpoint`. Reads nothing yet.
    pub fn new(endpoint: TokenEndpoint, store: impl CredentialStore + 'static, key: CredentialKey) -> Self {
        Self {
            shared: Arc::new(Shared {
                endpoint,
                store: Arc::new(store),
                key,
                state: Mutex::default(),
                turn: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Which credential it is.
    #[must_use]
    pub fn key(&self) -> &CredentialKey {
        &self.shared.key
    }

    /// Why the newest credential is in memory only, if it is: saving it failed and is being tried again.
    ///
    /// A program that is about to end calls [`persist`](Self::persist) and reports what that says.
    #[must_use]
    pub fn persist_error(&self) -> Option<StoreError> {
        self.shared.state().unsaved_error()
    }

    /// Saves now what could not be saved before; nothing to do is a success.
    ///
    /// # Errors
    /// [`StoreError`] when it fails again; the credential stays in memory.
    pub async fn persist(&self) -> Result<(), StoreError> {
        self.shared.persist().await
    }

    async fn acquire(&self) -> Outcome {
        // Once is the rule; again when the refresh that we joined brought back a token that was refused since,
        // or was torn down with its runtime.
        for _ in 0..3 {
            if let Some(token) = self.shared.look().await? {
                return Ok(token);
            }
            match self.shared.join()?.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(Ok(token))) if self.shared.state().is_rejected(token) => {}
                Ok(Some(outcome)) => return outcome.clone(),
                Ok(None) | Err(_) => {}
            }
        }
        Err(TokenError::Interrupted {
            what: "the refresh was torn down",
        })
    }
}

#[async_trait]
impl TokenSource for RefreshTokenSource {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        let token = self.acquire().await?;
        self.shared.state().served(&token);
        Ok(token)
    }

    /// The stored token is not handed out again if it is that one; the next call refreshes.
    fn reject(&self, token: &AccessToken) {
        self.shared.state().reject(token);
    }
}

impl Shared {
    /// Joins the refresh under way, or begins one.
    fn join(self: &Arc<Self>) -> Result<watch::Receiver<Option<Outcome>>, TokenError> {
        let runtime = Handle::try_current().map_err(|_| TokenError::Interrupted {
            what: "no tokio runtime is running",
        })?;
        let mut state = self.state();
        if let Some(flight) = state.flight() {
            return Ok(flight);
        }
        let (sender, receiver) = watch::channel(None);
        state.take_off(receiver.clone());
        let shared = Arc::clone(self);
        let refresh = async move {
            let outcome = Renewal::new(&shared).run().await;
            shared.state().land();
            sender.send_replace(Some(outcome));
        };
        runtime.spawn(refresh.instrument(tracing::debug_span!("refresh", credential = %self.key)));
        Ok(receiver)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RefreshTokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshTokenSource")
            .field("endpoint", &self.shared.endpoint)
            .field("key", &self.shared.key)
            .finish_non_exhaustive()
    }
}
