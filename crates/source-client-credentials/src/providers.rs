use crate::environment::Environment;
use crate::file::{ProvidersFile, nearest};
use crate::provider::Provider;
use gatepass_core::{ConfigError, ConfigProblem};
use std::path::{Path, PathBuf};

/// The files that are looked for in the working directory.
pub const DEFAULT_FILES: [&str; 2] = ["litellm_config.json", "gatepass.toml"];

/// All configured providers: those of one named file, or of the default ones that are there.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    files: Vec<ProvidersFile>,
    /// Default files that can't be used: an error only for who needs them.
    broken: Vec<ConfigError>,
    /// The file that was named.
    named: Option<PathBuf>,
    environment: Environment,
}

impl Providers {
    /// The providers of this file.
    ///
    /// # Errors
    /// As [`ProvidersFile::read`]; a missing file is an error.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = ProvidersFile::read(path)?;
        Ok(Self {
            files: vec![file],
            named: Some(path.to_owned()),
            ..Self::default()
        })
    }

    /// The providers of the [default files](DEFAULT_FILES) in `directory`. A missing file is no error; a broken
    /// one is an error for those who look for a provider that isn't in another one.
    #[must_use]
    pub fn discover(directory: &Path) -> Self {
        let mut found = Self::default();
        for path in DEFAULT_FILES.map(|name| directory.join(name)) {
            match ProvidersFile::read(&path) {
                Ok(file) => found.files.push(file),
                Err(_) if !path.exists() => {}
                Err(error) => found.broken.push(error),
            }
        }
        found
    }

    /// Looks variables up elsewhere than in the process's environment.
    #[must_use]
    pub fn with_environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Whether one file was named, instead of the default ones being looked for.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// The environment that variables are looked up in.
    #[must_use]
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// All names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.files.iter().flat_map(ProvidersFile::names).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The environment variables that the files refer to. They may hold secrets.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(ProvidersFile::variables)
    }

    /// The provider `name`, its variables resolved now; `None` if no file has it.
    ///
    /// # Errors
    /// What is wrong with its entry, or that it stands in two files.
    pub fn find(&self, name: &str) -> Result<Option<Provider>, ConfigError> {
        if let Some(error) = self.ambiguity(name) {
            return Err(error);
        }
        let mut found = self
            .having(name)
            .map(|file| file.provider(name, &self.environment));
        found.next().unwrap_or(Ok(None))
    }

    fn having(&self, name: &str) -> impl Iterator<Item = &ProvidersFile> {
        self.files
            .iter()
            .filter(move |file| file.names().any(|one| one == name))
    }

    /// A name that stands in two files: nothing tells which one is meant.
    fn ambiguity(&self, name: &str) -> Option<ConfigError> {
        let mut having = self.having(name);
        let (first, second) = (having.next()?, having.next()?);
        let problem = ConfigProblem::new(
            format!("stands in {} too", second.path().display()),
            "remove one of the two entries",
        );
        Some(ConfigError::Invalid(Box::new(problem)).at(first.path(), name))
    }

    /// The provider `name`, which must be there.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`ConfigError::UnknownProvider`] with those that there are if no file has it, or
    /// what is wrong with a default file that may have it.
    pub fn get(&self, name: &str) -> Result<Provider, ConfigError> {
        self.find(name)?.ok_or_else(|| self.unknown(name))
    }

    /// The error for a name that no file has.
    #[must_use]
    pub fn unknown(&self, name: &str) -> ConfigError {
        if let Some(error) = self.broken.first() {
            return error.clone();
        }
        for file in &self.files {
            file.warn_of_misspelled();
        }
        let names = self.names();
        ConfigError::UnknownProvider {
            provider: gatepass_core::printable(name),
            path: self.named.clone(),
            similar: nearest(name, names.iter().copied()).map(str::to_owned),
            names: names.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Says of each default file that can't be used that it wasn't: it may have been meant.
    pub fn warn_of_broken_files(&self) {
        for error in &self.broken {
            tracing::warn!("{error}; going on without this file");
        }
    }

    /// Everything that is wrong in all files, warnings too. Asks no server.
    #[must_use]
    pub fn check(&self) -> Vec<ConfigProblem> {
        let broken = self.broken.iter().map(ConfigError::problem);
        let names = self.names().into_iter();
        let ambiguous = names.filter_map(|name| Some(self.ambiguity(name)?.problem()));
        broken
            .chain(self.files.iter().flat_map(|file| file.check(&self.environment)))
            .chain(ambiguous)
            .collect()
    }

    /// The files that were read.
    pub fn files(&self) -> impl Iterator<Item = &ProvidersFile> {
        self.files.iter()
    }
}
