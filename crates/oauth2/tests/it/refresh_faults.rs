//! What a refresh survives: siblings without a lock, full disks, callers that leave, strangers.

use crate::refresh::{Login, key, old_token};
use gatepass_core::{
    Advice, CachedTokenSource, CredentialStore, ExposeSecret, RefreshToken, TokenError, TokenSource,
};
use gatepass_testkit::{Answer, eventually};
use serde_json::json;
use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// R09; a server that punishes reuse would end both.
#[tokio::test]
async fn without_a_lock_the_loser_adopts_the_winners_login() {
    for _ in 0..20 {
        let login = Login::new().await;
        login.server.punish_reuse(false);
        login.store.set(|faults| &faults.no_lock, true);
        login.store.faults.save_ms.store(20, Ordering::SeqCst);
        login.server.set_delay(Duration::from_millis(10));
        let (first, second) = (login.source(), login.source());
        let (first, second) = tokio::join!(first.token(), second.token());
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first, second);
        assert!(login.server.is_active(first.expose_secret()));
        assert_eq!(login.server.token_requests(), 2, "they have collided");
        login.assert_alive().await;
    }
}

#[tokio::test]
async fn a_newer_login_whose_access_token_has_expired_is_refreshed_at_once() {
    let login = Login::new().await;
    let source = login.source();
    let newer = login.server.issue_refresh_token("client");
    login
        .server
        .revoke(login.stored().await.refresh_token.unwrap().expose_secret());
    login.server.set_delay(Duration::from_millis(50));
    let (token, ()) = tokio::join!(source.token(), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        login
            .edit(|credential| credential.with_refresh_token(RefreshToken::new(newer)))
            .await;
    });
    assert!(login.server.is_active(token.unwrap().expose_secret()));
    login.assert_alive().await;
}

#[tokio::test]
async fn a_dead_login_is_login_required_and_stays_in_the_store() {
    let login = Login::new().await;
    let before = login.stored().await;
    login
        .server
        .revoke(before.refresh_token.as_ref().unwrap().expose_secret());
    let source = login.source();
    for _ in 0..5 {
        let error = source.token().await.unwrap_err();
        assert_eq!(error.advice(), Advice::LoginRequired);
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("invalid_grant"), "{cause}");
    }
    assert_eq!(
        login.server.token_requests(),
        1,
        "the same refresh token is not tried for ever"
    );
    assert_eq!(
        (login.stored().await, login.store.count(|f| &f.deletions)),
        (before, 0)
    );
    // A new login, by whatever process, ends that.
    login.log_in(old_token(-1)).await;
    source.token().await.unwrap();
}

#[tokio::test]
async fn another_verdict_is_passed_on_and_nothing_is_deleted() {
    let login = Login::new().await;
    let before = login.stored().await;
    for (answer, advice) in [
        (
            Answer::json(401, &json!({"error": "invalid_client"})),
            Advice::FixConfig,
        ),
        (
            Answer::json(400, &json!({"error": "invalid_scope"})),
            Advice::FixConfig,
        ),
        (
            Answer::json(503, &json!({"error": "invalid_grant"})),
            Advice::Retry { after: None },
        ),
        (
            Answer::text(200, "<html>captive portal</html>"),
            Advice::FixConfig,
        ),
        (
            Answer::json(200, &json!({"access_token": "x", "refresh_token": {"a": 1}})),
            Advice::FixConfig,
        ),
        (
            Answer::truncated("{\"access_token\": \"x\""),
            Advice::Retry { after: None },
        ),
        (Answer::redirect(307, "https://evil.example/"), Advice::FixConfig),
        (Answer::close(), Advice::Retry { after: None }),
    ] {
        login.server.always(answer.clone());
        let error = login.source().token().await.unwrap_err();
        assert_eq!(error.advice(), advice, "{answer:?}: {error}");
        assert_eq!(login.stored().await, before);
    }
    login.server.normal();
    login.source().token().await.unwrap();
}

#[tokio::test]
async fn a_token_in_its_last_minutes_serves_once_when_the_server_is_down() {
    let login = Login::new().await;
    login.log_in(old_token(200)).await;
    login.server.always(Answer::new(503));
    let source = login.source();
    assert_eq!(source.token().await.unwrap().expose_secret(), "stored");
    // A cache has it now, and is told that there is no newer one.
    assert!(matches!(
        source.token().await,
        Err(TokenError::Unavailable { .. })
    ));
    let cached = CachedTokenSource::new(login.source());
    for _ in 0..10 {
        assert_eq!(cached.token().await.unwrap().expose_secret(), "stored");
    }
    login.store.set(|faults| &faults.locked, true);
    assert!(
        login.source().token().await.is_ok(),
        "a lock that can't be had is no reason either"
    );
    login
        .edit(|credential| credential.with_access_token(old_token(-1)))
        .await;
    let error = login.source().token().await.unwrap_err();
    assert_eq!(error.advice(), Advice::Retry { after: None }, "{error}");
}

/// R07
#[tokio::test]
async fn a_full_disk_takes_nothing_away_and_the_newest_token_is_saved_later() {
    let login = Login::new().await;
    let before = login.stored().await;
    login.store.set(|faults| &faults.no_save, true);
    let source = login.source();
    let first = source.token().await.unwrap();
    assert!(login.server.is_active(first.expose_secret()));
    assert!(source.persist_error().is_some() && source.persist().await.is_err());
    assert_eq!(login.stored().await, before, "the old one is intact");
    assert_eq!(source.token().await.unwrap(), first);
    // The next refresh goes on from memory, also when the store can't even be read.
    source.reject(&first);
    login.store.set(|faults| &faults.no_load, true);
    let second = source.token().await.unwrap();
    assert_ne!(first, second);
    login.store.set(|faults| &faults.no_load, false);
    login.store.set(|faults| &faults.no_save, false);
    eventually("it is saved without being asked", || {
        source.persist_error().is_none()
    })
    .await;
    assert_eq!(login.stored().await.access_token, Some(second));
    login.assert_alive().await;
    source.persist().await.unwrap();
    assert_eq!(login.server.token_requests(), 2);
}

