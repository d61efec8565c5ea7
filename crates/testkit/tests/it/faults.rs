//! A contract suite is worth what it notices.

use gatepass_core::{
    AccessToken, CachedTokenSource, Credential, CredentialKey, CredentialLock, CredentialStore, Exclusion,
    ExposeSecret, MemoryStore, ProviderName, StoreError, TokenError, TokenRef, TokenSource, async_trait,
};
use gatepass_testkit::{ScriptedTokenSource, contract};
use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};

/// Time stands still, so that no patience is needed.
#[tokio::test(start_paused = true)]
async fn the_store_suite_notices_each_fault() {
    for (fault, sentence) in [
        (Fault::ForgetsScopes, "the scopes must come back"),
        (Fault::ForgetsExpiry, "the expiry must come back"),
        (
            Fault::ForgetsSubjects,
            "what was loaded and saved again must be the same",
        ),
        (
            Fault::DropsOddText,
            "must come back unchanged, whatever is in them",
        ),
        (Fault::KeepsTheFirst, "the access token must come back"),
        (Fault::CutsLongTokens, "must come back unchanged"),
        (
            Fault::MergesOldFields,
            "must leave nothing of the older credential",
        ),
        (
            Fault::AlwaysDeletes,
            "delete() of an absent credential must be false",
        ),
        (Fault::ListsBackwards, "must be sorted"),
        (Fault::IgnoresCase, "must have a credential of its own"),
        (Fault::JoinsNames, "must have a credential of its own"),
        (Fault::LocksNothing, "a second lock() must wait"),
        (
            Fault::LocksEverything,
            "lock() of another account must come to an end",
        ),
        (
            Fault::LoadWaitsForLock,
            "load() while the lock is held must come to an end",
        ),
        (
            Fault::SaveWaitsForLock,
            "save() by the holder must come to an end",
        ),
        (
            Fault::WaiterKeepsLock,
            "lock() after a waiter was dropped must come to an end",
        ),
        (Fault::LockMakesCredential, "lock() must not make a credential"),
    ] {
        let suite = contract::credential_store(move || FaultyStore {
            inner: MemoryStore::new(),
            fault,
        });
        let noticed = panic_of(suite).await;
        assert!(noticed.contains(sentence), "{fault:?}: {noticed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_sharing_suite_notices_stores_that_are_not_shared() {
    let noticed = panic_of(contract::shared_credential_store(MemoryStore::new)).await;
    assert!(noticed.contains("load what another saved"), "{noticed}");
}

#[tokio::test(start_paused = true)]
async fn the_source_suite_notices_each_fault() {
    let noticed = panic_of(contract::token_source(RejectsAnything::default)).await;
    assert!(noticed.contains("must take nothing away"), "{noticed}");
    let noticed = panic_of(contract::token_source(OneAtATime::default)).await;
    assert!(noticed.contains("token() must hand out a token"), "{noticed}");
}

async fn panic_of(suite: impl Future<Output = ()> + Send + 'static) -> String {
    let Err(failed) = tokio::spawn(suite).await else {
        return "nothing".into();
    };
    sentence(&*failed.into_panic())
}

fn sentence(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    ForgetsScopes,
    ForgetsExpiry,
    ForgetsSubjects,
    DropsOddText,
    KeepsTheFirst,
    CutsLongTokens,
    MergesOldFields,
    AlwaysDeletes,
    ListsBackwards,
    IgnoresCase,
    JoinsNames,
    LocksNothing,
    LocksEverything,
    LoadWaitsForLock,
    SaveWaitsForLock,
    WaiterKeepsLock,
    LockMakesCredential,
}

struct FaultyStore {
    inner: MemoryStore,
    fault: Fault,
}

impl FaultyStore {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &CredentialKey) -> CredentialKey {
        let (provider, account) = match (self.fault, key.account().split_once('-')) {
            (Fault::IgnoresCase, _) => (key.provider().to_string(), key.account().to_lowercase()),
            (Fault::JoinsNames, Some((head, tail))) if !tail.is_empty() => {
                (format!("{}-{head}", key.provider()), tail.to_owned())
            }
            _ => return key.clone(),
        };
        let key = CredentialKey::new(ProviderName::parse(&provider).unwrap());
        key.with_account(&account).unwrap()
    }

    fn altered(&self, credential: &Credential, older: Option<Credential>) -> Credential {
        let mut saved = credential.clone();
        match self.fault {
            Fault::ForgetsScopes => saved.scopes = None,
            Fault::ForgetsSubjects => saved.subject = None,
            Fault::DropsOddText => {
                let plain = |text: &String| text.chars().filter(char::is_ascii).collect();
                saved.subject = saved.subject.as_ref().map(plain);
            }
            Fault::KeepsTheFirst => saved = older.unwrap_or(saved),
            Fault::ForgetsExpiry => {
                saved.access_token = saved.access_token.map(|token| {
                    let eternal = AccessToken::bearer(token.expose_secret()).unwrap();
                    token
                        .scopes()
                        .cloned()
                        .into_iter()
                        .fold(eternal, AccessToken::with_scopes)
                });
            }
            Fault::CutsLongTokens => {
                let cut = |token: AccessToken| token.expose_secret().chars().take(2560).collect::<String>();
                let long = saved
                    .access_token
                    .take_if(|token| token.expose_secret().len() > 2560);
                saved.access_token = long
                    .map(cut)
                    .map(|cut| AccessToken::bearer(cut).unwrap())
                    .or(saved.access_token);
            }
            Fault::MergesOldFields => {
                saved.refresh_token = saved
                    .refresh_token
                    .or(older.and_then(|older| older.refresh_token));
            }
            _ => {}
        }
        saved
    }
}

#[async_trait]
impl CredentialStore for FaultyStore {
    async fn load(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        if self.has(Fault::LoadWaitsForLock) {
            self.inner.lock(key).await?;
        }
        self.inner.load(&self.key(key)).await
    }

    async fn save(&self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        if self.has(Fault::SaveWaitsForLock) {
            self.inner.lock(key).await?;
        }
        let key = self.key(key);
        let older = self.inner.load(&key).await?;
        self.inner.save(&key, &self.altered(credential, older)).await
    }

    async fn delete(&self, key: &CredentialKey) -> Result<bool, StoreError> {
        let deleted = self.inner.delete(&self.key(key)).await?;
        Ok(deleted || self.has(Fault::AlwaysDeletes))
    }

    async fn list(&self) -> Result<Vec<CredentialKey>, StoreError> {
        let mut keys = self.inner.list().await?;
        if self.has(Fault::ListsBackwards) {
            keys.reverse();
        }
        Ok(keys)
    }

    async fn lock(&self, key: &CredentialKey) -> Result<CredentialLock, StoreError> {
        match self.fault {
            Fault::LocksNothing => return Ok(CredentialLock::new(())),
            Fault::LockMakesCredential if self.inner.load(key).await?.is_none() => {
                self.inner.save(key, &Credential::new("", "")).await?;
            }
            _ => {}
        }
        let all = CredentialKey::new(ProviderName::parse("all").unwrap());
        let key = if self.has(Fault::LocksEverything) {
            &all
        } else {
            key
        };
        let (inner, key) = (self.inner.clone(), key.clone());
        let (give, take) = tokio::sync::oneshot::channel();
        let keep = self.has(Fault::WaiterKeepsLock);
        tokio::spawn(async move {
            match give.send(inner.lock(&key).await) {
                Err(Ok(nobody_wants_it)) if keep => std::mem::forget(nobody_wants_it),
                _ => {}
            }
        });
        take.await.unwrap()
    }

    fn exclusion(&self) -> Exclusion {
        Exclusion::Process
    }
}

/// Forgets its token whatever is rejected.
struct RejectsAnything(CachedTokenSource<ScriptedTokenSource>);

impl Default for RejectsAnything {
    fn default() -> Self {
        Self(CachedTokenSource::new(ScriptedTokenSource::new()))
    }
}

#[async_trait]
impl TokenSource for RejectsAnything {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        self.0.token().await
    }

    fn current(&self) -> Option<TokenRef<'_>> {
        self.0.current()
    }

    fn reject(&self, _: &AccessToken) {
        if let Some(mine) = self.0.current().map(|token| token.clone()) {
            self.0.reject(&mine);
        }
    }
}

/// Serves one caller, and none after a caller has left.
#[derive(Default)]
struct OneAtATime {
    inner: ScriptedTokenSource,
    busy: AtomicBool,
}

#[async_trait]
impl TokenSource for OneAtATime {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        if self.busy.swap(true, Ordering::SeqCst) {
            return Err(TokenError::malformed("busy"));
        }
        tokio::task::yield_now().await;
        let token = self.inner.token().await;
        self.busy.store(false, Ordering::SeqCst);
        token
    }
}
