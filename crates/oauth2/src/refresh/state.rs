use super::Outcome;
use super::unsaved::Unsaved;
use gatepass_core::{AccessToken, ConfigError, Credential, RefreshToken, StoreError, TokenError};
use tokio::sync::watch;

/// What a source knows besides what the store does.
#[derive(Default)]
pub(super) struct State {
    flight: Option<watch::Receiver<Option<Outcome>>>,
    pub(super) unsaved: Option<Unsaved>,
    /// Whether a task is trying to save it.
    pub(super) saving: bool,
    rejected: Option<AccessToken>,
    served: Option<AccessToken>,
    /// The refresh token that the server called invalid last, and the error that this led to.
    dead: Option<(RefreshToken, TokenError)>,
    subject: Option<String>,
}

impl State {
    /// The refresh under way; one whose task is gone doesn't count.
    pub(super) fn flight(&self) -> Option<watch::Receiver<Option<Outcome>>> {
        self.flight.clone().filter(|flight| flight.has_changed().is_ok())
    }

    pub(super) fn take_off(&mut self, flight: watch::Receiver<Option<Outcome>>) {
        self.flight = Some(flight);
    }

    pub(super) fn land(&mut self) {
        self.flight = None;
    }

    pub(super) fn served(&mut self, token: &AccessToken) {
        self.served = Some(token.clone());
    }

    pub(super) fn was_served(&self, token: &AccessToken) -> bool {
        self.served.as_ref() == Some(token)
    }

    pub(super) fn reject(&mut self, token: &AccessToken) {
        self.rejected = Some(token.clone());
    }

    pub(super) fn is_rejected(&self, token: &AccessToken) -> bool {
        self.rejected.as_ref() == Some(token)
    }

    /// Remembers a verdict, so that the same refresh token isn't tried for ever.
    pub(super) fn bury(&mut self, token: RefreshToken, verdict: &TokenError) {
        self.dead = Some((token, verdict.clone()));
    }

    pub(super) fn verdict(&self, token: &RefreshToken) -> Option<TokenError> {
        let (dead, verdict) = self.dead.as_ref()?;
        (dead == token).then(|| verdict.clone())
    }

    pub(super) fn unsaved_error(&self) -> Option<StoreError> {
        self.unsaved.as_ref().map(|unsaved| unsaved.error.clone())
    }

    /// The first credential says who it is; another person's is never adopted.
    pub(super) fn same_person(&mut self, credential: &Credential) -> Result<(), ConfigError> {
        match (&self.subject, &credential.subject) {
            (Some(known), Some(found)) if known != found => Err(ConfigError::invalid(
                "account",
                "is another person's now: somebody else logged in under this name",
                "start anew to use that login, or log in again as the former account",
            )),
            (None, Some(found)) => {
                self.subject = Some(found.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
