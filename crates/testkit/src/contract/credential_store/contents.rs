//! What goes in comes out.

use super::Sure;
use super::sample::{access_token, bare, full, jane, valid};
use gatepass_core::{AccessToken, Credential, CredentialStore, ExposeSecret, RefreshToken, TokenScheme};
use std::time::{Duration, SystemTime};

pub(super) async fn suite<S: CredentialStore>(empty: impl Fn() -> Sure<S> + Send + Sync) {
    nothing_is_there_at_first(empty()).await;
    a_credential_comes_back_whole(empty()).await;
    times_come_back_to_the_second(empty()).await;
    what_was_absent_stays_absent(empty()).await;
    an_api_key_stays_an_api_key(empty()).await;
    long_and_odd_tokens_survive(empty()).await;
    saving_replaces_all_of_the_old(empty()).await;
    deleting_tells_whether_there_was_one(empty()).await;
    saving_works_after_deleting(empty()).await;
    the_subject_comes_back_and_its_absence_too(empty()).await;
    any_text_survives_in_any_field(empty()).await;
    saving_the_same_again_changes_nothing(empty()).await;
    of_many_saves_the_last_one_counts(empty()).await;
    deleting_again_is_no_error(empty()).await;
}

async fn nothing_is_there_at_first(store: Sure<impl CredentialStore>) {
    assert!(
        store.load(&jane()).await.is_none(),
        "load() of an absent credential must be None"
    );
    assert!(
        store.list().await.is_empty(),
        "list() of an empty store must be empty"
    );
    assert!(
        !store.delete(&jane()).await,
        "delete() of an absent credential must be false"
    );
}

async fn a_credential_comes_back_whole(store: Sure<impl CredentialStore>) {
    let saved = full("1");
    store.save(&jane(), &saved).await;
    let loaded = loaded(&store).await;
    assert_eq!(loaded.token_url, saved.token_url, "the token URL must come back");
    assert_eq!(loaded.client_id, saved.client_id, "the client id must come back");
    assert_eq!(loaded.scopes, saved.scopes, "the scopes must come back, in order");
    assert!(
        loaded.access_token == saved.access_token,
        "the access token must come back"
    );
    assert!(
        loaded.refresh_token == saved.refresh_token,
        "the refresh token must come back"
    );
    let scopes = |credential: &Credential| credential.access_token.as_ref()?.scopes().cloned();
    assert_eq!(
        scopes(&loaded),
        scopes(&saved),
        "the access token's own scopes must come back"
    );
    store.save(&jane(), &loaded).await;
    assert!(
        store.load(&jane()).await == Some(saved),
        "what was loaded and saved again must be the same"
    );
}

async fn times_come_back_to_the_second(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &full("1")).await;
    let (saved, loaded) = (access_token("1"), loaded_token(&store).await);
    let since_epoch = |token: &AccessToken| {
        let expiry = token.expires_at().unwrap_or(SystemTime::UNIX_EPOCH);
        expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    };
    assert!(
        since_epoch(&loaded).abs_diff(since_epoch(&saved)) < Duration::from_secs(1),
        "the expiry must come back to the second"
    );
    let lifetime = |token: &AccessToken| token.lifetime().unwrap_or_default();
    assert!(
        lifetime(&loaded).abs_diff(lifetime(&saved)) < Duration::from_secs(1),
        "the lifetime must come back to the second"
    );
}

async fn what_was_absent_stays_absent(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &bare()).await;
    assert!(
        store.load(&jane()).await == Some(bare()),
        "fields that were None must come back as None"
    );
    let eternal = valid(AccessToken::bearer("without-an-end"));
    store.save(&jane(), &bare().with_access_token(eternal)).await;
    let loaded = loaded_token(&store).await;
    assert!(
        loaded.expires_at().is_none() && loaded.lifetime().is_none() && loaded.scopes().is_none(),
        "an access token without expiry, lifetime and scopes must come back without them"
    );
}

async fn an_api_key_stays_an_api_key(store: Sure<impl CredentialStore>) {
    let key = valid(AccessToken::api_key("sk-1"));
    store.save(&jane(), &bare().with_access_token(key)).await;
    let loaded = loaded_token(&store).await;
    assert_eq!(
        loaded.scheme(),
        TokenScheme::ApiKey,
        "an API key must come back as an API key"
    );
    assert_eq!(
        loaded.expose_secret(),
        "sk-1",
        "an API key must come back unchanged"
    );
}

