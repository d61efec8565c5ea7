use crate::support::world::REFRESH_TOKEN;
use crate::support::{World, golden, golden_in};
use gatepass_testkit::{Answer, ScriptedReply};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncReadExt;

const CHAT: [&str; 4] = ["chat", "-m", "corp/test-model", "Where?"];

#[tokio::test]
async fn an_answer_is_printed_and_its_last_line_is_ended() {
    golden("chat/streamed", 0, &CHAT, |_| {}).await;
    golden("chat/own_line_break", 0, &CHAT, |world| {
        world.model.reply_text("one\ntwo\n")
    })
    .await;
    golden("chat/empty_answer", 0, &CHAT, |world| world.model.reply_text("")).await;
}

#[tokio::test]
async fn the_text_appears_as_it_is_written() {
    let world = World::new().await;
    world.model.set_chunk_delay(Duration::from_millis(400));
    let mut child = world.command(&CHAT).spawn().unwrap();
    let mut beginning = [0; 5];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut beginning)
        .await
        .unwrap();
    assert_eq!(&beginning, b"Paris");
    assert!(
        child.try_wait().unwrap().is_none(),
        "the answer is still being written"
    );
    assert_eq!(world.outcome(child).await.stdout, " is the capital.\n");
}

#[tokio::test]
async fn the_whole_answer_can_be_waited_for() {
    let world = World::new().await;
    golden_in(
        &world,
        "chat/whole",
        0,
        &["chat", "-m", "corp/test-model", "--no-stream", "Where?"],
    )
    .await;
    assert_ne!(world.model.requests()[0].json["stream"], true);
}

