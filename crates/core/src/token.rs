use crate::cache::InHand;
use crate::error::TokenError;
use crate::names::Scopes;
use arc_swap::Guard;
use bytes::Bytes;
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What a model server accepts as proof: an OAuth2 access token, or an API key.
///
/// Cheap to clone (one reference count). `Debug` never shows the secret. Its memory, and that of the finished header, is
/// wiped with the last clone; what an HTTP stack writes to a connection is not.
/// Two tokens are equal when scheme and secret are.
#[derive(Clone)]
pub struct AccessToken {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    /// `Bearer …` for a bearer token, the bare key for an API key; marked sensitive.
    header: HeaderValue,
    facts: Arc<Facts>,
}

#[derive(Clone)]
struct Facts {
    secret: SecretString,
    scheme: TokenScheme,
    expires_at: Option<SystemTime>,
    lifetime: Option<Duration>,
    scopes: Option<Scopes>,
}

/// A sensitive header value, whose memory is wiped when the last of its clones is gone.
fn finished(value: Vec<u8>) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(Zeroizing::new(value)))?;
    header.set_sensitive(true);
    Ok(header)
}

/// How a token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenScheme {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// A provider's API key; the backend knows the header that it goes into.
    ApiKey,
}

impl AccessToken {
    /// An OAuth2 bearer token (RFC 6750).
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it is empty or has a character other than visible ASCII.
    pub fn bearer(secret: impl Into<SecretString>) -> Result<Self, TokenError> {
        Self::new(secret.into(), TokenScheme::Bearer)
    }

    /// An API key, as a provider's console hands it out.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it is empty or has a character other than visible ASCII (a line break that
    /// was read along with it, say).
    pub fn api_key(secret: impl Into<SecretString>) -> Result<Self, TokenError> {
        Self::new(secret.into(), TokenScheme::ApiKey)
    }

    fn new(secret: SecretString, scheme: TokenScheme) -> Result<Self, TokenError> {
        let text = secret.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let what = if text.is_empty() {
                "is empty"
            } else {
                "has a character that a header can't carry"
            };
            return Err(TokenError::malformed(format!("the {scheme} {what}")));
        }
        let header = match scheme {
            TokenScheme::Bearer => finished(format!("Bearer {text}").into_bytes()),
            TokenScheme::ApiKey => finished(text.as_bytes().to_vec()),
        }
        .map_err(|_| TokenError::malformed(format!("the {scheme} doesn't fit into a header")))?;
        Ok(Self::of(secret, header, scheme))
    }

    fn of(secret: SecretString, header: HeaderValue, scheme: TokenScheme) -> Self {
        let facts = Facts {
            secret,
            scheme,
            expires_at: None,
            lifetime: None,
            scopes: None,
        };
        let facts = Arc::new(facts);
        Self {
            inner: Arc::new(Inner { header, facts }),
        }
    }

    /// Sets the moment at which the server stops accepting it.
    #[must_use]
    pub fn with_expires_at(mut self, expires_at: SystemTime) -> Self {
        self.edit().expires_at = Some(expires_at);
        self
    }

    /// Sets its whole lifetime, as `expires_in` of RFC 6749 §5.1 tells it.
    ///
    /// Without [`with_expires_at`](Self::with_expires_at), a [`CachedTokenSource`](crate::CachedTokenSource)
    /// counts it from the moment at which it began to ask for the token, so a source needs no clock.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.edit().lifetime = Some(lifetime);
        self
    }

    /// Sets the scopes that were granted.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.edit().scopes = Some(scopes);
        self
    }

    /// Stands for "no token"; no real token equals it.
    pub(crate) fn none() -> Self {
        let header = HeaderValue::from_static("");
        Self::of(SecretString::from(""), header, TokenScheme::Bearer)
    }

    /// The same token, of which neither a clone nor one of its header counts a reference where this one's do.
    pub(crate) fn apart(&self) -> Self {
        let mut inner = Inner::clone(&self.inner);
        inner.header = finished(self.header().as_bytes().to_vec()).unwrap_or(inner.header);
        Self {
            inner: Arc::new(inner),
        }
    }

    fn edit(&mut self) -> &mut Facts {
        Arc::make_mut(&mut Arc::make_mut(&mut self.inner).facts)
    }

    /// The finished, sensitive header value: `Bearer …`, or the bare API key.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.inner.header
    }

    /// How it is presented.
    #[must_use]
    pub fn scheme(&self) -> TokenScheme {
        self.inner.facts.scheme
    }

    /// When it expires, where that is known.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.inner.facts.expires_at
    }

    /// Its whole lifetime, where the server told it.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.inner.facts.lifetime
    }

    /// The scopes that were granted, where the server told them.
    #[must_use]
    pub fn scopes(&self) -> Option<&Scopes> {
        self.inner.facts.scopes.as_ref()
    }
}

