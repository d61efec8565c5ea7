use crate::cache::InHand;
use crate::error::TokenError;
use crate::token::{AccessToken, TokenRef};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use std::sync::Arc;

/// Anything that can hand out an access token.
///
/// One method is required. A source that asks a server each time is best wrapped in a
/// [`CachedTokenSource`](crate::CachedTokenSource), which adds caching, early refresh, single flight and
/// [`reject`](Self::reject) to any of them.
///
/// ```
/// use gatepass_core::{AccessToken, CachedTokenSource, TokenError, TokenSource, async_trait};
/// use std::time::Duration;
///
/// struct VaultSource;
///
/// #[async_trait]
/// impl TokenSource for VaultSource {
///     async fn token(&self) -> Result<AccessToken, TokenError> {
///         let lease = "s.read-from-the-vault"; // your call here
///         Ok(AccessToken::bearer(lease)?.with_lifetime(Duration::from_secs(600)))
///     }
/// }
///
/// let source = CachedTokenSource::new(VaultSource);
/// # drop(source);
/// ```
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// Returns a token that is valid now.
    ///
    /// Safe to call from many tasks at once. The future may be dropped at any time; a source that changes
    /// state at a server (a rotating refresh token) must finish that on its own, or be wrapped in a
    /// [`CachedTokenSource`](crate::CachedTokenSource), which runs it in a task of its own.
    ///
    /// # Errors
    /// See [`TokenError`]; [`TokenError::advice`] tells what the caller can do.
    async fn token(&self) -> Result<AccessToken, TokenError>;

    /// The token in hand, if it may be used as it is: no waiting, no I/O.
    ///
    /// `None` means no more than "ask [`token`](Self::token)".
    fn current(&self) -> Option<TokenRef<'_>> {
        None
    }

    /// Tells the source that a server refused this very token (401).
    ///
    /// A source that keeps tokens forgets `token` if it is still the one in hand, and does nothing otherwise:
    /// a late refusal of an old token must not take away a newer one.
    fn reject(&self, token: &AccessToken) {
        _ = token;
    }
}

#[async_trait]
impl<T: TokenSource + ?Sized> TokenSource for Arc<T> {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        self.as_ref().token().await
    }

    fn current(&self) -> Option<TokenRef<'_>> {
        self.as_ref().current()
    }

    fn reject(&self, token: &AccessToken) {
        self.as_ref().reject(token);
    }
}

#[async_trait]
impl<T: TokenSource + ?Sized> TokenSource for Box<T> {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        self.as_ref().token().await
    }

    fn current(&self) -> Option<TokenRef<'_>> {
        self.as_ref().current()
    }

    fn reject(&self, token: &AccessToken) {
        self.as_ref().reject(token);
    }
}

/// A token that never changes: an API key, or a token from elsewhere.
///
/// `reject` has no effect: there is no other token to get.
#[derive(Debug, Clone)]
pub struct StaticTokenSource(
    // Nothing is ever swapped: it is there for looks that touch no reference count.
    Arc<ArcSwap<InHand>>,
);

impl StaticTokenSource {
    /// Hands out `token`, always.
    #[must_use]
    pub fn new(token: AccessToken) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(InHand::forever(token))))
    }
}

#[async_trait]
impl TokenSource for StaticTokenSource {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        Ok(self.0.load().token().clone())
    }

    fn current(&self) -> Option<TokenRef<'_>> {
        Some(TokenRef::new(self.0.load()))
    }
}
