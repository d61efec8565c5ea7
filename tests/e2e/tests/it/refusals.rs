//! Servers that say no: in their own words, with the right exit code, and without a secret.

use crate::support::{Ran, Setup, Verdict, World, chat, say, token};
use gatepass::{ChatRequest, ErrorKind, ExposeSecret, Llm, Message, TokenSource, token_source};
use serde_json::{Value, json};
use std::path::Path;
use tokio::task::JoinSet;

/// Asks for a token with this entry, at TRACE, so that the logs are read for secrets as well.
async fn refused_token(world: &World, entry: Value) -> Ran {
    let config = world.config([("corp", entry)]);
    let ran = world
        .gatepass_with(&[("RUST_LOG", "trace")], token("corp", &config))
        .await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    ran
}

#[tokio::test]
async fn the_authorization_servers_refusal_is_told_in_its_own_words() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    for (fields, error, description, status) in [
        (
            json!({"client_secret": "a-wrong-secret"}),
            "invalid_client",
            "client authentication failed",
            401,
        ),
        (
            json!({"client_id": "nobody"}),
            "invalid_client",
            "client authentication failed",
            401,
        ),
        (
            json!({"scope": "llm.admin"}),
            "invalid_scope",
            "requested scope is not allowed",
            400,
        ),
        (
            json!({"resource": "https://other.example/"}),
            "invalid_target",
            "resource indicator",
            400,
        ),
    ] {
        let before = world.authorization.token_requests().await;
        let ran = refused_token(&world, world.entry("service", fields.clone())).await;
        for word in [error, description, &format!("status {status}"), "help:"] {
            assert!(
                ran.stderr.contains(word),
                "no {word:?} for {fields}: {}",
                ran.stderr
            );
        }
        let asked = world.authorization.token_requests().await - before;
        // Both ways of authentication are tried before a client is called unknown; nothing is retried.
        assert_eq!(asked, if error == "invalid_client" { 2 } else { 1 }, "{fields}");
        say(format!(
            "{error}: exit {} after {:.1?}, {asked} token requests",
            ran.code, ran.elapsed
        ));
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_refused_by_the_gateway_and_not_replaced() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let config = world.config([("corp", world.entry("service", json!({"scope": "llm.write"})))]);
    let error = llm(&world, &config).await.ask("Say hi").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
    assert_eq!(error.request_id(), Some("gateway-1"));
    let ran = world.gatepass(chat(&config, "Hello")).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("insufficient_scope"), "{ran:?}");
    let verdicts: Vec<_> = world
        .gateway
        .visits()
        .into_iter()
        .map(|visit| visit.verdict)
        .collect();
    assert_eq!(
        verdicts,
        [Verdict::InsufficientScope, Verdict::InsufficientScope],
        "one request each"
    );
    assert_eq!(
        world.authorization.token_requests().await,
        2,
        "one for the library, one for the program"
    );
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once_and_the_call_replayed_whole_or_streamed() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let config = world.corp();
    let llm = llm(&world, &config).await;
    let answer = llm.ask("Say hi").await.unwrap();
    revoke(&world, &config).await;
    assert_eq!(llm.ask("Say hi").await.unwrap(), answer);
    assert_eq!(
        (
            world.gateway.refused(),
            world.authorization.token_requests().await
        ),
        (1, 2)
    );

    revoke(&world, &config).await;
    let events = llm
        .chat_stream(ChatRequest::new([Message::user("Say hi")]))
        .await
        .unwrap();
    assert_eq!(events.collect().await.unwrap().text(), answer);
    assert_eq!(
        (
            world.gateway.refused(),
            world.authorization.token_requests().await
        ),
        (2, 3)
    );
    assert_eq!((world.gateway.admitted(), world.gateway.tokens()), (3, 3));
    say("a revoked token, twice: 1 refusal, 1 token request and 1 replay each time");
}

#[tokio::test]
async fn callers_who_meet_a_revoked_token_together_share_its_replacement() {
    const CALLERS: usize = 8;
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let config = world.corp();
    let llm = llm(&world, &config).await;
    let answer = llm.ask("Say hi").await.unwrap();
    revoke(&world, &config).await;
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let llm = llm.clone();
        callers.spawn(async move { llm.ask("Say hi").await.unwrap() });
    }
    assert_eq!(callers.join_all().await, vec![answer; CALLERS]);
    assert_eq!(world.gateway.admitted(), 1 + CALLERS);
    assert!(
        (1..=CALLERS).contains(&world.gateway.refused()),
        "one replay for each at most"
    );
    assert_eq!(
        (world.gateway.tokens(), world.authorization.token_requests().await),
        (2, 2)
    );
    say(format!(
        "{CALLERS} callers, {} of them refused: 1 token request",
        world.gateway.refused()
    ));
}

#[tokio::test]
async fn a_gateway_that_refuses_every_token_is_asked_twice_and_no_more() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    world.gateway.refuse_everything();
    let config = world.corp();
    let error = llm(&world, &config).await.ask("Say hi").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error:?}");
    assert!(error.to_string().contains("invalid_token"), "{error}");
    assert_eq!(world.gateway.visits().len(), 2);

    let ran = world
        .gatepass_with(&[("RUST_LOG", "trace")], chat(&config, "Hello"))
        .await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.stderr.contains("invalid_token") && ran.stderr.contains("help:"),
        "{ran:?}"
    );
    assert_eq!(world.gateway.visits().len(), 4, "two more");
    assert_eq!(
        (world.gateway.tokens(), world.authorization.token_requests().await),
        (4, 4)
    );
    say(format!(
        "refused for good: exit 1 after {:.1?}, 2 requests and 2 tokens a call",
        ran.elapsed
    ));
}

async fn llm(world: &World, config: &Path) -> Llm {
    Llm::with_config(&world.llm_config("corp", config).with_max_tokens(4))
        .await
        .unwrap()
}

/// Revokes the token that the calls of this configuration use, as its gateway has seen.
async fn revoke(world: &World, config: &Path) {
    let token = token_source("corp", Some(config)).unwrap().token().await.unwrap();
    assert!(
        world.gateway.has_seen(token.expose_secret()),
        "the calls share this source"
    );
    world.authorization.revoke(token.expose_secret()).await;
}
