use gatepass_core::{Cause, ConfigError};
use std::path::{Path, PathBuf};

/// A `client_secrets.json` can't be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ClientSecretsError {
    /// There is none.
    #[error("client secrets file not found: {}", path.display())]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It can't be read.
    #[error("cannot read the client secrets file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// It is not JSON, or cut off.
    #[error("{}:{line}:{column}: the client secrets file is not valid JSON", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// It is a file of another kind.
    #[error("{} is {kind}, not the client secrets of a desktop application", path.display())]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// What it is: `a service account key`, …
        kind: &'static str,
    },
    /// A value in it is missing or not allowed.
    #[error("{}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Which, and why.
        problem: Box<ConfigError>,
    },
}

impl ClientSecretsError {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::NotFound { path }
            | Self::Unreadable { path, .. }
            | Self::Syntax { path, .. }
            | Self::OtherKind { path, .. }
            | Self::Invalid { path, .. } => path,
        }
    }

    /// The next step: how to get such a file, or what to correct in it. Several lines for the former.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::NotFound { path } | Self::OtherKind { path, .. } | Self::Syntax { path, .. } => format!(
                "download one from the Google Cloud console:\n\
                 1. go to https://console.cloud.google.com/apis/credentials\n\
                 2. create an OAuth client ID of the type Desktop app\n\
                 3. download its JSON and save it as {}",
                path.display()
            ),
            Self::Unreadable { .. } => "check the path and its permissions".into(),
            Self::Invalid { problem, .. } => problem.fix(),
        }
    }
}
