//! Servers that die.

use crate::support::{Setup, World, chat, say, token};
use gatepass::{
    BackendError, ChatEvent, ChatRequest, ErrorKind, Llm, Message, Phase, TokenError, TokenSource,
    token_source,
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

/// A question with an answer that takes seconds.
const STORY: &str = "Write a long story about a lighthouse and the sea.";

#[tokio::test]
async fn what_came_of_an_answer_is_kept_when_its_model_dies() {
    let Some(mut world) = Setup::model().start().await else {
        return;
    };
    let llm = Llm::with_config(&world.llm_config("corp", &world.corp()))
        .await
        .unwrap();
    let request = ChatRequest::new([Message::user(STORY)]).with_max_tokens(800);
    let mut events = llm.chat_stream(request).await.unwrap();
    let mut text = String::new();
    while text.len() < 20 {
        if let ChatEvent::Text(more) = events.try_next().await.unwrap().expect("more") {
            text.push_str(&more);
        }
    }
    world.kill_model().await;
    let killed = Instant::now();
    match events.collect().await.unwrap_err() {
        BackendError::Interrupted { partial, source } => {
            let broken = matches!(
                *source,
                BackendError::Network {
                    phase: Phase::Body,
                    ..
                }
            );
            assert!(broken && partial.finish.is_none(), "{source:?} after {partial:?}");
            text.push_str(&partial.text());
        }
        other => panic!("{other:?}"),
    }
    let noticed = killed.elapsed();
    assert!(noticed < Duration::from_secs(5), "{noticed:?}");
    assert_eq!(
        world.gateway.visits().len(),
        1,
        "an answer that began isn't asked for again"
    );
    say(format!(
        "{} characters kept; noticed {noticed:.1?} after the model's death",
        text.len()
    ));
}

#[tokio::test]
async fn the_command_line_prints_what_came_and_tells_that_the_model_died() {
    let Some(mut world) = Setup::model().start().await else {
        return;
    };
    let config = world.corp();
    let arguments = [
        &chat(&config, STORY)[..],
        &["--max-tokens=800".as_ref(), "--temperature=0".as_ref()],
    ]
    .concat();
    let mut child = world.spawn_gatepass(&[], arguments);
    let mut text = vec![0; 20];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut text)
        .await
        .unwrap();
    world.kill_model().await;
    let killed = Instant::now();
    let ran = world.ended(child, killed).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.stderr.contains("the connection broke within the answer"),
        "{ran:?}"
    );
    assert!(ran.elapsed < Duration::from_secs(5), "{ran:?}");

    let after = world.gatepass(chat(&config, STORY)).await;
    assert_eq!((after.code, after.stdout.as_str()), (4, ""), "{after:?}");
    assert!(
        after.stderr.contains("502") && after.stderr.contains("the model is away"),
        "{after:?}"
    );
    assert!(after.elapsed < Duration::from_secs(10), "{after:?}");
    say(format!(
        "exit 4 {:.1?} after the model's death, and {:.1?} for a new call",
        ran.elapsed, after.elapsed
    ));
}

#[tokio::test]
async fn a_token_in_hand_outlives_its_authorization_server() {
    let Some(mut world) = Setup::model().start().await else {
        return;
    };
    let config = world.corp();
    let llm = Llm::with_config(&world.llm_config("corp", &config).with_max_tokens(4))
        .await
        .unwrap();
    let before = llm.ask("Say hi").await.unwrap();
    world.authorization.kill().await;
    assert_eq!(llm.ask("Say hi").await.unwrap(), before);
    assert_eq!((world.gateway.tokens(), world.gateway.refused()), (1, 0));

    // Who has no token waits for the retries (after 1, 2 and 4 s), in the program and in the library.
    let (ran, ()) = tokio::join!(world.gatepass(token("corp", &config)), assert_fails_once(&world));
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{ran:?}");
    assert!(
        ran.stderr.contains("is unavailable") && ran.stderr.contains("help:"),
        "{ran:?}"
    );
    assert!(
        (7.0..20.0).contains(&ran.elapsed.as_secs_f64()),
        "{:?}",
        ran.elapsed
    );
    say(format!(
        "no authorization server: exit {} after {:.1?}",
        ran.code, ran.elapsed
    ));
}

#[tokio::test]
async fn an_authorization_server_that_forgot_its_tokens_costs_one_replay() {
    let Some(mut world) = Setup::model().start().await else {
        return;
    };
    let config = world.llm_config("corp", &world.corp()).with_max_tokens(4);
    let llm = Llm::with_config(&config).await.unwrap();
    let before = llm.ask("Say hi").await.unwrap();
    world.authorization.restart().await;
    let asked = Instant::now();
    assert_eq!(llm.ask("Say hi").await.unwrap(), before);
    assert_eq!((world.gateway.admitted(), world.gateway.refused()), (2, 1));
    assert_eq!(world.authorization.token_requests().await, 1, "since its start");
    say(format!(
        "after its restart: 1 refusal, 1 token request, {:.1?} in all",
        asked.elapsed()
    ));
}

/// A failure is shared, and remembered for a while.
async fn assert_fails_once(world: &World) {
    let config = world.config([("corp", world.entry("service", json!({})))]);
    let source = token_source("corp", Some(&config)).unwrap();
    let first = source.token().await.unwrap_err();
    assert!(matches!(first, TokenError::Unavailable { .. }), "{first:?}");
    let asked = Instant::now();
    assert_eq!(
        BackendError::from(source.token().await.unwrap_err()).kind(),
        ErrorKind::Network
    );
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}
