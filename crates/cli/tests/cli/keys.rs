//! Models that need no configuration, only their vendor's API key.

use crate::support::world::API_KEY;
use crate::support::{World, golden};

const CHAT: [&str; 6] = ["chat", "-m", "gpt-4o-mini", "--base-url", "MODEL_URL", "Where?"];

fn without_configuration(world: &mut World) {
    world.remove("litellm_config.json");
    world.model.require_bearer(API_KEY);
    world.set("OPENAI_API_KEY", API_KEY);
}

#[tokio::test]
async fn a_key_and_an_address_are_enough() {
    golden("keys/well_known_name", 0, &CHAT, without_configuration).await;
    let prefixed = [
        "chat",
        "-m",
        "openai/anything",
        "--base-url",
        "MODEL_URL",
        "Where?",
    ];
    golden("keys/vendor_prefix", 0, &prefixed, without_configuration).await;
}

/// G10: each vendor's key by each of its variables, in the header of its own; the first one wins that is set.
#[tokio::test]
async fn each_vendors_key_is_read_from_the_environment() {
    for (model, variables, header) in [
        (
            "gemini/gemini-2.5-flash",
            &["GOOGLE_API_KEY"][..],
            "x-goog-api-key",
        ),
        ("gemini/gemini-2.5-flash", &["GEMINI_API_KEY"], "x-goog-api-key"),
        (
            "gemini/gemini-2.5-flash",
            &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
            "x-goog-api-key",
        ),
        ("claude-sonnet-4", &["ANTHROPIC_API_KEY"], "x-api-key"),
        ("anthropic/claude-sonnet-4", &["ANTHROPIC_API_KEY"], "x-api-key"),
        ("gpt-4o-mini", &["OPENAI_API_KEY"], "authorization"),
    ] {
        let mut world = World::new().await;
        without_configuration(&mut world);
        world.set("OPENAI_API_KEY", "");
        let (first, others) = variables.split_first().unwrap();
        world.set(first, API_KEY);
        for other in others {
            world.set(other, "another");
        }
        // Gemini and Claude add their own versions.
        let mut address = world.model.base_url();
        if header != "authorization" {
            address = address.trim_end_matches("/v1").to_owned();
        }
        let outcome = world
            .run(&["chat", "-m", model, "--base-url", &address, "Where?"])
            .await;
        assert_eq!(outcome.stdout, "Paris is the capital.\n", "{model} {variables:?}");
        let requests = world.model.requests();
        let [request] = &requests[..] else {
            panic!("one request: {requests:?}");
        };
        for name in ["x-goog-api-key", "x-api-key", "authorization"] {
            let key = match name {
                "authorization" => format!("Bearer {API_KEY}"),
                _ => API_KEY.to_owned(),
            };
            let expected = (name == header).then_some(&*key);
            assert_eq!(request.header(name), expected, "{model} {variables:?}: {name}");
        }
        let in_address = request.query.iter().any(|(_, value)| value.contains(API_KEY));
        assert!(!in_address, "{:?}", request.query);
    }
}

#[tokio::test]
async fn the_line_break_of_a_file_is_not_part_of_the_key() {
    golden("keys/trimmed", 0, &CHAT, |world| {
        without_configuration(world);
        world.set("OPENAI_API_KEY", format!("{API_KEY}\r\n"));
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_missing_or_empty_is_asked_for() {
    golden("keys/missing", 2, &CHAT, |_| {}).await;
    golden("keys/empty", 2, &CHAT, |world| world.set("OPENAI_API_KEY", "\n")).await;
}

/// G10: for Gemini, a login does as well.
#[tokio::test]
async fn who_has_no_key_for_gemini_is_told_how_to_log_in() {
    let gemini = ["chat", "-m", "gemini/gemini-2.5-flash", "Where?"];
    golden("keys/gemini_missing", 2, &gemini, |_| {}).await;
    let stranger = ["chat", "-m", "gpt-4o-mini", "--oauth2", "google", "Where?"];
    golden("keys/google_for_openai", 2, &stranger, |_| {}).await;
    let nobody = ["chat", "-m", "gpt-4o-mini", "--oauth2", "", "Where?"];
    golden("keys/oauth2_of_nobody", 2, &nobody, |_| {}).await;
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_not_shown() {
    golden("keys/unusable", 2, &CHAT, |world| {
        world.set("OPENAI_API_KEY", format!("{API_KEY} {API_KEY}"))
    })
    .await;
}

#[tokio::test]
async fn a_refused_key_is_told() {
    golden("keys/refused", 1, &CHAT, |world| {
        without_configuration(world);
        world.model.require_bearer("another");
    })
    .await;
}

#[tokio::test]
async fn a_key_goes_to_no_other_machine_unencrypted() {
    let args = [
        "chat",
        "-m",
        "gpt-4o-mini",
        "--base-url",
        "http://llm.corp.example/v1",
        "Where?",
    ];
    golden("keys/plain_http", 2, &args, without_configuration).await;
}

#[tokio::test]
async fn a_key_goes_unencrypted_where_it_may() {
    let args = [
        "chat",
        "-m",
        "gpt-4o-mini",
        "--base-url",
        "MODEL_URL",
        "--allow-http",
        "Where?",
    ];
    golden("keys/allow_http", 0, &args, without_configuration).await;
}

#[tokio::test]
async fn a_broken_configuration_is_no_matter_to_a_model_that_needs_none() {
    let prefixed = [
        "chat",
        "-m",
        "openai/gpt-4o-mini",
        "--base-url",
        "MODEL_URL",
        "Where?",
    ];
    golden("keys/broken_configuration", 0, &prefixed, |world| {
        without_configuration(world);
        world.write("litellm_config.json", "{");
    })
    .await;
}

#[tokio::test]
async fn a_model_that_nobody_serves_is_a_configuration_error() {
    golden("keys/no_provider", 2, &["chat", "-m", "llama", "Where?"], |_| {}).await;
    golden("keys/no_name", 2, &["chat", "-m", "corp/", "Where?"], |_| {}).await;
    golden(
        "keys/other_vendor",
        2,
        &["chat", "-m", "claude-sonnet-4", "Where?"],
        |_| {},
    )
    .await;
}
