//! The person at the terminal, who is shown where to log in.

use crate::args::Form;
use crate::{out, report, spinner};
use gatepass::LoginProvider;
use gatepass::oauth2::{AuthorizationHandler, AuthorizationRequest, Browser, LoginError};
use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::Arc;

/// Opens a browser; or shows the address, and takes the one that it leads to.
pub(crate) struct Person {
    browser: Option<Browser>,
    form: Form,
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
        }
    }

    /// Somebody who reads and types.
    pub(crate) const fn without_browser(form: Form) -> Self {
        Self { browser: None, form }
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
        let text = format!(
            "Open this address in a browser, on this machine or another one:\n\n{}\n\n\
             The login ends at an address of this machine. If the browser can't open that one, paste it here:\n",
            request.url()
        );
        Self::tell(self.form, &text)?;
        while let Some(line) = next_line().await? {
            match request.accept(&line) {
                Ok(()) => break,
                Err(_) if line.trim().is_empty() => {}
                Err(error) => report::warning(&format!(
                    "{error}; paste all of it, from {}?",
                    request.redirect_uri()
                )),
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

/// What the person types; `None` at the end of it, and then the answer can only come by the browser.
async fn next_line() -> Result<Option<String>, LoginError> {
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = Vec::new();
        let length = io::stdin()
            .lock()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?;
        Ok((length > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
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
