//! The person at the terminal, who is shown where to log in.

use crate::args::Form;
use crate::terminal::{self, Silence};
use crate::{out, report, spinner};
use gatepass::LoginProvider;
use gatepass::oauth2::{AuthorizationHandler, AuthorizationRequest, Browser, LoginError};
use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::{Arc, OnceLock};

/// Opens a browser; or shows the address, and takes the one that it leads to.
pub(crate) struct Person {
    browser: Option<Browser>,
    form: Form,
    /// From the moment that an address may be typed to the end of the login: it holds a code.
    silence: OnceLock<Silence>,
}

/// More than any address has.
const LONGEST_LINE: u64 = 64 << 10;

impl Person {
    /// Somebody whose browser is on this machine.
    pub(crate) fn with_browser(provider: &LoginProvider, form: Form) -> Self {
        let mut browser = match from_environment() {
            Some(program) => Browser::only([program]),
            None => Browser::new(),
        };
        for secret in provider.secret_variables() {
            browser = browser.without_variable(secret);
        }
        Self {
            browser: Some(browser),
            form,
            silence: OnceLock::new(),
        }
    }

    /// Somebody who reads and types.
    pub(crate) const fn without_browser(form: Form) -> Self {
        Self {
            browser: None,
            form,
            silence: OnceLock::new(),
        }
    }

    /// Lets the terminal show what is typed while the program is stopped. Never ends.
    pub(crate) async fn through_stops<T>(&self) -> T {
        terminal::through_stops(&self.silence).await
    }

    /// Says something that is no answer yet: with JSON, stdout has the answer alone.
    pub(crate) fn tell(form: Form, text: &str) -> Result<(), LoginError> {
        let told = match form {
            Form::Text => out::styled(text),
            Form::Json => out::aside(text),
        };
        told.map_err(|_| LoginError::system("nobody reads where to log in", None))
    }

    async fn show(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        spinner::stop();
        let hidden = match Silence::begin().await {
            Some(silence) => self
                .silence
                .set(silence)
                .map_or("", |()| " (it will not be shown)"),
            None => "",
        };
        let text = format!(
            "Open this address in a browser, on this machine or another one:\n\n{}\n\n\
             The login ends at an address of this machine. If the browser can't open that one, paste it here{hidden}:\n",
            request.url()
        );
        Self::tell(self.form, &text)?;
        while let Some(line) = next_line().await? {
            match take(&line, request) {
                Ok(()) => break,
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(problem) => report::warning(&problem),
            }
        }
        Ok(())
    }
}

impl AuthorizationHandler for Person {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        let Some(browser) = &self.browser else {
            return self.show(request).await;
        };
        let text = "A browser opens: log in there and allow the access. If none does, try --no-browser.\n";
        Self::tell(self.form, text)?;
        match browser.open(request.url()).await {
            // A script has nobody to paste an address.
            Err(error) if io::stdin().is_terminal() => {
                report::warning(&error.to_string());
                self.show(request).await
            }
            opened => opened,
        }
    }
}

/// Takes the address that was typed; or tells what is wrong with it.
fn take(line: &[u8], request: &AuthorizationRequest) -> Result<(), String> {
    let address = request.redirect_uri();
    if terminal::is_cut(line) {
        let listener = address.split('/').nth(2).unwrap_or_default();
        let port = listener.rsplit(':').next().unwrap_or_default();
        return Err(format!(
            "the terminal has cut the address off, as it takes 4,095 characters; \
             connect the browser's machine with this one instead (ssh -L {port}:{listener} …), and load it there again"
        ));
    }
    request
        .accept(&String::from_utf8_lossy(line))
        .map_err(|error| format!("{error}; paste all of it, from {address}?"))
}

/// What the person types; `None` at the end of it, and then the answer can only come by the browser.
async fn next_line() -> Result<Option<Vec<u8>>, LoginError> {
    terminal::input().await;
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = Vec::new();
        let length = io::stdin()
            .lock()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?;
        _ = line.pop_if(|last| *last == b'\n');
        Ok((length > 0).then_some(line))
    });
    let failed = |error: io::Error| LoginError::system("stdin can't be read", Some(Arc::new(error)));
    reading
        .await
        .map_err(|error| failed(error.into()))?
        .map_err(failed)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line reads the variable that its help names"
)]
fn from_environment() -> Option<std::ffi::OsString> {
    std::env::var_os("BROWSER").filter(|program| !program.is_empty())
}
