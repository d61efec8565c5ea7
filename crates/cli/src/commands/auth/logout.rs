use super::{can_be_logged_in_to, done};
use crate::args::{Form, LogoutArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{out, report, runtime, spinner};
use gatepass::{
    CredentialKey, CredentialStore, FileKey, LoginProvider, Profile, ProviderName, StoreError, StoreKind,
    TokenError,
};
use serde_json::json;

pub(crate) fn run(args: &LogoutArgs, form: Form) -> Result<Exit, Failure> {
    let provider = ProviderName::parse(&args.provider.name)?;
    let profile = args.profile.profile()?;
    let ended = runtime::run(spinner::during(async {
        let exposed = renew_exposed_key(&profile).await?;
        if let Some(place) = exposed {
            let text = format!(
                "others on this machine could read the key in {place}: now they can't, but they may have read the logins"
            );
            report::warning_in(form, text);
        }
        match key(&profile, &provider, args.account.name.as_deref()).await? {
            Some(key) => log_out(args, &profile, key).await,
            None => Ok(None),
        }
    }))?;
    if ended.is_none() {
        can_be_logged_in_to(&provider, &profile, args.config.path.as_deref())?;
    }
    match (form, &ended) {
        (Form::Text, None) => out::line(&format!("Not authenticated with {provider}"))?,
        (Form::Text, Some(_)) => done(&format!("Logged out from {provider}"))?,
        (Form::Json, _) => out::json(&json!({
            "provider": provider.as_str(),
            "account": ended.as_ref().map(|ended| ended.key.account()),
            "deleted": ended.is_some(),
            "revoked": ended.as_ref().map(|ended| ended.revoked.is_ok()),
            "not_revoked_because": ended.as_ref().and_then(|ended| ended.revoked.as_ref().err()).map(reason),
            "warnings": report::warnings(),
        }))?,
    }
    if let (Form::Text, Some(ended)) = (form, &ended) {
        match &ended.revoked {
            Ok(()) => done("Login ended at the provider")?,
            Err(TokenError::Store(_)) => report::warning(
                "the provider may still take the login, which can't be read here: end it on the provider's own page, too",
            ),
            Err(error) => report::warning(&format!(
                "the login is deleted here, but the provider may still take it: {}; \
                 end it on the provider's own page, too",
                reason(error)
            )),
        }
    }
    Ok(match ended.map(|ended| ended.revoked) {
        // There was nothing to send, or it isn't known where to.
        None | Some(Ok(()) | Err(TokenError::Config(_) | TokenError::Store(_))) => Exit::Success,
        Some(Err(_)) => Exit::NotRevoked,
    })
}

/// A login that was deleted.
struct Ended {
    key: CredentialKey,
    /// Whether it was ended at the provider too, which otherwise may still take it.
    revoked: Result<(), TokenError>,
}

/// A key file that others can read must not keep anybody from logging out. Tells where it is, if it was so.
async fn renew_exposed_key(profile: &Profile) -> Result<Option<String>, StoreError> {
    if (profile.store_kind(), profile.key()) != (StoreKind::File, &FileKey::File) {
        return Ok(None);
    }
    let renewed = profile.file_store()?.renew_exposed_key().await?;
    Ok(renewed.then(|| profile.directory().display().to_string()))
}

/// Which login is meant; `None` if there is none. What can't be read has no names: then it is the default one's.
async fn key(
    profile: &Profile,
    provider: &ProviderName,
    account: Option<&str>,
) -> Result<Option<CredentialKey>, TokenError> {
    match profile.login(provider, account).await {
        Err(TokenError::LoginRequired { .. }) => Ok(None),
        Err(TokenError::Store(StoreError::Corrupt { .. } | StoreError::WrongKey { .. })) => {
            Ok(Some(CredentialKey::new(provider.clone())))
        }
        key => key.map(Some),
    }
}

/// Ends the login at the provider first, and deletes it whatever comes of that.
async fn log_out(args: &LogoutArgs, profile: &Profile, key: CredentialKey) -> Result<Option<Ended>, Failure> {
    let store = profile.store()?;
    // A lock leaves its file behind: where there is nothing to end, nothing is made.
    if let Ok(None) = store.load(&key).await {
        return Ok(None);
    }
    // Whoever refreshes it at this moment would save it again.
    let _lock = match store.lock(&key).await {
        Err(StoreError::Locked { .. }) => None,
        lock => Some(lock?),
    };
    let revoked = revoke(args, profile, &*store, &key).await;
    if !store.delete(&key).await? {
        return Ok(None);
    }
    Ok(Some(Ended { key, revoked }))
}

async fn revoke(
    args: &LogoutArgs,
    profile: &Profile,
    store: &dyn CredentialStore,
    key: &CredentialKey,
) -> Result<(), TokenError> {
    let Some(credential) = store.load(key).await? else {
        return Ok(());
    };
    let provider = LoginProvider::find(key.provider().as_str(), profile, args.config.path.as_deref())?;
    provider.revoke(&credential).await
}

/// The error with its causes, in one line.
fn reason(error: &TokenError) -> String {
    let mut reason = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !reason.contains(&cause_text) {
            reason.push_str(": ");
            reason.push_str(&cause_text);
        }
        next = cause.source();
    }
    gatepass::printable(&reason)
}
