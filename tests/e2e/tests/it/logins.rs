//! A person's login at a real server, from its beginning to its end.

use crate::support::{Kept, Place, Setup, system_clock};
use crate::worker::Worker;
use gatepass_core::{Advice, ExposeSecret, TokenSource};
use std::error::Error;

/// G03
#[tokio::test]
async fn a_logout_ends_the_login_at_the_server() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let kept = Kept::new(&world, Place::file(world.folder())).await;
    let mut worker = Worker::start(&kept).await;
    worker.ask("pass 3600").await;
    worker.ask("token").await;
    let login = kept.stored().await;
    let tokens = [
        login.access_token.as_ref().unwrap().expose_secret(),
        login.refresh_token.as_ref().unwrap().expose_secret(),
    ];
    for token in tokens {
        let said = world.authorization.introspect(token).await;
        assert!(said["active"] == true && said["sub"] == "jane", "{said}");
    }
    kept.revocation().await.revoke(&login).await.unwrap();
    for token in tokens {
        assert_eq!(world.authorization.introspect(token).await["active"], false);
    }
    kept.revocation()
        .await
        .revoke(&login)
        .await
        .expect("revoked already");

    let source = kept.source(system_clock()).await;
    let token = login.access_token.unwrap();
    source.reject(&token);
    let error = source.token().await.unwrap_err();
    assert_eq!(error.advice(), Advice::LoginRequired);
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("invalid_grant"), "{cause}");
}

#[tokio::test]
async fn the_login_tells_who_it_is_and_what_was_granted() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let kept = Kept::new(&world, Place::file(world.folder())).await;
    let login = kept.log_in().await;
    let identity = login.identity.expect("an ID token");
    assert_eq!(identity.subject, "jane");
    assert_eq!(login.credential.subject.as_deref(), Some("jane"));
    assert_eq!((login.missing, login.unexpected), (None, None));
    let again = kept.log_in().await.credential;
    assert_ne!(again, login.credential, "each login is one of its own");
}
