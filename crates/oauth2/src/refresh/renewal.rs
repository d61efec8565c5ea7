use super::unsaved::Unsaved;
use super::{Outcome, Shared};
use crate::grant::Grant;
use crate::wire::TokenResponse;
use gatepass_core::{
    AccessToken, Credential, CredentialKey, CredentialLock, RefreshToken, StoreError, TokenError,
};
use std::sync::Arc;
use std::time::Duration;

/// A stored token is used without a refresh while it is good for longer than this, or for half its lifetime. A
/// little more than the cache's window (240 s, and an eighth of that), which must bring a newer token.
const MARGIN: Duration = Duration::from_secs(300);

/// When the store is read again after `invalid_grant`: a sibling may just be writing.
const SECOND_LOOKS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
];

/// One refresh.
pub(super) struct Renewal<'a> {
    shared: &'a Arc<Shared>,
}

impl<'a> Renewal<'a> {
    pub(super) const fn new(shared: &'a Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(super) async fn run(self) -> Outcome {
        let _turn = self.shared.turn.lock().await;
        match self.under_lock().await {
            Err(error @ (TokenError::Unavailable { .. } | TokenError::Store(_))) => {
                self.shared.last_use().await.ok_or(error)
            }
            outcome => outcome,
        }
    }

    async fn under_lock(&self) -> Outcome {
        let lock = self.lock().await?;
        let mut credential = self.shared.newest().await?;
        // Once, and once more with what a sibling left.
        for _ in 0..2 {
            if let Some(token) = self.shared.fresh(&credential) {
                return Ok(token);
            }
            let Some(token) = credential.refresh_token.clone() else {
                return Err(self.shared.login_required(None));
            };
            if let Some(verdict) = self.shared.state().verdict(&token) {
                return Err(verdict);
            }
            let grant = Grant::RefreshToken { token: token.clone() };
            match self.shared.endpoint.request(&grant).await {
                Ok(response) => return Ok(self.keep(credential, response, lock).await),
                Err(refused) if is_invalid_grant(&refused) => {
                    credential = self.newer_than(&token, refused).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(self.shared.login_required(None))
    }

    /// The store's lock; the one that an unsaved rotation keeps is ours already.
    async fn lock(&self) -> Result<Arc<CredentialLock>, StoreError> {
        let kept = self
            .shared
            .state()
            .unsaved
            .as_ref()
            .and_then(|unsaved| unsaved.lock.clone());
        match kept {
            Some(lock) => Ok(lock),
            None => Ok(Arc::new(self.shared.store.lock(&self.shared.key).await?)),
        }
    }

    /// What the store has got since `tried` was refused.
    async fn newer_than(&self, tried: &RefreshToken, refused: TokenError) -> Result<Credential, TokenError> {
        for pause in SECOND_LOOKS {
            tokio::time::sleep(pause).await;
            let found = self.shared.newest().await?;
            if found.refresh_token.as_ref() != Some(tried) {
                tracing::info!(credential = %self.shared.key, "another process was faster; using its login");
                return Ok(found);
            }
        }
        let verdict = self.shared.login_required(Some(refused));
        self.shared.state().bury(tried.clone(), &verdict);
        Err(verdict)
    }

    /// Saves first, uses then.
    async fn keep(&self, old: Credential, response: TokenResponse, lock: Arc<CredentialLock>) -> AccessToken {
        let shared = self.shared;
        let spent = response.refresh_token.is_some() && response.refresh_token != old.refresh_token;
        let replaced = old.refresh_token.clone();
        let (credential, token) = renewed(old, response);
        let outcome = shared.store.save(&shared.key, &credential).await;
        let mut state = shared.state();
        let before = state.unsaved.take();
        if let Err(error) = outcome {
            let key = &shared.key;
            tracing::error!(credential = %key, %error, "the refreshed login {key} is not saved, it stays in memory: {error}");
            let spent = spent || before.as_ref().is_some_and(|before| before.lock.is_some());
            state.unsaved = Some(Unsaved {
                credential,
                replaced: before.map_or(replaced, |before| before.replaced),
                error,
                lock: spent.then_some(lock),
            });
            drop(state);
            shared.keep_saving();
        }
        token
    }
}

impl Shared {
    /// A token that needs no refresh, without a lock.
    pub(super) async fn look(self: &Arc<Self>) -> Result<Option<AccessToken>, TokenError> {
        self.keep_saving();
        Ok(self.fresh(&self.newest().await?))
    }

    /// The newest credential, checked: the store's, or the one that it couldn't take.
    async fn newest(&self) -> Result<Credential, TokenError> {
        let stored = self.store.load(&self.key).await;
        let mut state = self.state();
        let newest = match (&state.unsaved, stored) {
            (Some(unsaved), Err(_)) => Some(unsaved.credential.clone()),
            (Some(unsaved), Ok(stored)) if unsaved.is_newer_than(stored.as_ref()) => {
                Some(unsaved.credential.clone())
            }
            (_, stored) => stored?,
        };
        let Some(credential) = newest else {
            drop(state);
            return Err(self.login_required(None));
        };
        self.endpoint.check_issued(&credential)?;
        state.same_person(&credential)?;
        Ok(credential)
    }

    /// The access token, if it is good for a while.
    fn fresh(&self, credential: &Credential) -> Option<AccessToken> {
        let token = credential.access_token.as_ref()?;
        let margin = match (&credential.refresh_token, token.lifetime()) {
            (None, _) => Duration::ZERO,
            (Some(_), Some(lifetime)) => MARGIN.min(lifetime / 2),
            (Some(_), None) => MARGIN,
        };
        let good = match token.expires_at() {
            Some(end) => end
                .duration_since(self.endpoint.now())
                .is_ok_and(|left| left > margin),
            // Nobody knows its end: better a refresh than a refusal.
            None => credential.refresh_token.is_none(),
        };
        (good && !self.state().is_rejected(token)).then(|| with_scopes(token.clone(), credential))
    }

    /// The stored token in its last minutes, for who has had no token yet.
    async fn last_use(&self) -> Option<AccessToken> {
        let token = self.newest().await.ok()?.access_token?;
        let valid = token.expires_at().is_some_and(|end| end > self.endpoint.now());
        let state = self.state();
        (valid && !state.is_rejected(&token) && !state.was_served(&token)).then_some(token)
    }

    fn login_required(&self, refused: Option<TokenError>) -> TokenError {
        let account = self.key.account();
        TokenError::LoginRequired {
            provider: self.key.provider().to_string(),
            account: (account != CredentialKey::DEFAULT_ACCOUNT).then(|| account.to_owned()),
            source: refused.map(|refused| Arc::new(refused) as _),
        }
    }
}

/// The credential after a refresh: what the answer doesn't replace stays.
fn renewed(old: Credential, response: TokenResponse) -> (Credential, AccessToken) {
    if let (Some(granted), Some(now)) = (&old.scopes, response.access_token.scopes()) {
        let narrower = granted.iter().any(|scope| !now.contains(scope));
        if narrower || now.iter().any(|scope| !granted.contains(scope)) {
            tracing::warn!(%granted, %now, "the refreshed token has other scopes than the login: {now}, not {granted}");
        }
    }
    let token = with_scopes(response.access_token, &old);
    let mut credential = old.with_access_token(token.clone());
    if let Some(rotated) = response.refresh_token {
        credential = credential.with_refresh_token(rotated);
    }
    (credential, token)
}

/// RFC 6749 §6: a refresh that names no scopes has those of the login.
fn with_scopes(token: AccessToken, credential: &Credential) -> AccessToken {
    match &credential.scopes {
        Some(scopes) if token.scopes().is_none() => token.with_scopes(scopes.clone()),
        _ => token,
    }
}

fn is_invalid_grant(error: &TokenError) -> bool {
    matches!(error, TokenError::Refused(refusal) if refusal.error == "invalid_grant")
}
