use super::state::State;
use super::{can_be_logged_in_to, done};
use crate::args::{Form, StatusArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::ERROR;
use crate::{out, runtime, spinner};
use gatepass::{CredentialKey, Profile, ProviderName, StorePlace};
use serde_json::{Value, json};

/// Asks no server and reads no certificate.
pub(crate) fn run(args: &StatusArgs, form: Form) -> Result<Exit, Failure> {
    let provider = ProviderName::parse(&args.provider.name)?;
    let profile = args.store.profile()?;
    let (account, place) = (args.account.name.as_deref(), profile.store_place()?);
    let states = runtime::run(spinner::during(states(&profile, &provider, account)))?;
    if states.is_empty() {
        can_be_logged_in_to(&provider, &profile, args.config.path.as_deref())?;
    }
    match form {
        Form::Text => text(&provider, account, &states)?,
        Form::Json => out::json(&described(&provider, &states, &place))?,
    }
    Ok(if states.iter().any(State::is_authenticated) {
        Exit::Success
    } else {
        Exit::Refused
    })
}

async fn states(
    profile: &Profile,
    provider: &ProviderName,
    account: Option<&str>,
) -> Result<Vec<State>, Failure> {
    let keys = match account {
        Some(account) => vec![CredentialKey::new(provider.clone()).with_account(account)?],
        None => profile.logins(provider).await?,
    };
    let store = profile.store()?;
    let mut states = Vec::new();
    for key in keys {
        if let Some(credential) = store.load(&key).await? {
            states.push(State::new(key, credential));
        }
    }
    Ok(states)
}

fn text(provider: &ProviderName, account: Option<&str>, states: &[State]) -> Result<(), Failure> {
    match states {
        [only] if only.is_authenticated() => {
            let refreshes = if only.has_valid_token() {
                ""
            } else {
                " (refreshes on next use)"
            };
            done(&format!("Authenticated with {provider}{refreshes}"))?;
            out::line(&only.expiry())
        }
        [] | [_] => {
            let account = account.map(|account| format!(" --account {account}"));
            let ended = if states.is_empty() {
                ""
            } else {
                " (the login has ended)"
            };
            out::styled(&format!(
                "{ERROR}✗{ERROR:#} Not authenticated with {provider}{ended}\n\
                 Run: gatepass auth login --provider {provider}{}\n",
                account.unwrap_or_default()
            ))
        }
        several => {
            done(&format!(
                "Authenticated with {provider}: {} accounts",
                several.len()
            ))?;
            for state in several {
                let note = match (state.has_valid_token(), state.is_authenticated()) {
                    (true, _) => "",
                    (false, true) => " (refreshes on next use)",
                    (false, false) => " (the login has ended)",
                };
                out::line(&format!("{}\n  {}{note}", state.key.account(), state.expiry()))?;
            }
            Ok(())
        }
    }
}

/// The only login stands for all of them; several are listed.
fn described(provider: &ProviderName, states: &[State], place: &StorePlace) -> Value {
    let mut described = match states {
        [only] => only.described(),
        states => json!({
            "provider": provider.as_str(),
            "account": null,
            "authenticated": states.iter().any(State::is_authenticated),
            "expires_at": null,
            "expires_in": null,
            "refreshes": null,
            "scope": null,
            "fingerprint": null,
        }),
    };
    if let Value::Object(members) = &mut described {
        let accounts: Vec<_> = states.iter().map(State::described).collect();
        members.insert("accounts".into(), accounts.into());
        members.insert("location".into(), place.location.clone().into());
        members.insert(
            "key".into(),
            json!({ "kind": place.key_kind, "location": place.key }),
        );
    }
    described
}