/// The secret itself. Read it next to the place it is sent to, and nowhere else.
impl ExposeSecret<str> for AccessToken {
    fn expose_secret(&self) -> &str {
        self.inner.facts.secret.expose_secret()
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner.facts, &other.inner.facts)
            || (self.scheme() == other.scheme() && self.expose_secret() == other.expose_secret())
    }
}

impl Eq for AccessToken {}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.inner.facts;
        f.debug_struct("AccessToken")
            .field("secret", &facts.secret)
            .field("scheme", &facts.scheme)
            .field("expires_at", &facts.expires_at)
            .field("lifetime", &facts.lifetime)
            .field("scopes", &facts.scopes)
            .finish()
    }
}

impl fmt::Display for TokenScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer => "access token",
            Self::ApiKey => "API key",
        })
    }
}

/// A look at the token that a source has in hand.
///
/// Dereferences to the [`AccessToken`]; clone that to keep it. Those of our own sources touch no reference count, and
/// allocate nothing once a thread has looked at a token; one that is made from an [`AccessToken`] costs a small allocation.
pub struct TokenRef<'a> {
    // Two words, and no enum of what else could be looked at: so it is returned in registers, and a hit takes a
    // third less.
    in_hand: Guard<Arc<InHand>>,
    source: PhantomData<&'a AccessToken>,
}

impl TokenRef<'_> {
    #[inline]
    pub(crate) const fn new(in_hand: Guard<Arc<InHand>>) -> Self {
        Self {
            in_hand,
            source: PhantomData,
        }
    }
}

impl<'a> From<&'a AccessToken> for TokenRef<'a> {
    fn from(token: &'a AccessToken) -> Self {
        Self::from(token.clone())
    }
}

impl From<AccessToken> for TokenRef<'_> {
    fn from(token: AccessToken) -> Self {
        Self::new(Guard::from_inner(Arc::new(InHand::once(token))))
    }
}

impl Deref for TokenRef<'_> {
    type Target = AccessToken;

    #[inline]
    fn deref(&self) -> &AccessToken {
        self.in_hand.token()
    }
}

impl fmt::Debug for TokenRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenRef").field(self.in_hand.token()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_print_the_secret() {
        let token = AccessToken::bearer("canary-4711").unwrap();
        let look = TokenRef::from(&token);
        for text in [
            format!("{token:?}"),
            format!("{look:?}"),
            format!("{:?}", token.header()),
        ] {
            assert!(!text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn the_header_is_finished_and_sensitive() {
        let token = AccessToken::bearer("abc").unwrap();
        assert_eq!(token.header(), "Bearer abc");
        assert!(token.header().is_sensitive());
        let key = AccessToken::api_key("sk-1").unwrap();
        assert_eq!(key.header(), "sk-1");
        assert!(key.header().is_sensitive());
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused_without_being_shown() {
        for bad in ["", "canary\n", "can ary", "canary\u{e4}", "canary\0"] {
            let error = AccessToken::bearer(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }
}
