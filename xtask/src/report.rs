//! Runs steps one after the other and sums them up.

use std::{
    fmt,
    io::{IsTerminal, stdout},
    time::{Duration, Instant},
};

use crate::stop::{Done, Stop};

/// What became of each step so far.
#[derive(Debug)]
pub(crate) struct Report {
    rows: Vec<Row>,
    colour: Colour,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    done: Done,
    took: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Colour {
    On,
    Off,
}

impl Report {
    pub(crate) fn new() -> Self {
        let colour = if stdout().is_terminal() {
            Colour::On
        } else {
            Colour::Off
        };
        Self {
            rows: Vec::new(),
            colour,
        }
    }

    /// Runs a step under a heading and notes what became of it.
    pub(crate) fn step(&mut self, name: &'static str, step: impl FnOnce() -> Done) {
        println!("{}", self.colour.paint(BOLD, &format!("\n== {name}")));
        let start = Instant::now();
        let done = step();
        let row = Row {
            name,
            done,
            took: start.elapsed(),
        };
        println!("{}", self.colour.paint(row.colour(), &row.sentence()));
        self.rows.push(row);
    }

    pub(crate) fn has_failures(&self) -> bool {
        self.count(FAILED) > 0
    }

    fn count(&self, word: &str) -> usize {
        self.rows.iter().filter(|row| row.word() == word).count()
    }
}

/// The table, the total time, and a closing line of counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<10}{:<10}{:>8}", "step", "result", "seconds")?;
        for row in &self.rows {
            let word = self.colour.paint(row.colour(), &format!("{:<10}", row.word()));
            let line = format!(
                "{:<10}{word}{:>8.1}  {}",
                row.name,
                row.took.as_secs_f64(),
                row.reason()
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        let total: Duration = self.rows.iter().map(|row| row.took).sum();
        writeln!(
            f,
            "total time: {} min {} s\n",
            total.as_secs() / 60,
            total.as_secs() % 60
        )?;
        write!(f, "{} passed, {} failed", self.count(OK), self.count(FAILED))?;
        match self.count(LEFT_OUT) {
            0 => writeln!(f),
            left_out => writeln!(f, ", {left_out} skipped"),
        }
    }
}

impl Row {
    fn word(&self) -> &'static str {
        match self.done {
            Ok(()) => OK,
            Err(Stop::Failed(_)) => FAILED,
            Err(Stop::LeftOut(_)) => LEFT_OUT,
        }
    }

    fn reason(&self) -> &str {
        match &self.done {
            Ok(()) => "",
            Err(Stop::Failed(reason) | Stop::LeftOut(reason)) => reason,
        }
    }

    fn colour(&self) -> &'static str {
        match self.done {
            Ok(()) => GREEN,
            Err(Stop::Failed(_)) => RED,
            Err(Stop::LeftOut(_)) => YELLOW,
        }
    }

    fn sentence(&self) -> String {
        let word = match self.done {
            Err(Stop::LeftOut(_)) => "LEFT OUT",
            _ => self.word(),
        };
        let line = format!(
            "{}: {word} after {:.1} s: {}",
            self.name,
            self.took.as_secs_f64(),
            self.reason()
        );
        line.trim_end_matches([':', ' ']).to_owned()
    }
}

impl Colour {
    fn paint(self, colour: &str, text: &str) -> String {
        match self {
            Self::On => format!("\x1b[{colour}m{text}\x1b[0m"),
            Self::Off => text.to_owned(),
        }
    }
}

const OK: &str = "ok";
const FAILED: &str = "failed";
const LEFT_OUT: &str = "left out";

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

#[cfg(test)]
mod tests {
    use super::*;

    fn report(done: impl IntoIterator<Item = (&'static str, Done, u64)>, colour: Colour) -> Report {
        let row = |(name, done, millis)| Row {
            name,
            done,
            took: Duration::from_millis(millis),
        };
        Report {
            rows: done.into_iter().map(row).collect(),
            colour,
        }
    }

    #[test]
    fn the_table_is_aligned_and_ends_with_the_counts() {
        let report = report(
            [
                ("fmt", Ok(()), 840),
                (
                    "clippy",
                    Err(Stop::Failed("`cargo clippy`: exit status: 101".to_owned())),
                    123_400,
                ),
                ("e2e", Err(Stop::LeftOut("npm is missing".to_owned())), 10),
            ],
            Colour::Off,
        );
        let expected = "
step      result     seconds
fmt       ok             0.8
clippy    failed       123.4  `cargo clippy`: exit status: 101
e2e       left out       0.0  npm is missing
total time: 2 min 4 s

1 passed, 1 failed, 1 skipped
";
        assert_eq!(report.to_string(), expected);
        assert!(report.has_failures());
    }

    #[test]
    fn nothing_skipped_is_not_mentioned() {
        let report = report([("fmt", Ok(()), 1)], Colour::Off);
        assert!(report.to_string().ends_with("\n1 passed, 0 failed\n"));
        assert!(!report.has_failures());
    }

    #[test]
    fn colour_does_not_move_columns() {
        let plain = report([("fmt", Ok(()), 1)], Colour::Off).to_string();
        let painted = report([("fmt", Ok(()), 1)], Colour::On).to_string();
        assert_ne!(plain, painted);
        assert_eq!(plain, painted.replace("\x1b[32m", "").replace("\x1b[0m", ""));
    }

    #[test]
    fn a_step_is_run_and_noted() {
        let mut report = report([], Colour::Off);
        report.step("deny", || Err(Stop::LeftOut("no cargo-deny".to_owned())));
        report.step("fmt", || Ok(()));
        assert_eq!(
            (report.count(OK), report.count(FAILED), report.count(LEFT_OUT)),
            (1, 0, 1)
        );
    }
}
