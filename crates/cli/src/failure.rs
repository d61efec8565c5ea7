use gatepass::oauth2::LoginError;
use gatepass::{BackendError, ConfigError, StoreError, TokenError};
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
    Backend(#[from] BackendError),
    /// The person didn't come to be logged in.
    #[error(transparent)]
    Login(LoginError),
    /// All was done, but a login that was refreshed for it is lost when this process ends.
    #[error("the refreshed login can't be saved, and may have to be renewed")]
    NotSaved(#[source] StoreError),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
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

    /// The next step, where there is one.
    pub(crate) fn fix(&self) -> Option<String> {
        match self {
            Self::Usage { fix, .. } => Some(fix.clone()),
            Self::Config(error) => Some(error.fix()),
            Self::Token(error) => Some(error.fix()),
            Self::Backend(error) => Some(error.fix()),
            Self::Login(error) => Some(error.fix()),
            Self::NotSaved(error) => Some(error.fix()),
            Self::Interrupted | Self::ClosedPipe | Self::System { .. } => None,
        }
    }

    /// The provider's id for the request, where it sent one.
    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Token(error) => request_id_of(error),
            Self::Backend(BackendError::Token(error)) => request_id_of(error),
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
            Self::Backend(BackendError::Token(error)) => kind_of_token(error),
            Self::Backend(error) => error.kind().as_str(),
            Self::Login(LoginError::System { .. }) => "system",
            Self::Login(_) => "auth",
            Self::NotSaved(_) => "store",
            Self::Interrupted => "interrupted",
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
    use gatepass::ErrorKind;

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
