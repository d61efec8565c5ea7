use crate::failure::Failure;
use gatepass::{BackendError, ErrorKind, StoreError, TokenError};
use std::process::ExitCode;

/// What a script learns from the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Success = 0,
    Refused = 1,
    Usage = 2,
    StoredData = 3,
    Unavailable = 4,
    NotRevoked = 5,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    pub(crate) const ALL: [Self; 8] = [
        Self::Success,
        Self::Refused,
        Self::Usage,
        Self::StoredData,
        Self::Unavailable,
        Self::NotRevoked,
        Self::Interrupted,
        Self::Terminated,
    ];

    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "not authenticated, or refused",
            Self::Usage => "usage or configuration",
            Self::StoredData => "stored data can't be read or written",
            Self::Unavailable => "network, server, or this machine",
            Self::NotRevoked => "logged out here, but the provider couldn't be told",
            Self::Interrupted => "interrupted (Ctrl-C)",
            Self::Terminated => "a login at a terminal was ended by SIGTERM, SIGHUP or SIGQUIT",
        }
    }

    /// The list for the help.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.map(|exit| format!("\n  {:<4} {}", exit as u8, exit.meaning()));
        format!("Exit codes:{}", lines.concat())
    }

    pub(crate) const fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Usage { .. } | Failure::Config(_) => Self::Usage,
            Failure::Token(error) => Self::of_token(error),
            Failure::Backend(error) => Self::of_backend(error),
            // Nobody is logged in then, and waiting doesn't help: no browser can be started, a port is taken.
            Failure::Login(_) => Self::Refused,
            Failure::System { .. } => Self::Unavailable,
            Failure::NotSaved(_) => Self::StoredData,
            Failure::Interrupted => Self::Interrupted,
            Failure::Terminated => Self::Terminated,
            // Who reads our output has had enough of it.
            Failure::ClosedPipe => Self::Success,
        }
    }

    const fn of_backend(error: &BackendError) -> Self {
        match error {
            BackendError::Token(error) => Self::of_token(error),
            BackendError::Interrupted { source, .. } => Self::of_backend(source),
            _ => Self::of_kind(error.kind()),
        }
    }

    const fn of_token(error: &TokenError) -> Self {
        match error {
            TokenError::LoginRequired { .. } | TokenError::Refused(_) => Self::Refused,
            TokenError::Config(_) => Self::Usage,
            TokenError::Store(StoreError::Locked { .. }) => Self::Unavailable,
            TokenError::Store(_) => Self::StoredData,
            _ => Self::Unavailable,
        }
    }

    const fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Auth | ErrorKind::Permission => Self::Refused,
            ErrorKind::Config
            | ErrorKind::ContentFilter
            | ErrorKind::ContextLength
            | ErrorKind::InvalidRequest
            | ErrorKind::NotFound
            | ErrorKind::Unsupported => Self::Usage,
            _ => Self::Unavailable,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass::{ConfigError, Phase, ProviderError, Refusal};

    fn backend(error: impl Into<BackendError>) -> u8 {
        Exit::of(&Failure::Backend(error.into())) as u8
    }

    fn provider(kind: ErrorKind) -> u8 {
        backend(BackendError::Provider(Box::new(ProviderError::new(
            "host", kind, 400, "",
        ))))
    }

    fn network() -> BackendError {
        BackendError::Network {
            host: "host".into(),
            phase: Phase::Connect,
            request_id: None,
            source: None,
        }
    }

    #[test]
    fn each_failure_has_the_documented_code() {
        let store = |error| backend(TokenError::Store(error));
        assert_eq!(
            backend(TokenError::Refused(Box::new(Refusal::new(
                "host",
                401,
                "invalid_client"
            )))),
            1
        );
        assert_eq!(
            backend(TokenError::LoginRequired {
                provider: "corp".into(),
                account: None,
                source: None
            }),
            1
        );
        assert_eq!([ErrorKind::Auth, ErrorKind::Permission].map(provider), [1; 2]);
        assert_eq!(backend(ConfigError::invalid("a", "b", "c")), 2);
        assert_eq!(
            backend(TokenError::Config(ConfigError::invalid("a", "b", "c"))),
            2
        );
        assert_eq!(
            [
                ErrorKind::NotFound,
                ErrorKind::InvalidRequest,
                ErrorKind::ContextLength
            ]
            .map(provider),
            [2; 3]
        );
        assert_eq!(
            store(StoreError::WrongKey {
                what: "corp".into(),
                source: None
            }),
            3
        );
        assert_eq!(
            store(StoreError::Corrupt {
                what: "corp".into(),
                source: None
            }),
            3
        );
        assert_eq!(backend(TokenError::malformed("no token")), 4);
        assert_eq!(
            [
                ErrorKind::RateLimit,
                ErrorKind::Quota,
                ErrorKind::Overloaded,
                ErrorKind::Server
            ]
            .map(provider),
            [4; 4]
        );
        assert_eq!(backend(network()), 4);
    }

    #[test]
    fn an_answer_that_broke_off_has_the_code_of_its_cause() {
        let broken = |source| BackendError::Interrupted {
            partial: Box::default(),
            source: Box::new(source),
        };
        assert_eq!(backend(broken(network())), 4);
        assert_eq!(backend(broken(BackendError::Request { what: "x".into() })), 2);
    }

    #[test]
    fn the_readme_has_the_same_codes_as_the_help() {
        let readme = include_str!("../README.md");
        let rows = readme
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
        let documented: Vec<_> = rows.filter(|(code, _)| code.parse::<u8>().is_ok()).collect();
        let ours = Exit::ALL.map(|exit| ((exit as u8).to_string(), exit.meaning()));
        let ours: Vec<_> = ours
            .iter()
            .map(|(code, meaning)| (code.as_str(), *meaning))
            .collect();
        assert_eq!(documented, ours);
        assert!(
            ours.iter()
                .all(|(code, meaning)| Exit::help().contains(&format!("\n  {code:<4} {meaning}")))
        );
    }
}
