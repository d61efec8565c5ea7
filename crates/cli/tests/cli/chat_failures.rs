//! A model can't be asked, or its answer can't be read.

use crate::support::world::World;
use crate::support::{golden, golden_in};
use gatepass_testkit::Answer;
use serde_json::json;

const CHAT: [&str; 4] = ["chat", "-m", "corp/test-model", "Where?"];
const WHOLE: [&str; 5] = ["chat", "-m", "corp/test-model", "--no-stream", "Where?"];
const JSON: [&str; 5] = ["chat", "-m", "corp/test-model", "--json", "Where?"];

async fn in_all_forms(name: &str, code: i32, prepare: impl Fn(&mut World) + Send + Sync) {
    golden(&format!("chat_failures/{name}"), code, &CHAT, &prepare).await;
    golden(&format!("chat_failures/{name}_whole"), code, &WHOLE, &prepare).await;
    golden(&format!("chat_failures/{name}_json"), code, &JSON, &prepare).await;
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": { "code": code, "message": message } }))
}

/// One event of a stream with this piece of text.
fn piece(text: &str) -> Vec<u8> {
    let chunk = json!({ "id": "chatcmpl-1", "model": "m", "choices": [{ "index": 0, "delta": { "content": text } }] });
    format!("data: {chunk}\n\n").into_bytes()
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_told() {
    in_all_forms("refused_twice", 1, |world| world.model.require_bearer("another")).await;
    let world = World::new().await;
    world.model.require_bearer("another");
    assert_eq!(world.run(&CHAT).await.code, Some(1));
    assert_eq!(
        (world.authorization.token_requests(), world.model.requests().len()),
        (2, 2)
    );
}

#[tokio::test]
async fn a_model_that_is_not_allowed_is_refused() {
    golden("chat_failures/forbidden", 1, &CHAT, |world| {
        world.model.always(error(403, "forbidden", "not yours"))
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_wrong_is_a_usage_error() {
    golden("chat_failures/not_found", 2, &CHAT, |world| {
        world.model.always(error(404, "model_not_found", "no such model"))
    })
    .await;
    golden("chat_failures/too_long", 2, &CHAT, |world| {
        world
            .model
            .always(error(400, "context_length_exceeded", "at most 8192 tokens"));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_cannot_now_is_told_after_the_retries() {
    in_all_forms("server_error", 4, |world| {
        world.model.always(error(500, "server_error", "boom"))
    })
    .await;
    in_all_forms("rate_limit", 4, |world| {
        world.model.always(error(429, "rate_limit_exceeded", "slow down"))
    })
    .await;
    golden("chat_failures/quota", 4, &CHAT, |world| {
        world.model.always(error(429, "insufficient_quota", "pay first"))
    })
    .await;
    golden("chat_failures/overloaded", 4, &CHAT, |world| {
        world.model.always(Answer::new(529))
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_down_is_told() {
    let world = World::new().await;
    world.configure(|entry| entry["base_url"] = json!("http://127.0.0.1:1/v1"));
    golden_in(&world, "chat_failures/server_down", 4, &CHAT).await;
}

#[tokio::test]
async fn what_has_come_of_an_answer_that_breaks_off_stays() {
    let breaks_off = |world: &mut World| {
        world
            .model
            .always(Answer::sse([piece("Paris "), piece("is")]).then_close_abruptly());
    };
    golden("chat_failures/breaks_off", 4, &CHAT, breaks_off).await;
    golden("chat_failures/breaks_off_json", 4, &JSON, breaks_off).await;
}

#[tokio::test]
async fn half_an_event_is_no_event() {
    golden("chat_failures/half_an_event", 4, &CHAT, |world| {
        let half = b"data: {\"choices\": [{\"delta\": {\"cont".to_vec();
        world
            .model
            .always(Answer::sse([piece("Paris "), half]).then_close_abruptly());
    })
    .await;
    golden("chat_failures/ends_too_early", 4, &CHAT, |world| {
        world.model.always(Answer::sse([piece("Paris ")]))
    })
    .await;
}

#[tokio::test]
async fn an_error_within_a_stream_is_an_error() {
    let fails = |world: &mut World| {
        let failure =
            b"data: {\"error\": {\"code\": \"server_error\", \"message\": \"the GPU fell off\"}}\n\n"
                .to_vec();
        world.model.always(Answer::sse([piece("Paris "), failure]));
    };
    golden("chat_failures/error_within_the_stream", 4, &CHAT, fails).await;
    golden("chat_failures/error_within_the_stream_json", 4, &JSON, fails).await;
}

#[tokio::test]
async fn an_answer_that_is_not_utf8_is_told() {
    golden("chat_failures/not_utf8", 4, &CHAT, |world| {
        world.model.always(Answer::sse([
            piece("Paris "),
            b"data: {\"choices\": \"\xff\xfe\"}\n\n".to_vec(),
        ]));
    })
    .await;
}

#[tokio::test]
async fn a_page_of_a_proxy_is_told_and_not_quoted() {
    in_all_forms("html", 4, |world| {
        let page = "<html><title>Welcome to the hotel's network</title></html>";
        world
            .model
            .always(Answer::text(200, page).with_header("content-type", "text/html"));
    })
    .await;
    golden("chat_failures/html_bad_gateway", 4, &CHAT, |world| {
        let page = "<html><title>502 Bad Gateway</title></html>";
        world
            .model
            .always(Answer::text(502, page).with_header("content-type", "text/html"));
    })
    .await;
}

#[tokio::test]
async fn a_model_server_that_redirects_gets_no_token_elsewhere() {
    golden("chat_failures/redirects", 2, &CHAT, |world| {
        let elsewhere = world.authorization.token_url();
        world.model.always(Answer::redirect(307, &elsewhere));
    })
    .await;
}

#[tokio::test]
async fn an_entry_without_an_address_needs_one() {
    let without_address =
        |world: &mut World| world.configure(|entry| _ = entry.as_object_mut().unwrap().remove("base_url"));
    golden("chat_failures/no_address", 2, &CHAT, without_address).await;
    let given = [
        "chat",
        "-m",
        "corp/test-model",
        "--base-url",
        "MODEL_URL",
        "Where?",
    ];
    golden("chat_failures/given_address_is_fine", 0, &given, without_address).await;
    golden(
        "chat_failures/another_address",
        2,
        &[
            "chat",
            "-m",
            "corp/m",
            "--base-url",
            "https://other.example",
            "Hi",
        ],
        |_| {},
    )
    .await;
}

#[tokio::test]
async fn without_a_terminal_and_without_a_prompt_there_is_nothing_to_ask() {
    golden(
        "chat_failures/no_prompt",
        2,
        &["chat", "-m", "corp/test-model"],
        |_| {},
    )
    .await;
}
