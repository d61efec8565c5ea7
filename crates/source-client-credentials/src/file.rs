use crate::document;
use crate::entry;
use crate::environment::Environment;
use crate::provider::Provider;
use gatepass_core::{ConfigError, ConfigProblem, JsonObject};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A configuration file: the providers under its `oauth2_providers`. Other keys are left alone: they are
/// LiteLLM's, or ours elsewhere.
#[derive(Clone)]
pub struct ProvidersFile {
    path: PathBuf,
    entries: JsonObject,
    warnings: Vec<ConfigProblem>,
}

const KEY: &str = "oauth2_providers";

/// The most bytes that a file may have.
const LIMIT: u64 = 10 << 20;

impl ProvidersFile {
    /// Reads a file: TOML if its name ends in `.toml`, JSON otherwise. Its entries are judged when they are used.
    ///
    /// # Errors
    /// [`ConfigError::File`] if it can't be read, [`ConfigError::Syntax`] with line and column if it can't be
    /// parsed, [`ConfigError::Invalid`] if it is larger than 10 MiB or `oauth2_providers` is not an object.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(path, &read_limited(path)?)
    }

    /// As [`read`](Self::read), with the file's content at hand.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ConfigError> {
        let mut root = document::parse(path, bytes)?;
        let warnings = misspelled(&root, KEY, path);
        let entries = match root.remove(KEY) {
            None => JsonObject::new(),
            Some(Value::Object(entries)) => entries,
            Some(_) => {
                let problem = ConfigProblem::new("must be an object", "write { \"name\": { … } }");
                return Err(ConfigError::Invalid(Box::new(
                    problem.with_path(path).with_field(KEY),
                )));
            }
        };
        Ok(Self {
            path: path.to_owned(),
            entries,
            warnings,
        })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The providers' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The environment variables that it refers to. They may hold secrets.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.entries.values().flat_map(Environment::named_in)
    }

    /// The provider `name`, its variables resolved now; `None` if the file has none of that name.
    ///
    /// # Errors
    /// The first thing that is wrong with its entry.
    pub fn provider(&self, name: &str, environment: &Environment) -> Result<Option<Provider>, ConfigError> {
        let Some(value) = self.entries.get(name) else {
            return Ok(None);
        };
        for warning in self.unknown_fields(name, value) {
            tracing::warn!("{warning}; {}", warning.fix);
        }
        let (provider, errors) = entry::read(&self.path, name, value, environment);
        errors.into_iter().next().map_or(Ok(provider), Err)
    }

    /// Everything that is wrong, in the order of the file's names; warnings too.
    #[must_use]
    pub fn check(&self, environment: &Environment) -> Vec<ConfigProblem> {
        let mut problems = self.warnings.clone();
        for (name, value) in &self.entries {
            let (provider, errors) = entry::read(&self.path, name, value, environment);
            let trusted = provider.filter(|provider| provider.ca_file.is_some());
            let untrusted = trusted.and_then(|provider| provider.token_http().err());
            problems.extend(errors.iter().chain(&untrusted).map(ConfigError::problem));
            problems.extend(self.unknown_fields(name, value));
        }
        problems.extend(self.readable_by_others());
        problems
    }

    /// Says of a heading that looks like the providers' own that it isn't read.
    pub(crate) fn warn_of_misspelled(&self) {
        for warning in &self.warnings {
            tracing::warn!("{warning}; {}", warning.fix);
        }
    }

    fn unknown_fields(&self, name: &str, value: &Value) -> Vec<ConfigProblem> {
        let keys = value.as_object().into_iter().flat_map(JsonObject::keys);
        let unknown = keys.filter(|key| !entry::FIELDS.contains(&key.as_str()));
        let fix = |key: &str| match nearest(key, entry::FIELDS) {
            Some(known) => format!("did you mean {known}?"),
            None => format!("remove it; known are {}", entry::FIELDS.join(", ")),
        };
        unknown
            .map(|key| {
                ConfigProblem::new("is not a known key", fix(key))
                    .warning()
                    .with_path(&self.path)
                    .with_provider(name)
                    .with_field(key)
            })
            .collect()
    }

    /// A file that others can read should hold no secret.
    #[cfg(unix)]
    fn readable_by_others(&self) -> Option<ConfigProblem> {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&self.path).ok()?.permissions().mode();
        (mode & 0o077 != 0 && self.entries.values().any(entry::holds_a_secret)).then(|| {
            let fix = format!(
                "run: chmod 600 '{}', or write os.environ/NAME instead",
                self.path.display()
            );
            ConfigProblem::new("holds a secret and other users can read it", fix)
                .warning()
                .with_path(&self.path)
        })
    }

    #[cfg(not(unix))]
    fn readable_by_others(&self) -> Option<ConfigProblem> {
        None
    }
}

/// A file that may be a device, or a pipe, which has no size.
fn read_limited(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    let length = read.map_err(|error| ConfigError::File {
        path: path.to_owned(),
        source: Arc::new(error),
    })?;
    if length as u64 > LIMIT {
        let problem = ConfigProblem::new("is larger than 10 MiB", "name a configuration file");
        return Err(ConfigError::Invalid(Box::new(problem.with_path(path))));
    }
    Ok(bytes)
}

/// Secrets stand in the entries: only the names are shown.
impl std::fmt::Debug for ProvidersFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvidersFile")
            .field("path", &self.path)
            .field("names", &self.entries.keys())
            .finish_non_exhaustive()
    }
}

/// A key that looks like `expected`, where that one is absent.
fn misspelled(root: &JsonObject, expected: &str, path: &Path) -> Vec<ConfigProblem> {
    if root.contains_key(expected) {
        return Vec::new();
    }
    let key = root.keys().find(|key| nearest(key, [expected]).is_some());
    key.map(|key| {
        ConfigProblem::new("is not a known key", format!("did you mean {expected}?"))
            .warning()
            .with_path(path)
            .with_field(key)
    })
    .into_iter()
    .collect()
}

/// The most similar of `known`, if it is similar at all.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similarity = |known: &str| strsim::jaro_winkler(word, known);
    known
        .into_iter()
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
        .filter(|known| similarity(known) >= 0.85)
}
