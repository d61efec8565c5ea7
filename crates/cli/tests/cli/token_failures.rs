//! No token can be had: each way has its exit code, its sentence and its next step.

use crate::support::world::{CLIENT_SECRET, World};
use crate::support::{golden, golden_in};
use gatepass_testkit::Answer;
use serde_json::json;

const TOKEN: [&str; 3] = ["token", "--provider", "corp"];

/// The same failure for a person, for a script, and on the way to a model.
async fn in_all_forms(name: &str, code: i32, prepare: impl Fn(&mut World) + Send + Sync) {
    golden(&format!("token_failures/{name}"), code, &TOKEN, &prepare).await;
    let json = ["token", "--provider", "corp", "--json"];
    golden(&format!("token_failures/{name}_json"), code, &json, &prepare).await;
    let chat = ["chat", "-m", "corp/test-model", "Where?"];
    golden(&format!("token_failures/{name}_chat"), code, &chat, &prepare).await;
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    in_all_forms("wrong_secret", 1, |world| {
        world.authorization.add_client("client", "another")
    })
    .await;
}

#[tokio::test]
async fn a_scope_that_is_not_granted_is_refused() {
    golden("token_failures/wrong_scope", 1, &TOKEN, |world| {
        world.authorization.set_scopes(["llm.write"])
    })
    .await;
}

#[tokio::test]
async fn an_unknown_provider_is_answered_with_the_nearest_name() {
    golden(
        "token_failures/unknown_provider",
        2,
        &["token", "--provider", "crop"],
        |_| {},
    )
    .await;
    let named = [
        "token",
        "--provider",
        "crop",
        "--config",
        "litellm_config.json",
        "--json",
    ];
    golden(
        "token_failures/unknown_provider_chat",
        2,
        &["chat", "-m", "crop/m", "Hi"],
        |_| {},
    )
    .await;
    golden("token_failures/unknown_provider_json", 2, &named, |_| {}).await;
    golden("token_failures/no_provider_at_all", 2, &TOKEN, |world| {
        world.remove("litellm_config.json")
    })
    .await;
}

#[tokio::test]
async fn a_variable_that_is_not_set_is_named() {
    let refers = |world: &mut World| {
        world.configure(|entry| entry["client_secret"] = json!("os.environ/CORP_SECRET"));
    };
    in_all_forms("missing_variable", 2, refers).await;
    golden("token_failures/empty_variable", 2, &TOKEN, |world| {
        refers(world);
        world.set("CORP_SECRET", "\n");
    })
    .await;
}

#[tokio::test]
async fn a_broken_file_has_a_line_and_a_column() {
    let broken =
        format!("{{\n  \"oauth2_providers\": {{\n    \"corp\": {{ \"client_secret\": {CLIENT_SECRET} }}\n}}");
    in_all_forms("broken_json", 2, |world| {
        world.write("litellm_config.json", &broken)
    })
    .await;
    golden("token_failures/broken_toml", 2, &TOKEN, |world| {
        world.remove("litellm_config.json");
        world.write(
            "gatepass.toml",
            format!("[oauth2_providers.corp]\nclient_secret = {CLIENT_SECRET}\n"),
        );
    })
    .await;
    golden("token_failures/key_twice", 2, &TOKEN, |world| {
        world.write(
            "litellm_config.json",
            r#"{"oauth2_providers": {"corp": {}, "corp": {}}}"#,
        );
    })
    .await;
}

#[tokio::test]
async fn a_byte_order_mark_does_no_harm() {
    golden("token_failures/byte_order_mark_is_none", 0, &TOKEN, |world| {
        let text = std::fs::read_to_string(world.path("litellm_config.json")).unwrap();
        world.write("litellm_config.json", format!("\u{feff}{text}"));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_none_is_told() {
    golden(
        "token_failures/missing_file",
        2,
        &["token", "--provider", "corp", "--config", "team.json"],
        |_| {},
    )
    .await;
    golden(
        "token_failures/directory",
        2,
        &["token", "--provider", "corp", "--config", "."],
        |_| {},
    )
    .await;
}

#[tokio::test]
async fn a_secret_goes_to_no_other_machine_unencrypted() {
    golden("token_failures/plain_http", 2, &TOKEN, |world| {
        world.configure(|entry| entry["token_url"] = json!("http://login.corp.example/token"));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_four_times() {
    let world = World::new().await;
    world.configure(|entry| entry["token_url"] = json!("http://127.0.0.1:1/token"));
    golden_in(&world, "token_failures/server_down", 4, &TOKEN).await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    in_all_forms("hangs", 4, |world| {
        world.configure(|entry| entry["timeout"] = json!(1));
        world.authorization.always(Answer::hang());
    })
    .await;
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    in_all_forms("redirects", 4, |world| {
        let elsewhere = world.model.base_url();
        world.authorization.always(Answer::redirect(307, &elsewhere));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_told_and_not_quoted() {
    in_all_forms("html", 4, |world| {
        let page = format!("<html><body>Log in! {CLIENT_SECRET}</body></html>");
        world
            .authorization
            .always(Answer::text(200, page).with_header("content-type", "text/html"));
    })
    .await;
    golden("token_failures/html_refusal", 1, &TOKEN, |world| {
        let page = format!("<html><body>Forbidden {CLIENT_SECRET}</body></html>");
        world
            .authorization
            .always(Answer::text(403, page).with_header("content-type", "text/html"));
    })
    .await;
    golden("token_failures/no_token", 4, &TOKEN, |world| {
        world
            .authorization
            .always(Answer::json(200, &json!({ "refresh_token": CLIENT_SECRET })));
    })
    .await;
    golden("token_failures/not_utf8", 4, &TOKEN, |world| {
        world
            .authorization
            .always(Answer::new(200).with_body(&b"{\"access_token\": \"\xff\xfe\"}"[..]));
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    golden("token_failures/endless", 4, &TOKEN, |world| {
        world.authorization.always(Answer::endless("x".repeat(4096)))
    })
    .await;
    golden("token_failures/gzip_bomb", 4, &TOKEN, |world| {
        world.authorization.always(Answer::gzip_bomb())
    })
    .await;
}

/// H06
#[tokio::test]
async fn a_servers_words_cannot_drive_the_terminal() {
    golden("token_failures/escape_sequences", 1, &TOKEN, |world| {
        let refusal =
            json!({ "error": "invalid_client", "error_description": "no\u{1b}]0;owned\u{7}\r\nerror: x" });
        world.authorization.always(Answer::json(400, &refusal));
    })
    .await;
}
