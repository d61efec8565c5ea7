//! Tokens, from a configuration file alone.

use crate::support::{Setup, World, say, token};
use gatepass::{AccessToken, ExposeSecret, TokenSource, token_source};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The registered clients, and how many requests the first token of each takes: who must post its secret is
/// found out by a refusal.
const CLIENTS: [(&str, usize); 3] = [("service", 1), ("service-post", 2), ("odd:%+&= id", 1)];

/// The token source of a provider, as a library's user gets it.
fn source(world: &World, client: &str, fields: Value) -> Arc<dyn TokenSource> {
    let config = world.config([("corp", world.entry(client, fields))]);
    token_source("corp", Some(&config)).unwrap()
}

async fn assert_active(world: &World, token: &str, client: &str) {
    let said = world.authorization.introspect(token).await;
    assert_eq!(said["active"], true, "{said}");
    assert_eq!(said["client_id"], client);
    assert_eq!(said["aud"], world.authorization.metadata.resource.as_str());
    assert_eq!(said["scope"], "llm.read");
}

#[tokio::test]
async fn every_client_gets_a_token_that_its_server_calls_active() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    for (client, requests) in CLIENTS {
        let before = world.authorization.token_requests().await;
        let source = source(&world, client, json!({}));
        let started = Instant::now();
        let token = source.token().await.unwrap();
        let elapsed = started.elapsed();
        assert_active(&world, token.expose_secret(), client).await;
        assert_eq!(token.lifetime(), Some(Duration::from_secs(3600)));
        assert_eq!(token.scopes().unwrap().to_string(), "llm.read");
        let asked = world.authorization.token_requests().await - before;
        assert_eq!(asked, requests, "{client}");
        say(format!("{client}: {asked} token requests, {elapsed:.1?}"));
    }
}

#[tokio::test]
async fn the_way_of_authentication_that_worked_is_remembered() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let source = source(&world, "service-post", json!({}));
    let first = source.token().await.unwrap();
    source.reject(&first);
    let second = source.token().await.unwrap();
    assert_ne!(first, second);
    assert_active(&world, second.expose_secret(), "service-post").await;
    let answers = world.authorization.token_answers().await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [401, 200, 200], "{answers:?}");
}

#[tokio::test]
async fn an_issuer_and_a_resource_are_configuration_enough() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let metadata = &world.authorization.metadata;
    let fields = json!({"token_url": null, "issuer": metadata.issuer, "resource": metadata.resource});
    let found = source(&world, "service", fields).token().await.unwrap();
    assert_active(&world, found.expose_secret(), "service").await;

    // RFC 8414 section 3.3: metadata of another issuer is not used, and here it only has another name.
    let by_name = metadata.issuer.replace("127.0.0.1", "localhost");
    let entry = world.entry("service", json!({"token_url": null, "issuer": by_name}));
    let config = world.config([("corp", entry)]);
    let ran = world.gatepass(token("corp", &config)).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    for word in [
        "issuer is not the one",
        "provider 'corp'",
        "litellm_config.json",
        "help:",
    ] {
        assert!(ran.stderr.contains(word), "no {word:?}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_of_no_use_gives_way_to_the_clients_own_credentials() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let source = source(
        &world,
        "service",
        json!({"refresh_token": "long-gone", "auth_style": "basic"}),
    );
    let token = source.token().await.unwrap();
    assert_active(&world, token.expose_secret(), "service").await;
    source.reject(&token);
    source.token().await.unwrap();
    let answers = world.authorization.token_answers().await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses,
        [400, 200, 200],
        "asked with it once, and never again: {answers:?}"
    );
}

#[tokio::test]
async fn the_command_line_prints_an_active_token_and_nothing_else() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    for (client, _) in CLIENTS {
        // The secret itself is where it belongs: in the environment.
        let entry = world.entry(client, json!({"client_secret": "os.environ/CORP_SECRET"}));
        let config = world.config([("corp", entry)]);
        let variables = [("CORP_SECRET", world.authorization.secret_of(client))];
        let ran = world
            .gatepass_with(&variables, token("corp", &config))
            .await
            .succeeded();
        let printed = ran.stdout.strip_suffix('\n').unwrap();
        AccessToken::bearer(printed).expect("a token alone");
        assert_active(&world, printed, client).await;
        assert_eq!(ran.stderr, "", "{client}");
        say(format!("gatepass token for {client}: {:.1?}", ran.elapsed));
    }
}

#[tokio::test]
async fn the_command_line_describes_a_token_as_json() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let config = world.corp();
    let ran = world
        .gatepass([&token("corp", &config)[..], &["--json".as_ref()]].concat())
        .await
        .succeeded();
    let described = ran.json();
    let printed = described["access_token"].as_str().unwrap();
    assert_active(&world, printed, "service").await;
    assert_eq!(described["token_type"], "Bearer");
    assert_eq!(described["scope"], "llm.read");
    let left = described["expires_in"].as_u64().unwrap();
    assert!((3540..=3600).contains(&left), "{left}");
    let expires_at = described["expires_at"].as_str().unwrap();
    assert!(
        expires_at.ends_with('Z') && expires_at.len() == "2026-01-01T00:00:00Z".len(),
        "{expires_at}"
    );
}
