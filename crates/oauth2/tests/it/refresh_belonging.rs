//! Whose login it is.

use crate::refresh::{Login, key, old_token};
use gatepass_core::{
    Advice, Credential, CredentialStore, ExposeSecret, RefreshToken, TokenError, TokenSource,
};
use tokio::task::JoinSet;

#[tokio::test]
async fn a_login_goes_only_to_the_server_and_the_client_that_it_belongs_to() {
    let login = Login::new().await;
    let good = login.stored().await;
    let of = |url: &str, client: &str| {
        Credential::new(url, client).with_refresh_token(good.refresh_token.clone().unwrap())
    };
    for (bad, field) in [
        (of("https://evil.example/token", "client"), "token_url"),
        (
            of(&format!("{}/", login.server.token_url()), "client"),
            "token_url",
        ),
        (of("", "client"), "token_url"),
        (of(&login.server.token_url(), "another"), "client_id"),
    ] {
        login.store.save(&key(), &bad).await.unwrap();
        let error = login.source().token().await.unwrap_err();
        assert!(error.to_string().starts_with(field), "{error}");
        assert_eq!(error.advice(), Advice::FixConfig);
    }
    assert_eq!(login.server.requests().len(), 0);
}

/// R09
#[tokio::test]
async fn another_persons_login_is_never_adopted_silently() {
    let login = Login::new().await;
    login.edit(|credential| credential.with_subject("jane")).await;
    let source = login.source();
    source.token().await.unwrap();
    login
        .edit(|credential| credential.with_subject("joe").with_access_token(old_token(-1)))
        .await;
    let error = source.token().await.unwrap_err();
    assert!(matches!(error, TokenError::Config(_)), "{error}");
    assert!(!format!("{error:?}").contains("joe"));
    assert_eq!(login.server.token_requests(), 1, "no request for the other one");
    login.source().token().await.unwrap();
}

/// G12
#[tokio::test]
async fn two_accounts_never_share_a_token() {
    let login = Login::new().await;
    let mut callers = JoinSet::new();
    for account in ["jane", "joe", "ann"] {
        let key = key().with_account(account).unwrap();
        let refresh = login.server.issue_refresh_token("client");
        let credential = Credential::new(login.server.token_url(), "client")
            .with_refresh_token(RefreshToken::new(refresh));
        login.store.save(&key, &credential).await.unwrap();
        let source = gatepass_oauth2::RefreshTokenSource::new(login.endpoint(), login.store.clone(), key);
        callers.spawn(async move { source.token().await.unwrap().expose_secret().to_owned() });
    }
    let mut tokens = callers.join_all().await;
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 3);
}
