//! A credential that the store could not take.

use super::Shared;
use gatepass_core::{Credential, CredentialLock, RefreshToken, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The newest credential, in memory only.
pub(super) struct Unsaved {
    pub(super) credential: Credential,
    /// The refresh token that the store still has, unless somebody has written since.
    pub(super) replaced: Option<RefreshToken>,
    pub(super) error: StoreError,
    /// Kept if that refresh token is spent: whoever used it again would end the login.
    pub(super) lock: Option<Arc<CredentialLock>>,
}

impl Unsaved {
    /// Whether the store has had nothing newer since.
    pub(super) fn is_newer_than(&self, stored: Option<&Credential>) -> bool {
        stored.is_some_and(|stored| stored.refresh_token == self.replaced)
    }
}

/// The pauses between attempts to save: 1, 2, 4 and 8 s, then 15 s each time.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

impl Shared {
    pub(super) async fn persist(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        self.save_unsaved().await
    }

    /// Needs the turn. Drops what is unsaved if the store has something newer, or nothing: a new login, a logout.
    async fn save_unsaved(&self) -> Result<(), StoreError> {
        let Some((credential, lock)) = self
            .state()
            .unsaved
            .as_ref()
            .map(|unsaved| (unsaved.credential.clone(), unsaved.lock.clone()))
        else {
            return Ok(());
        };
        let outcome = match lock {
            Some(_) => self.write(&credential).await,
            None => match self.store.lock(&self.key).await {
                Ok(_lock) => self.write(&credential).await,
                Err(error) => Err(error),
            },
        };
        let mut state = self.state();
        match &outcome {
            Ok(()) => state.unsaved = None,
            Err(error) => {
                if let Some(unsaved) = &mut state.unsaved {
                    unsaved.error = error.clone();
                }
            }
        }
        outcome
    }

    async fn write(&self, credential: &Credential) -> Result<(), StoreError> {
        let stored = self.store.load(&self.key).await?;
        let wanted = |unsaved: &Unsaved| unsaved.is_newer_than(stored.as_ref());
        if !self.state().unsaved.as_ref().is_some_and(wanted) {
            tracing::info!(credential = %self.key, "the store has changed since; nothing to save any more");
            return Ok(());
        }
        self.store.save(&self.key, credential).await
    }

    /// Tries to save until it works. Runs at most once; ends with its runtime, and the next call starts it again.
    pub(super) fn keep_saving(self: &Arc<Self>) {
        let mut state = self.state();
        if state.saving || state.unsaved.is_none() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        state.saving = true;
        let saving = Saving(Arc::clone(self));
        runtime.spawn(async move { saving.run().await });
    }
}

/// Notices the end of its task, however that comes.
struct Saving(Arc<Shared>);

impl Saving {
    async fn run(&self) {
        let mut pause = Duration::from_secs(1);
        loop {
            tokio::time::sleep(pause).await;
            match self.0.persist().await {
                Ok(()) => return,
                Err(error) => {
                    let credential = &self.0.key;
                    tracing::warn!(%credential, %error, "the refreshed login {credential} is still not saved: {error}");
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        self.0.state().saving = false;
    }
}