#[tokio::test]
async fn json_is_one_object_at_the_end() {
    let streamed = ["chat", "-m", "corp/test-model", "--json", "Where?"];
    let whole = ["chat", "-m", "corp/test-model", "--json", "--no-stream", "Where?"];
    golden("chat/json", 0, &streamed, |_| {}).await;
    golden("chat/json_whole", 0, &whole, |_| {}).await;
    golden("chat/json_tool_call", 0, &streamed, |world| {
        world
            .model
            .reply(ScriptedReply::tool_call("weather", r#"{"city":"Paris"}"#));
    })
    .await;
    golden("chat/json_cut_off", 0, &streamed, |world| {
        world.model.reply(
            ScriptedReply::text("Paris is")
                .with_finish("length")
                .with_usage(12, 2),
        );
    })
    .await;
}

#[tokio::test]
async fn a_reader_of_the_text_alone_is_told_what_is_missing() {
    golden("chat/cut_off", 0, &CHAT, |world| {
        world
            .model
            .reply(ScriptedReply::text("Paris is").with_finish("length"));
    })
    .await;
    golden("chat/tool_call", 0, &CHAT, |world| {
        world
            .model
            .reply(ScriptedReply::tool_call("weather", r#"{"city":"Paris"}"#));
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_reaches_the_model() {
    let world = World::new().await;
    let args = [
        "chat",
        "-m",
        "corp/meta/llama-3",
        "--system",
        "Be brief.",
        "--temperature",
        "0.5",
        "--max-tokens",
        "7",
        "Where?",
    ];
    assert_eq!(world.run(&args).await.code, Some(0));
    let request = world.model.requests().pop().unwrap().json;
    assert_eq!(request["model"], "meta/llama-3");
    assert_eq!(request["temperature"], 0.5);
    assert!(
        request["max_tokens"] == 7 || request["max_completion_tokens"] == 7,
        "{request}"
    );
    let messages = request["messages"].as_array().unwrap();
    assert_eq!([&messages[0]["role"], &messages[1]["role"]], ["system", "user"]);
    assert!(messages[1].to_string().contains("Where?") && messages[0].to_string().contains("Be brief."));
}

#[tokio::test]
async fn the_prompt_can_come_from_stdin() {
    for args in [
        &["chat", "-m", "corp/test-model", "-"][..],
        &["chat", "-m", "corp/test-model"],
    ] {
        let mut world = World::new().await;
        world.pipe_in("Wo liegt Köln?\r\n");
        assert_eq!(world.run(args).await.stdout, "Paris is the capital.\n");
        let request = world.model.requests().pop().unwrap().json;
        assert!(
            request["messages"].to_string().contains(r#""Wo liegt Köln?""#),
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_prompt_that_is_no_prompt_is_a_usage_error() {
    let stdin = ["chat", "-m", "corp/test-model", "-"];
    golden("prompt/not_utf8", 2, &stdin, |world| world.pipe_in(*b"caf\xe9")).await;
    golden("prompt/too_large", 2, &stdin, |world| {
        world.pipe_in("x".repeat((10 << 20) + 1))
    })
    .await;
    golden("prompt/empty_stdin", 2, &stdin, |world| world.pipe_in("\n")).await;
    golden("prompt/empty", 2, &["chat", "-m", "corp/test-model", ""], |_| {}).await;
}

#[tokio::test]
async fn a_schema_makes_the_answer_json() {
    let schema =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    let world = World::new().await;
    world.model.normal();
    world.write("city.json", format!("\u{feff}{schema}\n"));
    golden_in(
        &world,
        "chat/schema",
        0,
        &["chat", "-m", "corp/test-model", "--schema", "city.json", "Where?"],
    )
    .await;
    let format = &world.model.requests()[0].json["response_format"];
    assert_eq!(
        (&format["type"], &format["json_schema"]["schema"]),
        (&json!("json_schema"), &schema)
    );
}

#[tokio::test]
async fn a_schema_that_cannot_be_used_is_a_usage_error() {
    let args = ["chat", "-m", "corp/test-model", "--schema", "city.json", "Where?"];
    golden("schema/missing", 2, &args, |_| {}).await;
    golden("schema/broken", 2, &args, |world| {
        world.write("city.json", "{\n  \"type\": object\n}")
    })
    .await;
    golden("schema/no_object", 2, &args, |world| {
        world.write("city.json", "[]")
    })
    .await;
    golden(
        "schema/directory",
        2,
        &["chat", "-m", "corp/m", "--schema", ".", "Where?"],
        |_| {},
    )
    .await;
}

#[tokio::test]
async fn a_token_that_expired_on_its_way_is_replaced_once() {
    let world = World::new().await;
    let stale = json!({ "access_token": "at-stale-canary", "token_type": "Bearer", "expires_in": 3600 });
    world.authorization.push(Answer::json(200, &stale));
    let outcome = world.run(&CHAT).await;
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(0), "Paris is the capital.\n"),
        "{outcome:?}"
    );
    assert_eq!(world.authorization.token_requests(), 2);
    assert_eq!(world.model.requests().len(), 2);
}

#[tokio::test]
async fn a_refresh_token_of_the_entry_is_used_first_and_does_without() {
    golden("chat/refused_refresh_token", 0, &CHAT, |world| {
        world.configure(|entry| entry["refresh_token"] = json!(REFRESH_TOKEN));
    })
    .await;
}

#[tokio::test]
async fn warnings_stand_on_stderr_and_json_has_it_to_itself() {
    let misspelled = |world: &mut World| world.configure(|entry| entry["scopee"] = json!("x"));
    golden("chat/warning", 0, &CHAT, misspelled).await;
    let mut world = World::new().await;
    misspelled(&mut world);
    let outcome = world
        .run(&["chat", "-m", "corp/test-model", "--json", "Where?"])
        .await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_log_that_cannot_be_understood_is_no_reason_to_stop() {
    let mut world = World::new().await;
    world.set("RUST_LOG", "gatepass=loud");
    golden_in(&world, "chat/bad_log", 0, &CHAT).await;
}

#[tokio::test]
async fn a_log_tells_what_happened_and_no_secret() {
    let mut world = World::new().await;
    world.set("RUST_LOG", "trace");
    let log = world.run(&CHAT).await.stderr;
    assert!(
        log.contains("TRACE") && log.contains("connecting to 127.0.0.1"),
        "{log}"
    );
    let mut quieter = World::new().await;
    quieter.set("RUST_LOG", "error");
    assert_eq!(quieter.run(&CHAT).await.stderr, "");
}
