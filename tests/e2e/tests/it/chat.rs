//! The command line, from a configuration file to an answer.

use crate::support::{MODEL, Setup, chat, say};
use serde_json::json;
use std::ffi::OsStr;

const LIMITS: [&str; 4] = ["--temperature", "0", "--max-tokens", "24"];
const QUESTION: &str = "What is the capital of France?";

#[tokio::test]
async fn an_answer_is_the_same_streamed_and_whole_as_text_and_as_json() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let config = world.corp();
    let ask = |more: &[&str]| {
        let more = LIMITS.iter().chain(more).map(OsStr::new);
        world.gatepass(
            chat(&config, QUESTION)
                .into_iter()
                .chain(more)
                .map(OsStr::to_owned)
                .collect::<Vec<_>>(),
        )
    };
    let streamed = ask(&[]).await.succeeded();
    let whole = ask(&["--no-stream"]).await.succeeded();
    assert!(streamed.stdout.contains("Paris"), "{streamed:?}");
    assert_eq!(streamed.stdout, whole.stdout);

    for more in [&["--json"][..], &["--json", "--no-stream"]] {
        let described = ask(more).await.succeeded().json();
        assert_eq!(
            described["text"].as_str().unwrap(),
            streamed.stdout.strip_suffix('\n').unwrap()
        );
        assert_eq!(described["model"], MODEL);
        assert_eq!(described["finish"], "stop");
        let [input, output] =
            ["input_tokens", "output_tokens"].map(|name| described["usage"][name].as_u64().unwrap());
        assert!(input > 5 && output > 5, "{described}");
        assert!(
            described["request_id"].as_str().unwrap().starts_with("gateway-"),
            "{described}"
        );
    }
    assert_eq!((world.gateway.admitted(), world.gateway.refused()), (4, 0));
    assert_eq!(world.authorization.token_requests().await, 4, "one a process");
    say(format!(
        "gatepass chat: {:.1?} streamed, {:.1?} whole",
        streamed.elapsed, whole.elapsed
    ));
}

#[tokio::test]
async fn a_call_told_at_trace_shows_no_secret() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let config = world.corp();
    let arguments = [&chat(&config, QUESTION)[..], &LIMITS.map(OsStr::new)].concat();
    let ran = world
        .gatepass_with(&[("RUST_LOG", "trace")], arguments)
        .await
        .succeeded();
    let lines = ran.stderr.lines().count();
    assert!(lines > 5, "it logs something to look at: {ran:?}");
    say(format!("{lines} lines of logs without a secret"));
}

#[tokio::test]
async fn a_schema_in_a_file_forms_the_answer() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let schema = world.folder().join("city.json");
    std::fs::write(&schema, crate::answers::city_schema().to_string()).unwrap();
    let config = world.corp();
    let more = [
        "--schema".as_ref(),
        schema.as_os_str(),
        "--temperature".as_ref(),
        "0".as_ref(),
    ];
    for last in ["--max-tokens=100", "--no-stream"] {
        let arguments = [
            &chat(&config, "The capital of France, as JSON.")[..],
            &more,
            &[last.as_ref()],
        ]
        .concat();
        let ran = world.gatepass(arguments).await.succeeded();
        let city: crate::answers::City = serde_json::from_str(&ran.stdout).unwrap();
        say(format!("{city:?} in {:.1?}", ran.elapsed));
    }
}

#[tokio::test]
async fn a_model_and_a_prompt_that_dont_fit_are_usage_errors() {
    let Some(world) = Setup::model().start().await else {
        return;
    };
    let config = world.corp();
    let ran = world.gatepass(chat(&config, &"word ".repeat(3000))).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("exceed_context_size_error"), "{ran:?}");
    assert!(ran.stderr.contains("shorten the input"), "{ran:?}");

    let entry = world.entry(
        "service",
        json!({"base_url": world.gateway.base_url() + "/nowhere"}),
    );
    let ran = world
        .gatepass(chat(&world.config([("corp", entry)]), QUESTION))
        .await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("404"), "{ran:?}");
}
