use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{self, ERROR, GOOD, WARNING};
use serde_json::{Value, json};
use std::error::Error;

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Check {
    subject: &'static str,
    state: State,
    what: String,
}

#[derive(Debug)]
enum State {
    Good,
    /// It works, but somebody should look at it.
    Doubtful {
        fix: String,
    },
    Broken {
        fix: String,
        exit: Exit,
    },
    /// There is nothing to look at.
    Skipped,
}

impl Check {
    pub(super) fn good(subject: &'static str, what: impl Into<String>) -> Self {
        Self::new(subject, what, State::Good)
    }

    pub(super) fn skipped(subject: &'static str, what: impl Into<String>) -> Self {
        Self::new(subject, what, State::Skipped)
    }

    pub(super) fn doubtful(subject: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(subject, what, State::Doubtful { fix: fix.into() })
    }

    pub(super) fn broken(
        subject: &'static str,
        what: impl Into<String>,
        fix: impl Into<String>,
        exit: Exit,
    ) -> Self {
        let fix = fix.into();
        Self::new(subject, what, State::Broken { fix, exit })
    }

    /// What a command would have failed with. `place` stands before it: a server, an account.
    pub(super) fn failed(subject: &'static str, place: Option<&str>, failure: impl Into<Failure>) -> Self {
        let failure = failure.into();
        let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
        let mut what = format!("{place}{failure}");
        if let Some(cause) = failure.source() {
            what.push_str(&format!(" ({})", gatepass::printable(&cause.to_string())));
        }
        Self::broken(
            subject,
            what,
            failure.fix().unwrap_or_default(),
            Exit::of(&failure),
        )
    }

    /// Another next step for what is broken.
    pub(super) fn with_fix(mut self, better: &str) -> Self {
        if let State::Broken { fix, .. } = &mut self.state {
            *fix = better.to_owned();
        }
        self
    }

    fn new(subject: &'static str, what: impl Into<String>, state: State) -> Self {
        let what = what.into();
        Self { subject, state, what }
    }

    pub(super) const fn exit(&self) -> Exit {
        match self.state {
            State::Broken { exit, .. } => exit,
            _ => Exit::Success,
        }
    }

    /// `✓ store          /home/jane/.config/gatepass/credentials.json.enc: 2 logins`
    pub(super) fn text(&self) -> String {
        let mark = match self.state {
            State::Good => format!("{GOOD}✓{GOOD:#}"),
            State::Doubtful { .. } => format!("{WARNING}!{WARNING:#}"),
            State::Broken { .. } => format!("{ERROR}✗{ERROR:#}"),
            State::Skipped => "-".into(),
        };
        let help = self.fix().filter(|fix| !fix.is_empty()).map(report::help);
        format!(
            "{mark} {:14} {}\n{}",
            self.subject,
            self.what,
            help.unwrap_or_default()
        )
    }

    pub(super) fn described(&self) -> Value {
        let state = match self.state {
            State::Good => "ok",
            State::Doubtful { .. } => "warning",
            State::Broken { .. } => "error",
            State::Skipped => "skipped",
        };
        json!({ "subject": self.subject, "state": state, "what": self.what, "fix": self.fix() })
    }

    fn fix(&self) -> Option<&str> {
        match &self.state {
            State::Doubtful { fix } | State::Broken { fix, .. } => Some(fix),
            State::Good | State::Skipped => None,
        }
    }
}
