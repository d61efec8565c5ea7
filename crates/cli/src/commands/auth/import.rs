use super::done;
use super::login::write_secret;
use crate::args::{Form, ImportArgs, Program};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{out, report, runtime};
use gatepass::file_store::{Imported, import_kagura};
use gatepass::{CredentialKey, ExposeSecret, Profile, ProviderName};
use serde_json::json;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(crate) fn run(args: &ImportArgs, form: Form) -> Result<Exit, Failure> {
    let profile = args.store.profile()?;
    let mut key = CredentialKey::new(ProviderName::parse("google")?);
    if let Some(account) = &args.account {
        key = key.with_account(account)?;
    }
    let places = match (args.program, &args.directory) {
        (_, Some(directory)) => vec![directory.clone()],
        (Program::Kagura, None) => kaguras_directories(),
    };
    let directory = with_a_login(&places)?;
    let imported = import_kagura(directory)?;
    runtime::run(save(&profile, &key, &imported))?;
    let client = take_client(&profile, directory, &imported)?;
    if client.is_none() && is_another_client(&profile, &imported) {
        let text = format!(
            "{} is another client: refreshes of this login need --client-secrets with Kagura AI's",
            profile.client_secrets_path().display()
        );
        report::warning_in(form, text);
    }
    let location = profile.store_place()?.location;
    if imported.credential.refresh_token.is_none() {
        let text = "it has no refresh token: this login ends with its access token";
        report::warning_in(form, text);
    }
    match form {
        Form::Text => {
            done(&format!(
                "Imported the login of google from {}",
                directory.display()
            ))?;
            done(&format!("Credentials saved to: {location}"))?;
            if let Some(client) = &client {
                done(&format!("Client secrets copied to: {}", client.display()))?;
            }
        }
        Form::Json => out::json(&json!({
            "provider": key.provider().as_str(),
            "account": key.account(),
            "refreshes": imported.credential.refresh_token.is_some(),
            "location": location,
            "client_secrets": client.map(|path| path.display().to_string()),
            "warnings": report::warnings(),
        }))?,
    }
    Ok(Exit::Success)
}

/// Never in the place of a login that is there.
async fn save(profile: &Profile, key: &CredentialKey, imported: &Imported) -> Result<(), Failure> {
    let store = profile.store()?;
    let _lock = store.lock(key).await?;
    if store.load(key).await?.is_some() {
        return Err(Failure::usage(
            format!("{} has a login as {} already", key.provider(), key.account()),
            "log out first, or import it under another name: --account NAME",
        ));
    }
    Ok(store.save(key, &imported.credential).await?)
}

/// Refreshes need the client. Kagura AI kept a copy of it in the login; `None` if there is a file already.
fn take_client(profile: &Profile, directory: &Path, imported: &Imported) -> Result<Option<PathBuf>, Failure> {
    let path = profile.client_secrets_path();
    if path.exists() {
        return Ok(None);
    }
    let content = std::fs::read(directory.join("client_secrets.json")).unwrap_or_else(|_| {
        let client = json!({ "installed": {
            "client_id": imported.credential.client_id,
            "client_secret": imported.client_secret.as_ref().map(ExposeSecret::expose_secret),
            "token_uri": imported.credential.token_url,
        }});
        client.to_string().into_bytes()
    });
    let written = write_secret(&path, &content);
    written.map_err(|source| Failure::System {
        what: "the client secrets can't be copied to the configuration directory",
        source,
    })?;
    Ok(Some(path))
}

/// What can't be read is told when it is needed.
fn is_another_client(profile: &Profile, imported: &Imported) -> bool {
    let there = profile.client_secrets();
    there.is_ok_and(|there| there.client().id() != imported.credential.client_id)
}

/// Where its versions kept it, the newest first.
fn kaguras_directories() -> Vec<PathBuf> {
    let home = variable("HOME").map(PathBuf::from);
    let in_home = |name: &str| home.as_ref().map(|home| home.join(name));
    let places = [
        variable("KAGURA_CONFIG_DIR").map(PathBuf::from),
        variable("XDG_CONFIG_HOME").map(|directory| Path::new(&directory).join("kagura")),
        in_home(".config/kagura"),
        in_home(".kagura"),
    ];
    places.into_iter().flatten().collect()
}

fn with_a_login(places: &[PathBuf]) -> Result<&Path, Failure> {
    let found = places
        .iter()
        .find(|place| place.join("credentials.json.enc").exists());
    found.map(PathBuf::as_path).ok_or_else(|| {
        let looked: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
        Failure::usage(
            format!("Kagura AI has no login in {}", looked.join(", ")),
            "name its directory: gatepass auth import kagura DIR",
        )
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variables that tell where Kagura AI keeps its files"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
