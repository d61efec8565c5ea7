use crate::args::{CheckArgs, Form};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{out, report};
use gatepass::client_credentials::{DEFAULT_FILES, Providers};
use gatepass::{ConfigProblem, Severity};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Asks no server and reads no certificate.
pub(crate) fn check(args: &CheckArgs, form: Form) -> Result<Exit, Failure> {
    let findings = Findings::of(args.config.path.as_deref());
    match form {
        Form::Text => out::styled(&findings.text())?,
        Form::Json => out::json(&findings.json())?,
    }
    Ok(findings.exit())
}

struct Findings {
    files: Vec<File>,
    problems: Vec<ConfigProblem>,
}

struct File {
    path: PathBuf,
    /// How many it has; `None` for a file that can't be read.
    providers: Option<usize>,
}

impl Findings {
    fn of(path: Option<&Path>) -> Self {
        let providers = path.map_or_else(|| Ok(Providers::discover(Path::new(""))), Providers::read);
        let (files, problems) = match &providers {
            Ok(providers) => (providers.files().map(File::of).collect(), providers.check()),
            Err(error) => (Vec::new(), vec![error.problem()]),
        };
        let mut findings = Self { files, problems };
        findings.add_broken_files();
        findings
            .files
            .sort_by_key(|file| DEFAULT_FILES.iter().position(|name| file.path.ends_with(name)));
        findings
    }

    /// A file that can't be read is known by its problem alone.
    fn add_broken_files(&mut self) {
        for path in self.problems.iter().filter_map(|problem| problem.path.as_ref()) {
            if !self.files.iter().any(|file| file.path == *path) {
                self.files.push(File {
                    path: path.clone(),
                    providers: None,
                });
            }
        }
    }

    fn exit(&self) -> Exit {
        match self
            .problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            true => Exit::Usage,
            false => Exit::Success,
        }
    }

    fn text(&self) -> String {
        if self.files.is_empty() {
            return nothing_found();
        }
        let mut text = String::new();
        for problem in &self.problems {
            text.push_str(&report::problem(problem));
        }
        if !self.problems.is_empty() {
            text.push('\n');
        }
        for file in &self.files {
            _ = writeln!(text, "{}", self.summary(file));
        }
        text
    }

    /// `litellm_config.json: 2 providers, 1 error, 3 warnings`
    fn summary(&self, file: &File) -> String {
        let count = |severity| {
            self.problems
                .iter()
                .filter(|problem| is_of(problem, file, severity))
                .count()
        };
        let parts: Vec<_> = [
            file.providers.map(|providers| counted(providers, "provider")),
            Some(count(Severity::Error))
                .filter(|&errors| errors > 0)
                .map(|errors| counted(errors, "error")),
            Some(count(Severity::Warning))
                .filter(|&warnings| warnings > 0)
                .map(|warnings| counted(warnings, "warning")),
            (!self
                .problems
                .iter()
                .any(|problem| problem.path.as_ref() == Some(&file.path)))
            .then(|| "no problems".into()),
        ]
        .into_iter()
        .flatten()
        .collect();
        format!("{}: {}", file.path.display(), parts.join(", "))
    }

    fn json(&self) -> Value {
        json!({
            "files": self.files.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>(),
            "problems": self.problems.iter().map(described).collect::<Vec<_>>(),
        })
    }
}

impl File {
    fn of(file: &gatepass::client_credentials::ProvidersFile) -> Self {
        Self {
            path: file.path().to_owned(),
            providers: Some(file.names().count()),
        }
    }
}

fn is_of(problem: &ConfigProblem, file: &File, severity: Severity) -> bool {
    problem.severity == severity && problem.path.as_ref() == Some(&file.path)
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn nothing_found() -> String {
    let names = DEFAULT_FILES.map(|name| format!("./{name}"));
    format!(
        "nothing to check: there is no {}\n{}",
        names.join(" and no "),
        report::help("write one of them, or name another file with --config PATH"),
    )
}

fn described(problem: &ConfigProblem) -> Value {
    let severity = match problem.severity {
        Severity::Warning => "warning",
        _ => "error",
    };
    json!({
        "severity": severity,
        "file": problem.path.as_ref().map(|path| path.display().to_string()),
        "provider": problem.provider,
        "field": problem.field,
        "problem": problem.what,
        "fix": problem.fix,
    })
}
