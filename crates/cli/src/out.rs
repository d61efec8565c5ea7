//! What a command was asked for: stdout.

use crate::failure::Failure;
use serde_json::Value;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// Writes these bytes, now.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    write_to(io::stdout().lock(), bytes)
}

/// Writes a line.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Writes JSON, in one line.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    line(&value.to_string())
}

/// Writes text with its colours, where there are any to be seen.
pub(crate) fn styled(text: &str) -> Result<(), Failure> {
    write_to(anstream::stdout().lock(), text.as_bytes())
}

/// Writes text beside the answer: to stderr, for a person who needs it to get on.
pub(crate) fn aside(text: &str) -> Result<(), Failure> {
    write_to(anstream::stderr().lock(), text.as_bytes())
}

fn write_to(mut stdout: impl Write, bytes: &[u8]) -> Result<(), Failure> {
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(Failure::of_output)
}

/// Prints a model's text piece by piece. However that ends, the last line is ended with it.
pub(crate) struct Printer {
    on_terminal: bool,
    line_is_open: bool,
}

impl Printer {
    pub(crate) fn new() -> Self {
        Self {
            on_terminal: io::stdout().is_terminal(),
            line_is_open: false,
        }
    }

    pub(crate) fn print(&mut self, text: &str) -> Result<(), Failure> {
        let Some(last) = text.chars().next_back() else {
            return Ok(());
        };
        let text = if self.on_terminal {
            harmless(text)
        } else {
            text.into()
        };
        // Closed already, should this fail: nobody would see the end of the line.
        self.line_is_open = false;
        write(text.as_bytes())?;
        self.line_is_open = last != '\n';
        Ok(())
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        if self.line_is_open {
            _ = write(b"\n");
        }
    }
}

/// The text without what would drive the terminal: a model may be made to write escape sequences.
fn harmless(text: &str) -> Cow<'_, str> {
    let drives = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(drives) {
        return text.into();
    }
    text.replace('\r', "").replace(drives, "\u{fffd}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_cannot_drive_the_terminal() {
        assert_eq!(
            harmless("a\u{1b}]52;c;AAAA\u{7}b\u{9b}2J\r"),
            "a\u{fffd}]52;c;AAAA\u{fffd}b\u{fffd}2J"
        );
        assert_eq!(harmless("Windows\r\n"), "Windows\n");
        assert_eq!(harmless("Zeile\n\tTab ä 🦀"), "Zeile\n\tTab ä 🦀");
    }
}
