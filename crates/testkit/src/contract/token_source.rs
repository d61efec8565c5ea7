use super::within;
use gatepass_core::{AccessToken, ExposeSecret, TokenSource};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::task::JoinSet;

/// What every [`TokenSource`] promises. `make` makes a fresh one that can hand out tokens.
///
/// # Panics
/// With a sentence that says what doesn't hold.
pub async fn token_source<S>(make: impl Fn() -> S + Send + Sync)
where
    S: TokenSource + 'static,
{
    tokens_are_usable(&make()).await;
    tokens_keep_their_secret(&make()).await;
    many_may_ask_at_once(Arc::new(make())).await;
    the_token_in_hand_is_the_last_one(&make()).await;
    looking_again_changes_nothing(&make()).await;
    rejecting_a_foreign_token_takes_nothing_away(&make()).await;
    rejecting_before_asking_does_no_harm(&make()).await;
    after_a_rejection_there_is_a_token_again(&make()).await;
    a_late_rejection_takes_nothing_away(&make()).await;
    many_may_reject_at_once(Arc::new(make())).await;
    a_future_may_be_dropped_before_it_ends(Arc::new(make())).await;
    it_works_behind_a_dyn_reference(Arc::new(make())).await;
}

async fn tokens_are_usable(source: &impl TokenSource) {
    assert_usable(&ask(source).await);
    assert_usable(&ask(source).await);
}

async fn tokens_keep_their_secret(source: &impl TokenSource) {
    let token = ask(source).await;
    let secret = token.expose_secret();
    let mut shown = format!("{token:?} {:?}", token.header());
    if let Some(current) = source.current() {
        shown += &format!("{current:?}");
    }
    assert!(!shown.contains(secret), "Debug must not show the token");
}

async fn many_may_ask_at_once<S: TokenSource + 'static>(source: Arc<S>) {
    let mut callers = JoinSet::new();
    for _ in 0..64 {
        let source = Arc::clone(&source);
        callers.spawn(async move { ask(&*source).await });
    }
    for token in within("asking from many tasks", callers.join_all()).await {
        assert_usable(&token);
    }
}

async fn the_token_in_hand_is_the_last_one(source: &impl TokenSource) {
    let token = ask(source).await;
    if let Some(current) = source.current() {
        assert!(
            *current == token,
            "current() must agree with the token() before it"
        );
    }
}

async fn looking_again_changes_nothing(source: &impl TokenSource) {
    ask(source).await;
    let first = in_hand(source);
    assert!(
        in_hand(source) == first,
        "current() must tell the same token when nothing has happened"
    );
}

async fn rejecting_a_foreign_token_takes_nothing_away(source: &impl TokenSource) {
    ask(source).await;
    let before = in_hand(source);
    if let Ok(foreign) = AccessToken::bearer("a-token-of-somebody-else") {
        source.reject(&foreign);
    }
    assert!(
        in_hand(source) == before,
        "reject() of a token that the source never handed out must take nothing away"
    );
}

async fn rejecting_before_asking_does_no_harm(source: &impl TokenSource) {
    if let Ok(foreign) = AccessToken::bearer("a-token-of-somebody-else") {
        source.reject(&foreign);
    }
    assert_usable(&ask(source).await);
}

async fn after_a_rejection_there_is_a_token_again(source: &impl TokenSource) {
    for _ in 0..3 {
        let token = ask(source).await;
        source.reject(&token);
        assert_usable(&ask(source).await);
    }
}

async fn a_late_rejection_takes_nothing_away(source: &impl TokenSource) {
    let old = ask(source).await;
    source.reject(&old);
    let newer = ask(source).await;
    let before = in_hand(source);
    if newer != old {
        source.reject(&old);
    }
    assert!(
        in_hand(source) == before,
        "reject() of an old token must not take away a newer one"
    );
}

async fn many_may_reject_at_once<S: TokenSource + 'static>(source: Arc<S>) {
    let token = ask(&*source).await;
    let mut callers = JoinSet::new();
    for _ in 0..64 {
        let (source, token) = (Arc::clone(&source), token.clone());
        callers.spawn(async move {
            source.reject(&token);
            ask(&*source).await
        });
    }
    for token in within("asking after a rejection, from many tasks", callers.join_all()).await {
        assert_usable(&token);
    }
}

async fn a_future_may_be_dropped_before_it_ends<S: TokenSource + 'static>(source: Arc<S>) {
    for _ in 0..3 {
        let dropped = pin!(source.token());
        _ = dropped.poll(&mut Context::from_waker(Waker::noop()));
    }
    for pause in 0..5 {
        let caller = tokio::spawn({
            let source = Arc::clone(&source);
            async move { source.token().await.is_ok() }
        });
        tokio::time::sleep(Duration::from_millis(pause)).await;
        caller.abort();
    }
    assert_usable(&ask(&*source).await);
}

async fn it_works_behind_a_dyn_reference(source: Arc<dyn TokenSource>) {
    let boxed: Box<dyn TokenSource> = Box::new(source);
    assert_usable(&ask(&*boxed).await);
}

async fn ask(source: &(impl TokenSource + ?Sized)) -> AccessToken {
    match within("token()", source.token()).await {
        Ok(token) => token,
        Err(error) => panic!("token() must hand out a token; it failed: {error}"),
    }
}

fn in_hand(source: &impl TokenSource) -> Option<AccessToken> {
    source.current().map(|token| token.clone())
}

fn assert_usable(token: &AccessToken) {
    assert!(!token.expose_secret().is_empty(), "a token must not be empty");
    assert!(
        token.header().is_sensitive(),
        "a token's header must be marked sensitive"
    );
}
