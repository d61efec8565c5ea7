use crate::args::{Form, TokenArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{out, runtime, spinner, time};
use gatepass::{AccessToken, Clock, ExposeSecret, Scopes, SystemClock, TokenSourceOptions};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The one command whose output is a secret.
pub(crate) fn run(args: &TokenArgs, form: Form) -> Result<Exit, Failure> {
    let mut options = TokenSourceOptions::default();
    options.config_path.clone_from(&args.config.path);
    options.account.clone_from(&args.account.name);
    options.profile = args.profile.profile_if_named()?;
    let source = gatepass::token_source_with(&args.provider, &options)?;
    runtime::run(async {
        let token = spinner::during(source.token()).await?;
        match form {
            Form::Text => out::line(token.expose_secret())?,
            Form::Json => out::json(&described(&token, SystemClock.now().wall_time()))?,
        }
        Ok(Exit::Success)
    })
}

fn described(token: &AccessToken, now: SystemTime) -> Value {
    let expires_in = token
        .expires_at()
        .map(|at| at.duration_since(now).unwrap_or_default());
    json!({
        "access_token": token.expose_secret(),
        "token_type": "Bearer",
        "expires_at": token.expires_at().map(time::rfc3339),
        "expires_in": expires_in.map(|left| left.as_secs()),
        "scope": token.scopes().map(Scopes::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_token_that_never_expires_has_no_expiry() {
        let token = AccessToken::bearer("t").unwrap();
        let described = described(&token, SystemTime::UNIX_EPOCH);
        assert_eq!(
            [
                &described["expires_at"],
                &described["expires_in"],
                &described["scope"]
            ],
            [&Value::Null; 3]
        );
    }

    #[test]
    fn an_expired_token_has_no_seconds_left() {
        let token = AccessToken::bearer("t")
            .unwrap()
            .with_expires_at(SystemTime::UNIX_EPOCH);
        let described = described(&token, SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        assert_eq!(described["expires_in"], 0);
        assert_eq!(described["expires_at"], "1970-01-01T00:00:00Z");
    }
}
