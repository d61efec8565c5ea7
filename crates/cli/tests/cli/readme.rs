//! What the README says is so.

use crate::support::{By, World};
use gatepass_testkit::ScriptedReply;
use serde_json::{Value, json};

const README: &str = include_str!("../../README.md");

/// The members that the README's table names for this command.
fn members(command: &str) -> Vec<&'static str> {
    let row = README
        .lines()
        .find(|line| line.starts_with(&format!("| `{command}`")))
        .unwrap();
    let (_, members) = row.strip_prefix("| ").unwrap().split_once(" | ").unwrap();
    let mut names: Vec<_> = members.split('`').skip(1).step_by(2).collect();
    names.sort_unstable();
    names
}

/// The members of an object, and of the objects in the list `inner` of it.
fn keys(object: &Value, inner: Option<&str>) -> Vec<String> {
    let mut keys: Vec<_> = object.as_object().unwrap().keys().cloned().collect();
    keys.extend(inner.into_iter().flat_map(|list| keys_of(&object[list][0])));
    keys.sort_unstable();
    keys
}

fn keys_of(object: &Value) -> Vec<String> {
    keys(object, None)
}

#[tokio::test]
async fn its_table_names_each_member_of_json() {
    let mut world = World::new().await;
    world.model.reply(ScriptedReply::tool_call("weather", "{}"));
    let chat = world.run(&["chat", "-m", "corp/m", "--json", "Hi"]).await.json();
    assert_eq!(keys(&chat, Some("tool_calls")), members("chat --json"));
    let models = world
        .run(&["models", "--provider", "corp", "--json"])
        .await
        .json();
    let of_models = members("models --json");
    for member in keys(&models, Some("models")) {
        assert!(of_models.contains(&&*member), "{member}");
    }
    let doctor = world.run(&["doctor", "--offline", "--json"]).await.json();
    let mut ours = keys(&doctor, Some("checks"));
    let states = ["ok", "warning", "error", "skipped"];
    ours.extend(states.map(str::to_owned));
    let mut documented = members("doctor --json");
    ours.sort_unstable();
    documented.sort_unstable();
    assert_eq!(ours, documented);
    let token = world.run(&["token", "--provider", "corp", "--json"]).await.json();
    assert_eq!(keys_of(&token), members("token --json"));
    world.give_client_secrets();
    let login = ["auth", "login", "--json"];
    let login = world.log_in(&login, By::Browser).await.json();
    assert_eq!(keys_of(&login), members("auth login --json"));
    let status = world.run(&["auth", "status", "--json"]).await.json();
    let of_key = members("auth status --json");
    assert!(
        keys(&status, None)
            .iter()
            .all(|member| of_key.contains(&member.as_str()))
    );
    let list = world.run(&["auth", "list", "--json"]).await.json();
    assert!(
        keys(&list, None)
            .iter()
            .all(|member| README.contains(&format!("`{member}`")))
    );
    let logout = world.run(&["auth", "logout", "--json"]).await.json();
    let mut ours = keys_of(&logout);
    ours.sort_unstable();
    assert_eq!(ours, members("auth logout --json"));
    world.configure(|entry| entry["scopee"] = json!("a"));
    let check = world.run(&["config", "check", "--json"]).await.json();
    assert_eq!(keys(&check, Some("problems")), members("config check --json"));
}

#[tokio::test]
async fn its_error_has_the_members_of_a_real_one() {
    let world = World::new().await;
    let failed = world.run(&["token", "--provider", "crop", "--json"]).await;
    let example = README
        .lines()
        .find(|line| line.starts_with(r#"{"error""#))
        .unwrap();
    let error = |text: &str| keys_of(&serde_json::from_str::<Value>(text).unwrap()["error"]);
    assert_eq!(error(&failed.stderr), error(example));
}

#[tokio::test]
async fn its_example_of_a_check_is_what_a_check_says() {
    let world = World::new().await;
    world.configure_all(&json!({ "corp": world.entry(), "other": world.entry() }));
    let said = world.run(&["config", "check"]).await.stdout;
    assert!(
        README.contains(&format!("$ gatepass config check\n{said}")),
        "{said}"
    );
}
