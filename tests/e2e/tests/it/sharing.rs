//! What is shared in a process, and what isn't.

use crate::support::{Gateway, Setup, Verdict, say};
use gatepass::{Llm, TokenSource, call_llm, token_source};
use serde_json::json;
use std::collections::HashSet;
use std::time::Instant;
use tokio::task::JoinSet;

#[tokio::test]
async fn two_hundred_callers_make_one_token_request() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let source = token_source("corp", Some(&world.corp())).unwrap();
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let source = source.clone();
        callers.spawn(async move { source.token().await.unwrap() });
    }
    let tokens = callers.join_all().await;
    let elapsed = started.elapsed();
    assert_eq!(tokens.len(), 200);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.authorization.token_requests().await, 1);
    say(format!("200 callers: 1 token request, {elapsed:.1?} in all"));
}

#[tokio::test]
async fn two_llms_and_call_llm_share_the_token_of_their_provider() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let config = world.llm_config("corp", &world.corp()).with_max_tokens(4);
    let first = Llm::with_config(&config).await.unwrap();
    let second = Llm::with_config(&config.clone().with_temperature(0.5))
        .await
        .unwrap();
    first.ask("Say hi").await.unwrap();
    second.ask("Say hi").await.unwrap();
    call_llm("Say hi", &config).await.unwrap();
    assert_eq!(world.gateway.admitted(), 3);
    assert_eq!(
        (world.gateway.tokens(), world.authorization.token_requests().await),
        (1, 1)
    );
}

#[tokio::test]
async fn two_providers_of_one_file_are_used_side_by_side() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let other = Gateway::start(world.authorization.metadata.clone(), &world.model_url()).await;
    let config = world.config([
        ("corp", world.entry("service", json!({}))),
        (
            "other",
            world.entry(
                "service-post",
                json!({"base_url": other.base_url(), "auth_style": "post"}),
            ),
        ),
    ]);
    let [corp, partner] = ["corp", "other"].map(|name| world.llm_config(name, &config).with_max_tokens(4));
    let (corp, partner) = (
        Llm::with_config(&corp).await.unwrap(),
        Llm::with_config(&partner).await.unwrap(),
    );
    for _ in 0..2 {
        let (one, two) = tokio::join!(corp.ask("Say hi"), partner.ask("Say hi"));
        assert_eq!(one.unwrap(), two.unwrap(), "one model stands behind both");
    }
    for (gateway, client) in [(&world.gateway, "service"), (&other, "service-post")] {
        let verdicts: HashSet<_> = gateway.visits().into_iter().map(|visit| visit.verdict).collect();
        assert_eq!(
            verdicts,
            HashSet::from([Verdict::Admitted(client.to_owned())]),
            "its own client's token alone"
        );
        assert_eq!((gateway.admitted(), gateway.tokens()), (2, 1));
    }
    assert_eq!(world.authorization.token_requests().await, 2);
}
