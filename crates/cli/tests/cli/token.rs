use crate::support::world::REFRESH_TOKEN;
use crate::support::{World, golden, golden_in};
use gatepass_testkit::{Answer, AuthorizationServer};
use serde_json::json;
use std::time::Duration;

const TOKEN: [&str; 3] = ["token", "--provider", "corp"];
const JSON: [&str; 4] = ["token", "--provider", "corp", "--json"];

/// B6
#[tokio::test]
async fn the_token_stands_alone_on_a_line() {
    golden("token/text", 0, &TOKEN, |_| {}).await;
    let world = World::new().await;
    let token = world.run(&TOKEN).await.stdout;
    assert!(world.authorization.is_active(token.strip_suffix('\n').unwrap()));
}

#[tokio::test]
async fn json_tells_its_expiry_and_scope() {
    golden("token/json", 0, &JSON, |_| {}).await;
    let world = World::new().await;
    world.authorization.set_lifetime(Duration::from_secs(600));
    let token = world.run(&JSON).await.json();
    assert!(
        (595..=600).contains(&token["expires_in"].as_u64().unwrap()),
        "{token}"
    );
    let expiry = token["expires_at"].as_str().unwrap();
    assert!(
        expiry.len() == "2026-01-31T12:00:00Z".len() && expiry.ends_with('Z'),
        "{expiry}"
    );
}

#[tokio::test]
async fn what_the_server_does_not_tell_is_null() {
    golden("token/json_bare", 0, &JSON, |world| {
        world.configure(|entry| _ = entry.as_object_mut().unwrap().remove("scope"));
        world
            .authorization
            .push(Answer::json(200, &json!({ "access_token": "at-bare-canary" })));
    })
    .await;
}

#[tokio::test]
async fn each_run_asks_for_a_token_that_is_still_fresh() {
    let world = World::new().await;
    world.authorization.set_lifetime(Duration::from_secs(2));
    let first = world.run(&TOKEN).await.stdout;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert!(!world.authorization.is_active(first.trim()), "it has expired");
    let second = world.run(&TOKEN).await.stdout;
    assert!(
        world.authorization.is_active(second.trim()),
        "and this is another one"
    );
}

#[tokio::test]
async fn a_refresh_token_of_the_entry_is_used_and_never_shown() {
    let world = World::new().await;
    let refresh_token = world
        .authorization
        .issue_refresh_token(AuthorizationServer::CLIENT_ID);
    world.authorization.rotate_refresh_tokens(true);
    world.configure(|entry| entry["refresh_token"] = json!(refresh_token));
    let outcome = world.run(&JSON).await;
    assert!(
        outcome.code == Some(0) && !outcome.stdout.contains(&refresh_token),
        "{outcome:?}"
    );
    assert_eq!(
        world.authorization.requests()[0].form_value("grant_type"),
        Some("refresh_token")
    );
}

#[tokio::test]
async fn a_refused_refresh_token_is_told_and_done_without() {
    golden("token/refused_refresh_token", 0, &TOKEN, |world| {
        world.configure(|entry| entry["refresh_token"] = json!(REFRESH_TOKEN));
    })
    .await;
}

#[tokio::test]
async fn a_file_can_be_named() {
    let args = ["token", "--provider", "other", "--config", "team.toml"];
    golden("token/named_file", 0, &args, |world| {
        world.write("litellm_config.json", "broken");
        world.set("TEAM_SECRET", crate::support::world::CLIENT_SECRET);
        let url = world.authorization.token_url();
        let entry =
            format!("client_id = 'client'\nclient_secret = 'os.environ/TEAM_SECRET'\ntoken_url = '{url}'\n");
        world.write("team.toml", format!("[oauth2_providers.other]\n{entry}"));
    })
    .await;
}

#[tokio::test]
async fn fewer_scopes_than_asked_for_are_told() {
    let world = World::new().await;
    let fewer = json!({ "access_token": "at-fewer-canary", "token_type": "bearer", "scope": "llm.list" });
    world.authorization.push(Answer::json(200, &fewer));
    golden_in(&world, "token/fewer_scopes", 0, &TOKEN).await;
}
