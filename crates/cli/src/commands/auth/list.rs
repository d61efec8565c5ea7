use super::state::State;
use crate::args::{Form, ListArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{out, runtime, spinner};
use gatepass::{Profile, StorePlace};
use serde_json::{Value, json};

/// Asks no server.
pub(crate) fn run(args: &ListArgs, form: Form) -> Result<Exit, Failure> {
    let profile = args.store.profile()?;
    let place = profile.store_place()?;
    let states = runtime::run(spinner::during(states(&profile)))?;
    match form {
        Form::Text => out::styled(&text(&states, &place))?,
        Form::Json => out::json(&described(&states, &place))?,
    }
    Ok(Exit::Success)
}

async fn states(profile: &Profile) -> Result<Vec<State>, Failure> {
    let store = profile.store()?;
    let mut states = Vec::new();
    for key in store.list().await? {
        if let Some(credential) = store.load(&key).await? {
            states.push(State::new(key, credential));
        }
    }
    Ok(states)
}

fn text(states: &[State], place: &StorePlace) -> String {
    if states.is_empty() {
        return "Nobody is logged in\nRun: gatepass auth login --provider google\n".into();
    }
    let name = |state: &State| format!("{} {}", state.key.provider(), state.key.account());
    let width = states.iter().map(|state| name(state).chars().count()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for state in states {
        let note = match (state.has_valid_token(), state.is_authenticated()) {
            (true, _) => "",
            (false, true) => " (refreshes on next use)",
            (false, false) => " (the login has ended)",
        };
        text.push_str(&format!("{:width$}  {}{note}\n", name(state), state.expiry()));
    }
    text + &format!("\nKept in {}\nKey: {}\n", place.location, place.key)
}

fn described(states: &[State], place: &StorePlace) -> Value {
    json!({
        "logins": states.iter().map(State::described).collect::<Vec<_>>(),
        "location": place.location,
        "key": { "kind": place.key_kind, "location": place.key },
    })
}
