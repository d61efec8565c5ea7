use gatepass::oauth2::LoginError;
use gatepass::{BackendError, ConfigError, StoreError, TokenError, printable};
use std::error::Error;
use std::io;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command can't be understood, or what it was given can't be used.
    #[error("{what}")]
    Usage { what: String, fix: String },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Backend(BackendError),
    /// The person didn't come to be logged in.
    #[error(transparent)]
    Login(LoginError),
    /// All was done, but a login that was refreshed for it is lost when this process ends.
    #[error("the refreshed login can't be saved, and may have to be renewed")]
    NotSaved(#[source] StoreError),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// SIGTERM and its like, where somebody may be typing what the terminal mustn't show.
    #[error("terminated")]
    Terminated,
    /// Nobody reads our output any more.
    #[error("nobody reads the output")]
    ClosedPipe,
    /// This machine fails: a full disk, no threads left.
    #[error("{what}")]
    System { what: &'static str, source: io::Error },
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Token(error.into())
    }
}

/// That a call has no token is told as what it is: why there is none.
impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Token(error) => Self::Token(error),
            error => Self::Backend(error),
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Token(error) => Self::Token(error),
            error => Self::Login(error),
        }
    }
}

impl Failure {
    pub(crate) fn usage(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Usage {
            what: what.into(),
            fix: fix.into(),
        }
    }

    pub(crate) fn of_output(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::System {
                what: "the output can't be written",
                source,
            },
        }
    }

    /// What happened, first of all in the words that people look for.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Token(TokenError::LoginRequired {
                provider,
                source: None,
                ..
            }) => format!("Not authenticated with {provider}"),
            Self::Token(TokenError::LoginRequired { provider, .. }) => {
                format!("Failed to refresh token for {provider}")
            }
            Self::Token(TokenError::Store(StoreError::Corrupt { .. } | StoreError::WrongKey { .. })) => {
                "Failed to decrypt credentials".into()
            }
            error => error.to_string(),
        }
    }

    /// Why, one cause after the other; what was said already is left out.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut said = vec![self.message()];
        let mut next: Option<&dyn Error> = match self {
            Self::Token(TokenError::LoginRequired { .. }) => self.source(),
            error => Some(error),
        };
        while let Some(cause) = next {
            let text = printable(&cause.to_string());
            if !said.iter().any(|earlier| earlier.contains(&text)) {
                said.push(text);
            }
            next = cause.source();
        }
        said.split_off(1)
    }

    /// The next step, where there is one.
    pub(crate) fn fix(&self) -> Option<String> {
        match self {
            Self::Usage { fix, .. } => Some(fix.clone()),
            Self::Config(error) => Some(error.fix()),
            Self::Token(error) => Some(error.fix()),
            Self::Backend(error) => Some(error.fix()),
            Self::Login(error) => Some(error.fix()),
            Self::NotSaved(error) => Some(error.fix()),
            Self::Interrupted | Self::Terminated | Self::ClosedPipe | Self::System { .. } => None,
        }
    }

    /// The provider's id for the request, where it sent one.
    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Token(error) => request_id_of(error),
            Self::Backend(error) => error.request_id(),
            _ => None,
        }
    }

    /// What had come of an answer that broke off.
    pub(crate) fn partial_text(&self) -> Option<String> {
        match self {
            Self::Backend(BackendError::Interrupted { partial, .. }) => Some(partial.text()),
            _ => None,
        }
    }

    /// Its kind, for scripts: documented in the README.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::Config(_) => "config",
            Self::Token(error) => kind_of_token(error),
            Self::Backend(error) => error.kind().as_str(),
            Self::Login(LoginError::System { .. }) => "system",
            Self::Login(_) => "auth",
            Self::NotSaved(_) => "store",
            Self::Interrupted | Self::Terminated => "interrupted",
            Self::ClosedPipe | Self::System { .. } => "system",
        }
    }
}

fn request_id_of(error: &TokenError) -> Option<&str> {
    match error {
        TokenError::Refused(refusal) => refusal.request_id.as_deref(),
        _ => None,
    }
}

const fn kind_of_token(error: &TokenError) -> &'static str {
    match error {
        TokenError::Config(_) => "config",
        TokenError::Store(_) => "store",
        TokenError::Malformed { .. } => "decode",
        TokenError::Unavailable { .. } | TokenError::Untrusted { .. } | TokenError::Interrupted { .. } => {
            "network"
        }
        _ => "auth",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass::{ErrorKind, Refusal};
    use std::sync::Arc;

    #[test]
    fn a_cause_that_was_told_already_is_left_out() {
        let config = ConfigError::invalid("base_url", "is missing", "add it");
        let failure = Failure::from(BackendError::from(TokenError::from(config)));
        assert_eq!(failure.message(), "base_url is missing");
        assert!(failure.causes().is_empty());
        let broken = Failure::from(BackendError::Interrupted {
            partial: Box::default(),
            source: Box::new(TokenError::malformed("no token").into()),
        });
        assert_eq!(broken.message(), "the answer broke off");
        let causes = ["no token for this call", "malformed token response: no token"];
        assert_eq!(broken.causes(), causes);
    }

    /// G8
    #[test]
    fn what_people_have_a_name_for_is_told_by_that_name_with_the_real_cause_after_it() {
        let login_required = |source: Option<TokenError>| {
            Failure::from(BackendError::from(TokenError::LoginRequired {
                provider: "google".into(),
                account: Some("jane".into()),
                source: source.map(|source| Arc::new(source) as _),
            }))
        };
        let nobody = login_required(None);
        assert_eq!(nobody.message(), "Not authenticated with google");
        assert!(nobody.causes().is_empty());
        let fix = "run: gatepass auth login --provider google --account jane";
        assert_eq!(nobody.fix().unwrap(), fix);

        let refused = Refusal::new("as.example", 400, "invalid_grant");
        let ended = login_required(Some(TokenError::Refused(Box::new(refused.clone()))));
        assert_eq!(ended.message(), "Failed to refresh token for google");
        assert_eq!(ended.causes(), [refused.to_string()]);

        let (what, source) = ("FILE".into(), None);
        let corrupt = Failure::from(StoreError::Corrupt { what, source });
        assert_eq!(corrupt.message(), "Failed to decrypt credentials");
        assert_eq!(corrupt.causes(), ["the stored credential FILE is corrupt"]);
    }

    #[test]
    fn the_readme_names_each_kind() {
        let readme = include_str!("../README.md");
        let kinds = [
            ErrorKind::Auth,
            ErrorKind::Config,
            ErrorKind::ContentFilter,
            ErrorKind::ContextLength,
            ErrorKind::Decode,
            ErrorKind::InvalidRequest,
            ErrorKind::Network,
            ErrorKind::NotFound,
            ErrorKind::Overloaded,
            ErrorKind::Permission,
            ErrorKind::Quota,
            ErrorKind::RateLimit,
            ErrorKind::Server,
            ErrorKind::Unsupported,
        ];
        let ours = ["usage", "store", "system", "interrupted", "other"];
        for kind in kinds.map(|kind| kind.as_str()).into_iter().chain(ours) {
            assert!(readme.contains(&format!("`{kind}`")), "{kind}");
        }
    }
}
