//! B10: `gatepass doctor`.

use crate::support::{By, World, golden, golden_in};
use gatepass_testkit::Answer;
use serde_json::json;

const DOCTOR: [&str; 1] = ["doctor"];
const JSON: [&str; 2] = ["doctor", "--json"];
const OFFLINE: [&str; 2] = ["doctor", "--offline"];
const LOGIN: [&str; 4] = ["auth", "login", "--provider", "google"];

/// A configured provider, and a login at Google.
async fn healthy() -> World {
    let mut world = World::new().await;
    world.configure(|_| {});
    world.give_client_secrets();
    let outcome = world.log_in(&LOGIN, By::Browser).await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    world
}

fn set_mode(world: &World, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(world.conf(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// S11
#[tokio::test]
async fn where_all_is_well_each_check_says_what_it_saw() {
    let world = healthy().await;
    let asked = world.authorization.token_requests();
    golden_in(&world, "doctor/healthy", 0, &DOCTOR).await;
    let outcome = golden_in(&world, "doctor/healthy_json", 0, &JSON).await;
    assert_eq!(outcome.json()["healthy"], true);
    let requests = world.authorization.requests();
    let probes: Vec<_> = requests
        .iter()
        .filter(|request| request.path.ends_with("/token") && request.body.is_empty())
        .collect();
    assert_eq!(probes.len(), 4);
    assert!(probes.iter().all(|probe| probe.header("authorization").is_none()));
    assert_eq!(
        world.authorization.token_requests() - asked,
        4,
        "two servers, asked twice, without a credential"
    );
}

#[tokio::test]
async fn where_there_is_nothing_nothing_is_wrong() {
    golden("doctor/nothing", 0, &DOCTOR, |world| {
        world.remove("litellm_config.json")
    })
    .await;
    golden("doctor/nothing_json", 0, &JSON, |world| {
        world.remove("litellm_config.json")
    })
    .await;
}

#[tokio::test]
async fn offline_no_server_is_asked() {
    let world = healthy().await;
    let asked = world.authorization.requests().len();
    golden_in(&world, "doctor/offline", 0, &OFFLINE).await;
    assert_eq!(world.authorization.requests().len(), asked);
}

#[tokio::test]
async fn what_others_may_read_is_doubtful_and_says_how_to_mend_it() {
    let world = healthy().await;
    set_mode(&world, "client_secrets.json", 0o644);
    set_mode(&world, "", 0o755);
    golden_in(&world, "doctor/readable_by_others", 0, &OFFLINE).await;
}

/// A `chmod` would change what the link leads to.
#[tokio::test]
async fn nobody_is_told_to_change_what_a_link_in_the_store_leads_to() {
    let world = healthy().await;
    std::fs::rename(world.conf(".key"), world.path("moved")).unwrap();
    std::os::unix::fs::symlink(world.path("moved"), world.conf(".key")).unwrap();
    golden_in(&world, "doctor/linked_key", 3, &OFFLINE).await;
}

#[tokio::test]
async fn a_broken_store_is_found_before_a_call_finds_it() {
    let world = healthy().await;
    std::fs::write(world.conf("credentials.json.enc"), "damaged").unwrap();
    golden_in(&world, "doctor/broken_store", 3, &OFFLINE).await;
    assert_eq!(
        std::fs::read(world.conf("credentials.json.enc")).unwrap(),
        b"damaged",
        "nothing was changed"
    );
}

#[tokio::test]
async fn a_broken_configuration_has_its_exit_code() {
    golden("doctor/broken_configuration", 2, &OFFLINE, |world| {
        world.configure_all(&json!({ "corp": { "client_id": 7 } }))
    })
    .await;
    golden("doctor/broken_client_secrets", 2, &OFFLINE, |world| {
        world.write_conf("client_secrets.json", "{ \"installed\": ")
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_down_is_named() {
    golden("doctor/server_down", 4, &DOCTOR, |world| {
        world.configure(|entry| entry["token_url"] = json!("http://127.0.0.1:1/token"))
    })
    .await;
}

/// That somebody answers doesn't mean that a token can be had there.
#[tokio::test]
async fn an_address_that_is_no_token_endpoint_is_doubtful() {
    let world = World::new().await;
    let base = world.authorization.token_url().replace("/token", "/tokn");
    world.configure(|entry| entry["token_url"] = json!(base));
    golden_in(&world, "doctor/no_token_endpoint", 0, &DOCTOR).await;
    golden_in(
        &world,
        "token_failures/no_token_endpoint",
        1,
        &["token", "--provider", "corp"],
    )
    .await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told() {
    let world = World::new().await;
    world.configure(|_| {});
    let answer = Answer::new(400).with_header("date", "Tue, 01 Nov 2016 08:49:37 GMT");
    world.authorization.always(answer);
    golden_in(&world, "doctor/clock", 0, &DOCTOR).await;
}
