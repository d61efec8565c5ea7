//! What went wrong: stderr.

use crate::args::Form;
use crate::failure::Failure;
use crate::spinner;
use anstyle::{AnsiColor, Style};
use gatepass::{ConfigProblem, Severity};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Tells why the command failed, to a person or to a program.
pub(crate) fn write(failure: &Failure, form: Form) {
    if matches!(failure, Failure::ClosedPipe) {
        return;
    }
    say(&match form {
        Form::Text => text(failure),
        Form::Json => format!("{}\n", described(failure)),
    });
}

/// Tells something beside the answer.
pub(crate) fn note(text: &str) {
    say(&format!("{HELP}note:{HELP:#} {text}\n"));
}

/// A problem of the configuration, with its fix.
pub(crate) fn problem(problem: &ConfigProblem) -> String {
    let (style, severity) = match problem.severity {
        Severity::Warning => (WARNING, "warning"),
        _ => (ERROR, "error"),
    };
    format!("{style}{severity}:{style:#} {problem}\n{}", help(&problem.fix))
}

/// Tells of something that may be a mistake.
pub(crate) fn warning(text: &str) {
    spinner::make_room();
    say(&format!("{WARNING}warning:{WARNING:#} {text}\n"));
}

/// Tells of something that may be a mistake, to a person at once or to a program in the answer.
pub(crate) fn warning_in(form: Form, text: impl Into<String>) {
    match form {
        Form::Text => warning(&text.into()),
        Form::Json => keep(text.into()),
    }
}

/// Keeps a warning for the answer to a program.
pub(crate) fn keep(text: String) {
    kept().push(text);
}

/// The warnings that were kept, for the answer's `warnings`.
pub(crate) fn warnings() -> Vec<String> {
    std::mem::take(&mut kept())
}

fn kept() -> MutexGuard<'static, Vec<String>> {
    static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next step, or several of them, one a line.
pub(crate) fn help(fix: &str) -> String {
    let fix = fix.replace('\n', "\n        ");
    format!("  {HELP}help:{HELP:#} {fix}\n")
}

fn text(failure: &Failure) -> String {
    if matches!(failure, Failure::Interrupted | Failure::Terminated) {
        return format!("{failure}\n");
    }
    let mut text = format!("{ERROR}error:{ERROR:#} {}\n", failure.message());
    for cause in failure.causes() {
        text.push_str(&format!("  because: {cause}\n"));
    }
    text + &failure.fix().as_deref().map(help).unwrap_or_default()
}

fn described(failure: &Failure) -> Value {
    let mut error = json!({
        "kind": failure.kind(),
        "message": failure.message(),
        "causes": failure.causes(),
        "fix": failure.fix(),
        "request_id": failure.request_id(),
    });
    if let (Some(partial), Value::Object(error)) = (failure.partial_text(), &mut error) {
        error.insert("partial".into(), partial.into());
    }
    json!({ "error": error })
}

/// There is nobody left to tell when this fails.
fn say(text: &str) {
    _ = anstream::stderr().lock().write_all(text.as_bytes());
}
