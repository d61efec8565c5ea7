use super::{Advice, Cause};
use std::fmt;
use std::path::PathBuf;

/// The configuration can't be used as it is.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file is missing, a directory, or may not be read. Check the path and its permissions.
    #[error("cannot read the configuration {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// A file is not valid JSON or TOML. Correct it at that line and column.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// What the parser expected; never the text it read.
        message: String,
    },
    /// A value is missing or not allowed. Each problem names its place and its fix.
    #[error("{0}")]
    Invalid(Box<ConfigProblem>),
    /// The configuration has no such provider.
    #[error("unknown provider '{provider}'{}{}", in_file(path.as_ref()), configured(similar.as_ref(), names))]
    UnknownProvider {
        /// The name that was asked for.
        provider: String,
        /// The file that was searched, if one was.
        path: Option<PathBuf>,
        /// The configured one that may have been meant.
        similar: Option<String>,
        /// The configured names.
        names: Vec<String>,
    },
    /// An environment variable that a value refers to is not set, or empty. Set it.
    #[error("{place}: the environment variable {variable} is {state}")]
    Variable {
        /// The variable.
        variable: String,
        /// The field that refers to it, with its file and provider.
        place: Box<ConfigProblem>,
        /// `not set`, `empty`, or `not Unicode`.
        state: &'static str,
    },
}

impl ConfigError {
    /// A value that is not allowed, in no particular file.
    pub fn invalid(field: &str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Invalid(Box::new(ConfigProblem::new(what, fix).with_field(field)))
    }

    /// What the caller can do: fix it.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        Advice::FixConfig
    }

    /// The next step, as a sentence without a full stop.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::File { .. } => "check the path and its permissions".into(),
            Self::Syntax { .. } => "correct the file at that line and column".into(),
            Self::Invalid(problem) => problem.fix.clone(),
            Self::UnknownProvider {
                provider,
                path,
                similar,
                ..
            } => {
                let meant = similar.as_ref().map(|name| format!("write '{name}', or "));
                let file = path.as_ref().map_or_else(
                    || "./litellm_config.json or ./gatepass.toml".into(),
                    |path| path.display().to_string(),
                );
                let meant = meant.unwrap_or_default();
                format!("{meant}add '{provider}' to oauth2_providers in {file}")
            }
            Self::Variable { variable, .. } => format!("set {variable}"),
        }
    }

    /// The error as a problem with its place and its fix, for a list of them.
    #[must_use]
    pub fn problem(&self) -> ConfigProblem {
        match self {
            Self::Invalid(problem) => problem.as_ref().clone(),
            Self::Variable {
                variable,
                place,
                state,
            } => {
                let what = format!("refers to the environment variable {variable}, which is {state}");
                ConfigProblem {
                    what,
                    fix: self.fix(),
                    ..place.as_ref().clone()
                }
            }
            Self::File { path, source } => {
                ConfigProblem::new(format!("cannot be read: {source}"), self.fix()).with_path(path)
            }
            Self::Syntax {
                path,
                line,
                column,
                message,
            } => ConfigProblem::new(format!("line {line}, column {column}: {message}"), self.fix())
                .with_path(path),
            Self::UnknownProvider { .. } => ConfigProblem::new(self.to_string(), self.fix()),
        }
    }

    /// Says at which place of which file the problem is, where the error doesn't say it yet.
    #[must_use]
    pub fn at(mut self, path: &std::path::Path, provider: &str) -> Self {
        if let Self::Invalid(place) | Self::Variable { place, .. } = &mut self {
            place.path.get_or_insert_with(|| path.to_owned());
            place.provider.get_or_insert_with(|| provider.to_owned());
        }
        self
    }
}

/// One thing that is wrong in a configuration, where it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// Whether it prevents a call.
    pub severity: Severity,
    /// The file.
    pub path: Option<PathBuf>,
    /// The provider.
    pub provider: Option<String>,
    /// The field.
    pub field: Option<String>,
    /// What is wrong, never with the value itself.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Probably a mistake, but it works.
    Warning,
    /// It doesn't work.
    Error,
}

impl ConfigProblem {
    /// An error: what is wrong, and what to do.
    pub fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            path: None,
            provider: None,
            field: None,
            what: what.into(),
            fix: fix.into(),
        }
    }

    /// Makes it a warning.
    #[must_use]
    pub const fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Sets the file.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Sets the provider.
    #[must_use]
    pub fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets the field.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

/// `litellm_config.json: corp: token_url must be …`; a problem without text is a place.
impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(provider) = &self.provider {
            write!(f, "provider '{}': ", super::printable(provider))?;
        }
        if let Some(field) = &self.field {
            write!(f, "{}", super::printable(field))?;
        }
        if self.field.is_some() && !self.what.is_empty() {
            f.write_str(" ")?;
        }
        f.write_str(&self.what)
    }
}

fn in_file(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" in {}", path.display()))
        .unwrap_or_default()
}

fn configured(similar: Option<&String>, names: &[String]) -> String {
    if names.is_empty() {
        return " (none is configured)".to_owned();
    }
    let meant = similar.map(|name| format!("did you mean '{name}'? "));
    format!(" ({}configured: {})", meant.unwrap_or_default(), names.join(", "))
}
