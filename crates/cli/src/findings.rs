use gatepass::client_credentials::{DEFAULT_FILES, Providers, ProvidersFile};
use gatepass::{ConfigProblem, Severity};
use std::fmt;
use std::path::{Path, PathBuf};

/// Everything that is wrong in a configuration, and what was looked at to say so.
pub(crate) struct Findings {
    pub(crate) files: Vec<CheckedFile>,
    pub(crate) problems: Vec<ConfigProblem>,
}

/// `litellm_config.json: 2 providers, 1 error, 3 warnings`
pub(crate) struct CheckedFile {
    pub(crate) path: PathBuf,
    /// How many it has; `None` for a file that can't be read.
    providers: Option<usize>,
    errors: usize,
    warnings: usize,
}

impl Findings {
    /// Checks the file at `path`, or the default ones that are there.
    pub(crate) fn of(path: Option<&Path>) -> Self {
        match path.map_or_else(|| Ok(Providers::discover(Path::new(""))), Providers::read) {
            Ok(providers) => Self::in_files(providers.files(), providers.check()),
            Err(error) => Self::in_files([], vec![error.problem()]),
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.files.iter().any(CheckedFile::has_errors)
    }

    fn in_files<'a>(read: impl IntoIterator<Item = &'a ProvidersFile>, problems: Vec<ConfigProblem>) -> Self {
        let mut files: Vec<_> = read.into_iter().map(CheckedFile::read).collect();
        for problem in &problems {
            let path = problem.path.as_deref().unwrap_or(Path::new("configuration"));
            match files.iter_mut().find(|file| file.path == path) {
                Some(file) => file.count(problem),
                None => files.push(CheckedFile::broken(path, problem)),
            }
        }
        files.sort_by_key(|file| DEFAULT_FILES.iter().position(|name| file.path.ends_with(name)));
        Self { files, problems }
    }
}

impl CheckedFile {
    pub(crate) const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    pub(crate) const fn has_warnings(&self) -> bool {
        self.warnings > 0
    }

    fn read(file: &ProvidersFile) -> Self {
        Self {
            path: file.path().to_owned(),
            providers: Some(file.names().count()),
            errors: 0,
            warnings: 0,
        }
    }

    /// One that is known by its problem alone.
    fn broken(path: &Path, problem: &ConfigProblem) -> Self {
        let mut file = Self {
            path: path.to_owned(),
            providers: None,
            errors: 0,
            warnings: 0,
        };
        file.count(problem);
        file
    }

    const fn count(&mut self, problem: &ConfigProblem) {
        match problem.severity {
            Severity::Warning => self.warnings += 1,
            _ => self.errors += 1,
        }
    }
}

impl fmt::Display for CheckedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let positive = |count| Some(count).filter(|&count| count > 0);
        let counts = [
            (self.providers, "provider"),
            (positive(self.errors), "error"),
            (positive(self.warnings), "warning"),
        ];
        let mut parts: Vec<_> = counts
            .into_iter()
            .filter_map(|(count, what)| Some(counted(count?, what)))
            .collect();
        if self.errors + self.warnings == 0 {
            parts.push("no problems".into());
        }
        write!(f, "{}: {}", self.path.display(), parts.join(", "))
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
