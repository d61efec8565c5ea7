use crate::args::{CheckArgs, Form};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings::Findings;
use crate::{out, report};
use gatepass::client_credentials::DEFAULT_FILES;
use gatepass::{ConfigProblem, Severity};
use serde_json::{Value, json};

/// Asks no server and reads no certificate.
pub(crate) fn check(args: &CheckArgs, form: Form) -> Result<Exit, Failure> {
    let findings = Findings::of(args.config.path.as_deref());
    match form {
        Form::Text => out::styled(&text(&findings))?,
        Form::Json => out::json(&described(&findings))?,
    }
    Ok(if findings.has_errors() {
        Exit::Usage
    } else {
        Exit::Success
    })
}

/// The problems, and a line for each file.
fn text(findings: &Findings) -> String {
    if findings.files.is_empty() {
        return nothing_found();
    }
    let problems: String = findings.problems.iter().map(report::problem).collect();
    let files: String = findings.files.iter().map(|file| format!("{file}\n")).collect();
    let space = if problems.is_empty() { "" } else { "\n" };
    format!("{problems}{space}{files}")
}

fn nothing_found() -> String {
    let names = DEFAULT_FILES.map(|name| format!("./{name}"));
    format!(
        "nothing to check: there is no {}\n{}",
        names.join(" and no "),
        report::help(
            "write one of them, as gatepass config --help shows, or name another file with --config PATH"
        ),
    )
}

fn described(findings: &Findings) -> Value {
    json!({
        "files": findings.files.iter().map(|file| file.path.to_string_lossy()).collect::<Vec<_>>(),
        "problems": findings.problems.iter().map(described_problem).collect::<Vec<_>>(),
    })
}

fn described_problem(problem: &ConfigProblem) -> Value {
    let severity = match problem.severity {
        Severity::Warning => "warning",
        _ => "error",
    };
    json!({
        "severity": severity,
        "file": problem.path.as_ref().map(|path| path.to_string_lossy()),
        "provider": problem.provider,
        "field": problem.field,
        "problem": problem.what,
        "fix": problem.fix,
    })
}
