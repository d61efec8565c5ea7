use super::redirect::{Redirect, RedirectError};
use crate::login::LoginError;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// Brings a person to the address where they log in: a browser, a line on a terminal, a test.
///
/// ```
/// use gatepass_oauth2::{AuthorizationHandler, AuthorizationRequest, Browser, LoginError};
///
/// /// Says what it does, and opens the browser.
/// struct Terminal(Browser);
///
/// impl AuthorizationHandler for Terminal {
///     async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
///         println!("Open this address to log in:\n{}", request.url());
///         self.0.open(request.url()).await
///     }
/// }
/// ```
pub trait AuthorizationHandler: Send + Sync {
    /// Shows the person `request.url()`, or opens it.
    ///
    /// The answer comes to the loopback listener. Where it can't (the browser is on another machine), the handler
    /// asks for the address that the browser was led to in the end and gives it to
    /// [`accept`](AuthorizationRequest::accept). Both are possible at once: whichever comes first counts, and this
    /// future is dropped when the login has ended without it. Returning `Ok` means no more than "the person has
    /// been asked".
    ///
    /// # Errors
    /// [`LoginError`] ends the login: return one only if the person can't be asked at all.
    fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> impl Future<Output = Result<(), LoginError>> + Send;
}

impl<T: AuthorizationHandler> AuthorizationHandler for Arc<T> {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        self.as_ref().authorize(request).await
    }
}

/// What a person is asked to do in a browser, and by which answer it ends.
pub struct AuthorizationRequest {
    pub(super) url: Url,
    pub(super) redirect_uri: String,
    pub(super) redirect: Arc<Redirect>,
}

impl AuthorizationRequest {
    /// The address to open: an https one, or http on this machine. It is good for this one login.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Where the browser is led in the end: an address of this machine.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Takes the address that the browser was led to, as the person has pasted it. It passes the same checks as if
    /// it had come to the listener.
    ///
    /// # Errors
    /// [`RedirectError`] if it is not the answer to this request: the login goes on, so ask again.
    pub fn accept(&self, pasted: &str) -> Result<(), RedirectError> {
        let pasted = pasted.trim();
        let rest = pasted
            .strip_prefix(&self.redirect_uri)
            .and_then(|rest| rest.strip_prefix('?'));
        let Some(query) = rest else {
            return Err(RedirectError::OtherAddress);
        };
        // Some browsers keep the fragment that a page has left.
        self.redirect.accept(query.split('#').next().unwrap_or_default())
    }
}

/// The address has the state in it.
impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("host", &self.url.host_str())
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}
