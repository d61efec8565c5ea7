use super::done;
use super::person::Person;
use crate::args::{Form, LoginArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{out, report, runtime, spinner, time};
use gatepass::client_credentials::Providers;
use gatepass::google_login::no_device_login;
use gatepass::oauth2::{DeviceCode, Login, LoginError};
use gatepass::{
    AccessToken, ConfigError, CredentialKey, LoginOptions, LoginProvider, Profile, SavedLogin, Scopes,
};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

pub(crate) fn run(args: &LoginArgs, form: Form) -> Result<Exit, Failure> {
    let profile = args.profile.profile()?;
    let provider = provider(args, &profile)?;
    runtime::run(runtime::until_terminated(async {
        let account = args.account.as_deref();
        let key = CredentialKey::new(provider.name().clone());
        let key = key.with_account(account.unwrap_or(CredentialKey::DEFAULT_ACCOUNT))?;
        // A login that can't be kept would be in vain: that is found out before anybody logs in.
        let store = spinner::during(profile.probe_store()).await?;
        drop(spinner::during(store.lock(&key)).await?);

        let login = spinner::during(log_in(&provider, args, form)).await?;
        let saved = provider.save(&*store, &login, account).await?;
        warn(&login, &saved, account, form);
        if form == Form::Text {
            done("Authentication successful!")?;
            done(&format!(
                "Credentials saved to: {}",
                profile.store_place()?.location
            ))?;
        }
        if let Some(path) = &args.profile.client_secrets {
            keep_client_secrets(path, &args.profile.store.profile()?, form)?;
        }
        if form == Form::Json {
            out::json(&described(&login, &saved, &profile)?)?;
        }
        Ok(Exit::Success)
    }))
}

/// That Google lets nobody in on a device is told before a file is asked for which that would need.
fn provider(args: &LoginArgs, profile: &Profile) -> Result<LoginProvider, ConfigError> {
    let (name, config_path) = (args.provider.name.as_str(), args.config.path.as_deref());
    if args.device && name == "google" {
        let configured =
            config_path.map_or_else(|| Ok(Providers::discover(Path::new(""))), Providers::read)?;
        if !configured.names().contains(&name) {
            return Err(no_device_login());
        }
    }
    LoginProvider::find(name, profile, config_path)
}

async fn log_in(provider: &LoginProvider, args: &LoginArgs, form: Form) -> Result<Login, LoginError> {
    let mut options = LoginOptions::default();
    options.scope.clone_from(&args.scope);
    options.account.clone_from(&args.account);
    options.timeout = args.timeout.map(|seconds| Duration::from_secs(seconds.into()));
    if args.device || provider.prefers_device() {
        return provider
            .log_in_on_device(&options, |device| show(device, form))
            .await;
    }
    let person = match args.no_browser {
        true => Person::without_browser(form),
        false => Person::with_browser(provider, form),
    };
    tokio::select! {
        biased; // It listens before the terminal is silent.
        never = person.through_stops() => never,
        login = provider.log_in(&options, &person) => login,
    }
}

fn show(device: &DeviceCode, form: Form) {
    let complete = device
        .verification_uri_complete
        .as_ref()
        .map(|address| format!("\nor open the two in one:\n\n{address}\n"));
    let text = format!(
        "Open this address on any device:\n\n{}\n\nand enter the code:\n\n{}\n{}\n",
        device.verification_uri,
        device.user_code,
        complete.unwrap_or_default()
    );
    // Who can't be shown the code can't log in, which the end of its time tells.
    _ = Person::tell(form, &text);
}

/// What a person should know about a login that worked.
fn warn(login: &Login, saved: &SavedLogin, account: Option<&str>, form: Form) {
    let warning = |text: String| report::warning_in(form, text);
    if let Some(missing) = &login.missing {
        warning(format!("not granted: {missing}"));
    }
    if let Some(unexpected) = &login.unexpected {
        warning(format!("granted without being asked for: {unexpected}"));
    }
    if login.credential.refresh_token.is_none() {
        warning("the provider gave no refresh token: this login ends with its access token".into());
    }
    if saved.replaced_another {
        let text = "the login of another person was replaced; to keep both, name them: --account NAME";
        warning(text.into());
    }
    let email = login.identity.as_ref().and_then(|who| who.email.as_deref());
    if let (Some(email), Some(account)) = (email, account)
        && account.contains('@')
        && !email.eq_ignore_ascii_case(account)
    {
        warning(format!("it is {email} who logged in, not {account}"));
    }
}

fn described(login: &Login, saved: &SavedLogin, profile: &Profile) -> Result<Value, Failure> {
    let token = login.credential.access_token.as_ref();
    Ok(json!({
        "provider": saved.key.provider().as_str(),
        "account": saved.key.account(),
        "email": login.identity.as_ref().and_then(|who| who.email.as_deref()),
        "expires_at": token.and_then(AccessToken::expires_at).map(time::rfc3339),
        "refreshes": login.credential.refresh_token.is_some(),
        "scope": login.credential.scopes.as_ref().map(Scopes::to_string),
        "not_granted": login.missing.as_ref().map(Scopes::to_string),
        "replaced_another": saved.replaced_another,
        "location": profile.store_place()?.location,
        "warnings": report::warnings(),
    }))
}

/// Later commands need the client, too: the file is kept where they look for it, unless there is one.
fn keep_client_secrets(given: &Path, profile: &Profile, form: Form) -> Result<(), Failure> {
    let standard = profile.client_secrets_path();
    let content = std::fs::read(given).map_err(unkept)?;
    match std::fs::read(&standard) {
        Ok(other) if other != content => {
            let (given, standard) = (given.display(), standard.display());
            let text = format!(
                "{standard} is another client: refreshes of this login need --client-secrets {given}"
            );
            report::warning_in(form, text);
            return Ok(());
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        _ => return Ok(()),
    }
    write_secret(&standard, &content).map_err(unkept)?;
    match form {
        Form::Text => done(&format!("Client secrets copied to: {}", standard.display())),
        Form::Json => Ok(()),
    }
}

fn unkept(source: io::Error) -> Failure {
    Failure::System {
        what: "the client secrets can't be copied to the configuration directory",
        source,
    }
}

/// A new file that nobody else may read, from its first byte on.
pub(super) fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}
