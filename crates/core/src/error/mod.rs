//! One error per contract, and one question that all of them answer: what can the caller do?
//!
//! `Display` says what happened, `source()` says why. No response body, no query string, no secret.

mod backend;
mod config;
mod store;
mod token;

pub use backend::{BackendError, ErrorKind, Phase, ProviderError};
pub use config::{ConfigError, ConfigProblem, Severity};
pub use store::StoreError;
pub use token::{Refusal, TokenError};

use std::sync::Arc;
use std::time::Duration;

/// Why something failed, shared among all who waited for it.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// The same call may succeed later, not before `after` where the server said so. What gatepass itself
    /// retries has been retried already.
    Retry {
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// A person must log in (again).
    LoginRequired,
    /// The configuration or the request must change.
    FixConfig,
    /// Nothing helps but a look at the cause.
    Fail,
}

/// Text of a server, made fit for a terminal and a log line: control characters become spaces, and what
/// exceeds 1000 characters is cut.
#[must_use]
pub fn printable(text: &str) -> String {
    const LIMIT: usize = 1000;
    let text = text.trim();
    let mut clean = String::with_capacity(text.len().min(LIMIT));
    clean.extend(
        text.chars()
            .take(LIMIT)
            .map(|c| if is_hostile(c) { ' ' } else { c }),
    );
    if text.chars().nth(LIMIT).is_some() {
        clean.push('…');
    }
    clean
}

/// Control characters, and the invisible ones that reorder or hide text.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_servers_text_cannot_drive_the_terminal() {
        assert_eq!(
            printable("bad\u{1b}[31m scope\r\nnext\u{9b}1m\u{202e}"),
            "bad [31m scope  next 1m "
        );
        assert_eq!(printable(&"x".repeat(1100)).chars().count(), 1001);
    }
}