/// R07
#[tokio::test]
async fn one_task_tries_to_save_at_growing_pauses_each_time_that_it_is_needed() {
    let login = Login::new().await;
    let source = login.source();
    for round in 1..=2 {
        let before = login.store.count(|faults| &faults.tries);
        let tries = || login.store.count(|faults| &faults.tries) - before;
        login.store.set(|faults| &faults.no_save, true);
        let token = source.token().await.unwrap();
        // From here on time passes when nobody has anything else to do.
        tokio::time::pause();
        for _ in 0..100 {
            assert_eq!(source.token().await.unwrap(), token);
        }
        tokio::time::sleep(Duration::from_millis(60_500)).await;
        assert_eq!(
            tries(),
            8,
            "round {round}: at once, and after 1, 3, 7, 15, 30, 45 and 60 s"
        );
        login.store.set(|faults| &faults.no_save, false);
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert!(source.persist_error().is_none(), "round {round}");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(tries(), 9, "round {round}: nothing is left to do");
        tokio::time::resume();
        source.reject(&token);
    }
    login.assert_alive().await;
}

#[tokio::test]
async fn while_a_rotation_is_unsaved_nobody_uses_up_the_old_token() {
    let login = Login::new().await;
    login.store.set(|faults| &faults.no_save, true);
    let ours = login.source();
    ours.token().await.unwrap();
    let sibling = login.source();
    let waiting = tokio::spawn(async move { sibling.token().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished() && login.server.token_requests() == 1);
    login.store.set(|faults| &faults.no_save, false);
    ours.persist().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), ours.token().await.unwrap());
    assert_eq!(login.server.token_requests(), 1);
    login.assert_alive().await;
}

#[tokio::test]
async fn an_unsaved_answer_that_rotates_nothing_keeps_nobody_from_refreshing() {
    for refresh_token in [None, Some("the same")] {
        let login = Login::new().await;
        login
            .edit(|credential| credential.with_refresh_token(RefreshToken::new("the same")))
            .await;
        login.store.set(|faults| &faults.no_save, true);
        let mut answer = json!({"access_token": "t", "expires_in": 3600});
        if let Some(token) = refresh_token {
            answer["refresh_token"] = token.into();
        }
        login.server.push(Answer::json(200, &answer));
        login.server.push(Answer::json(200, &answer));
        let ours = login.source();
        ours.token().await.unwrap();
        assert!(ours.persist_error().is_some());
        let sibling = login.source();
        let token = tokio::time::timeout(Duration::from_secs(10), sibling.token()).await;
        assert!(
            token.is_ok_and(|token| token.is_ok()),
            "{refresh_token:?}: the lock is kept"
        );
        assert_eq!(login.server.token_requests(), 2);
    }
}

#[tokio::test]
async fn what_was_saved_or_deleted_since_is_not_overwritten_by_a_late_save() {
    for log_out in [false, true] {
        let login = Login::new().await;
        login.store.set(|faults| &faults.no_save, true);
        let source = login.source();
        source.token().await.unwrap();
        if log_out {
            login.store.inner.delete(&key()).await.unwrap();
        } else {
            login.log_in(old_token(1000)).await;
        }
        let now = login.store.inner.load(&key()).await.unwrap();
        match source.token().await {
            Ok(token) => assert!(!log_out && token.expose_secret() == "stored", "not the newest"),
            Err(error) => assert!(log_out, "{error}"),
        }
        login.store.set(|faults| &faults.no_save, false);
        source.persist().await.unwrap();
        assert_eq!(login.store.inner.load(&key()).await.unwrap(), now);
        assert_eq!(source.token().await.is_err(), log_out);
    }
}

/// R05: 1,000 rounds, the answer and the save each take a while, the caller leaves at some point.
#[tokio::test]
async fn callers_that_leave_at_any_moment_lose_no_rotation() {
    let login = Login::new().await;
    login.server.set_delay(Duration::from_millis(2));
    login.store.faults.save_ms.store(1, Ordering::SeqCst);
    for round in 0..1000_u64 {
        login
            .edit(|credential| credential.with_access_token(old_token(-1)))
            .await;
        let source = login.source();
        let patience = Duration::from_micros(round * 7919 % 6000);
        _ = tokio::time::timeout(patience, source.token()).await;
        // The next one finds a login that works, whatever the last one left behind.
        let token = source.token().await.unwrap();
        assert!(login.server.is_active(token.expose_secret()), "round {round}");
    }
    login.assert_alive().await;
    let refused = |request: &&gatepass_testkit::RecordedRequest| request.path == "/token";
    assert!(login.server.requests().iter().filter(refused).count() >= 1000);
}

/// R03: whoever repeats a rotation that is under way ends the login.
#[tokio::test(start_paused = true)]
async fn a_slow_server_is_not_asked_again_with_a_token_that_it_may_have_taken() {
    let login = Login::new().await;
    login.server.set_delay(Duration::from_secs(25));
    let endpoint = login.endpoint().with_retry(gatepass_http::RetryPolicy::tokens());
    let source = gatepass_oauth2::RefreshTokenSource::new(endpoint, login.store.clone(), key());
    source.token().await.unwrap();
    assert_eq!(login.server.token_requests(), 1);
    login.assert_alive().await;
}
