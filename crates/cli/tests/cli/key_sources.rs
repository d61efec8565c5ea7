//! G6: the key of the encrypted file, from where `GATEPASS_KEY` says.

use crate::support::{By, World, golden_in};

const LOGIN: [&str; 4] = ["auth", "login", "--provider", "google"];
const STATUS: [&str; 5] = ["auth", "status", "--provider", "google", "--json"];
const TOKEN: [&str; 3] = ["token", "--provider", "google"];
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

async fn logged_in(key: &str, secret: &str) -> World {
    let mut world = World::new().await;
    world.give_client_secrets();
    world.set("GATEPASS_KEY", key);
    world.set("MY_SECRET", secret);
    let outcome = world.log_in(&LOGIN, By::Browser).await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(world.conf("credentials.json.enc").exists());
    assert!(!world.conf(".key").exists(), "the key lies on the disk");
    world
}

#[tokio::test]
async fn the_key_comes_from_a_variable_a_command_or_a_passphrase() {
    for (key, kind) in [
        ("env:MY_SECRET", "given"),
        ("command:printf '%s\n' \"$MY_SECRET\"", "given"),
        ("passphrase-env:MY_SECRET", "passphrase"),
        ("passphrase-command:echo \"$MY_SECRET\"", "passphrase"),
    ] {
        let world = logged_in(key, KEY).await;
        let status = world.run(&STATUS).await;
        assert_eq!(
            (status.code, &status.json()["key"]["kind"]),
            (Some(0), &kind.into()),
            "{key}"
        );
        assert_eq!(world.run(&TOKEN).await.code, Some(0), "{key}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_where_it_should_be_is_told_and_nothing_is_lost() {
    let mut world = logged_in("env:MY_SECRET", KEY).await;
    let stored = std::fs::read(world.conf("credentials.json.enc")).unwrap();
    for (name, key) in [
        ("key_sources/no_variable", "env:ANOTHER_SECRET"),
        ("key_sources/failing_command", "command:exit 3"),
        ("key_sources/silent_command", "command:true"),
        ("key_sources/endless_command", "command:yes"),
        ("key_sources/other_passphrase", "passphrase-command:echo other"),
    ] {
        world.set("GATEPASS_KEY", key);
        golden_in(&world, name, 3, &STATUS).await;
    }
    world.set("GATEPASS_KEY", "somewhere");
    golden_in(&world, "key_sources/nowhere", 2, &STATUS).await;
    assert_eq!(std::fs::read(world.conf("credentials.json.enc")).unwrap(), stored);
}