async fn long_and_odd_tokens_survive(store: Sure<impl CredentialStore>) {
    // RFC 6749 appendix A.17: any visible character and the space.
    let odd: String = (' '..='~').collect();
    for refresh_token in [odd, "r".repeat(8 * 1024), " ".to_owned()] {
        let length = refresh_token.len();
        let saved = bare()
            .with_access_token(valid(AccessToken::bearer("a".repeat(8 * 1024))))
            .with_refresh_token(RefreshToken::new(refresh_token));
        store.save(&jane(), &saved).await;
        assert!(
            store.load(&jane()).await == Some(saved),
            "a refresh token of {length} odd characters and an access token of 8 KiB must come back unchanged"
        );
    }
}

async fn saving_replaces_all_of_the_old(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &full("old")).await;
    let newer = Credential::new("https://other.example/token", "other");
    store.save(&jane(), &newer).await;
    assert!(
        store.load(&jane()).await == Some(newer),
        "save() must leave nothing of the older credential"
    );
    assert_eq!(
        store.list().await,
        [jane()],
        "a credential that was saved twice must be listed once"
    );
}

async fn deleting_tells_whether_there_was_one(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &full("1")).await;
    assert!(
        store.delete(&jane()).await,
        "delete() of a credential must be true"
    );
    assert!(
        store.load(&jane()).await.is_none(),
        "load() after delete() must be None"
    );
    assert!(!store.delete(&jane()).await, "a second delete() must be false");
}

async fn saving_works_after_deleting(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &full("1")).await;
    store.delete(&jane()).await;
    store.save(&jane(), &full("2")).await;
    assert!(
        store.load(&jane()).await == Some(full("2")),
        "save() must work after delete()"
    );
}

async fn the_subject_comes_back_and_its_absence_too(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &bare().with_subject("4711")).await;
    assert_eq!(
        loaded(&store).await.subject.as_deref(),
        Some("4711"),
        "the subject must come back"
    );
    store.save(&jane(), &bare()).await;
    assert!(
        loaded(&store).await.subject.is_none(),
        "a subject that isn't there any more must not come back"
    );
}

async fn any_text_survives_in_any_field(store: Sure<impl CredentialStore>) {
    for text in [
        "jos\u{e9} \u{1f980}",
        "\"quoted\\\n\ttext\"",
        "\u{0}\u{7f}\u{feff}",
        " ",
    ] {
        let saved = Credential::new(format!("https://as.example/token?x={text}"), text).with_subject(text);
        store.save(&jane(), &saved).await;
        assert!(
            store.load(&jane()).await == Some(saved),
            "URL, client id and subject must come back unchanged, whatever is in them: {text:?}"
        );
    }
}

async fn saving_the_same_again_changes_nothing(store: Sure<impl CredentialStore>) {
    for _ in 0..3 {
        store.save(&jane(), &full("1")).await;
        assert!(
            store.load(&jane()).await == Some(full("1")),
            "saving the same again must leave it as it was"
        );
    }
    assert_eq!(
        store.list().await,
        [jane()],
        "saving the same again must add nothing"
    );
}

async fn of_many_saves_the_last_one_counts(store: Sure<impl CredentialStore>) {
    for number in 0..20 {
        // Longer and shorter ones in turn.
        let saved = full(&format!("{number}-").repeat(1 + number % 4 * 400));
        store.save(&jane(), &saved).await;
        assert!(
            store.load(&jane()).await == Some(saved),
            "each of many saves must replace the one before"
        );
    }
}

async fn deleting_again_is_no_error(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &full("1")).await;
    for number in 0..5 {
        assert_eq!(
            store.delete(&jane()).await,
            number == 0,
            "delete() must find a credential once, and may be repeated"
        );
        assert!(
            store.load(&jane()).await.is_none() && store.list().await.is_empty(),
            "a deleted credential must stay away"
        );
    }
}

async fn loaded(store: &Sure<impl CredentialStore>) -> Credential {
    let Some(credential) = store.load(&jane()).await else {
        panic!("load() after save() must not be None")
    };
    credential
}

async fn loaded_token(store: &Sure<impl CredentialStore>) -> AccessToken {
    let Some(token) = loaded(store).await.access_token else {
        panic!("the access token must come back")
    };
    token
}
