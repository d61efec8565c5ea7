//! Models that are asked, with a token of `corp` or a vendor's key.

use super::{Way, no_secret_is_seen};
use crate::support::World;
use crate::support::gossip::Gossip;
use crate::support::world::{ACCESS_TOKEN, API_KEY, PROXY_PASSWORD};
use gatepass_testkit::Answer;
use serde_json::json;

const CORP: &str = "chat -m corp/test-model Where?";
const WHOLE: &str = "chat -m corp/test-model --no-stream Where?";

/// The model server of `corp` repeats its token, and a key in a header.
fn gossips(world: &World, gossip: &Gossip, way: &str) {
    let token = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600 });
    world.authorization.always(Answer::json(200, &token));
    world.configure(|entry| {
        entry["base_url"] = gossip.url(way).into();
        entry["headers"] = json!({ "x-api-key": API_KEY });
    });
}

fn speaks(world: &World, gossip: &Gossip, api: &str, way: &str) {
    gossips(world, gossip, way);
    world.configure(|entry| {
        entry["base_url"] = gossip.url(way).into();
        entry["api"] = api.into();
    });
}

fn key(world: &mut World) {
    world.remove("litellm_config.json");
    for name in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"] {
        world.set(name, API_KEY);
    }
}

const WITH_A_TOKEN: &[Way] = &[
    ("an answer", CORP, 0, |_, _| {}),
    ("an answer at once", WHOLE, 0, |_, _| {}),
    ("a token that is refused", CORP, 1, |world, _| {
        world.model.require_bearer("another")
    }),
    ("gossip of a refused token", CORP, 1, |world, gossip| {
        gossips(world, gossip, "openai/401")
    }),
    ("gossip of a forbidden model", CORP, 1, |world, gossip| {
        gossips(world, gossip, "openai/403")
    }),
    ("gossip of a wrong request", CORP, 2, |world, gossip| {
        gossips(world, gossip, "openai/400")
    }),
    ("gossip of no such model", CORP, 2, |world, gossip| {
        gossips(world, gossip, "openai/404")
    }),
    ("gossip of a busy server", CORP, 4, |world, gossip| {
        gossips(world, gossip, "openai/429")
    }),
    ("gossip of a broken server", CORP, 4, |world, gossip| {
        gossips(world, gossip, "openai/500")
    }),
    ("gossip instead of an answer", WHOLE, 4, |world, gossip| {
        gossips(world, gossip, "openai/200")
    }),
    ("gossip in broken JSON", WHOLE, 4, |world, gossip| {
        gossips(world, gossip, "broken/200")
    }),
    ("gossip as text", CORP, 4, |world, gossip| {
        gossips(world, gossip, "text/200")
    }),
    ("gossip on a page", CORP, 4, |world, gossip| {
        gossips(world, gossip, "html/200")
    }),
    ("gossip on a page that refuses", CORP, 1, |world, gossip| {
        gossips(world, gossip, "html/403")
    }),
    ("gossip as text that refuses", CORP, 2, |world, gossip| {
        gossips(world, gossip, "text/400")
    }),
    ("gossip in a stream", CORP, 4, |world, gossip| {
        gossips(world, gossip, "stream/200")
    }),
    ("gossip in headers", CORP, 1, |world, gossip| {
        gossips(world, gossip, "headers/401")
    }),
    ("gossip where it redirects to", CORP, 2, |world, gossip| {
        gossips(world, gossip, "location/307")
    }),
    ("gossip of a Gemini", CORP, 1, |world, gossip| {
        speaks(world, gossip, "gemini", "google/403")
    }),
    ("gossip of a Claude", CORP, 1, |world, gossip| {
        speaks(world, gossip, "anthropic", "anthropic/403")
    }),
    ("nobody listens", CORP, 4, |world, _| {
        world.configure(|entry| entry["base_url"] = "http://127.0.0.1:1".into())
    }),
    ("no TLS there", CORP, 4, |world, _| {
        let address = world.model.address();
        world.configure(|entry| entry["base_url"] = format!("https://{address}/v1").into());
    }),
    ("it breaks off", CORP, 4, |world, _| {
        let piece =
            json!({ "id": "1", "model": "m", "choices": [{ "index": 0, "delta": { "content": "Paris " } }] });
        world
            .model
            .always(Answer::sse([format!("data: {piece}\n\n")]).then_close_abruptly());
    }),
    ("a full stdout", CORP, 4, |world, _| {
        world.limit("exec >/dev/full")
    }),
];

const WITH_A_KEY: &[Way] = &[
    (
        "OpenAI gossips",
        "chat -m gpt-4o-mini --base-url GOSSIPopenai/401 Where?",
        1,
        |world, _| key(world),
    ),
    (
        "Anthropic gossips",
        "chat -m claude-x --base-url GOSSIPanthropic/401 Where?",
        1,
        |world, _| key(world),
    ),
    (
        "Google gossips",
        "chat -m gemini/x --base-url GOSSIPgoogle/403 Where?",
        1,
        |world, _| key(world),
    ),
    (
        "Google finds a key wrong",
        "chat -m gemini/x --base-url GOSSIPgoogle/400 Where?",
        super::ANY,
        |world, _| key(world),
    ),
    (
        "a key with a space",
        "chat -m gpt-4o-mini Where?",
        2,
        |world, _| {
            world.set("OPENAI_API_KEY", format!("{API_KEY} {API_KEY}"));
        },
    ),
    (
        "an address with a key",
        "chat -m gpt-4o-mini --base-url http://llm.corp.example Where?",
        2,
        |world, _| key(world),
    ),
    (
        "a proxy that refuses",
        "chat -m gpt-4o-mini Where?",
        4,
        |world, gossip| {
            key(world);
            world.set(
                "HTTPS_PROXY",
                format!("http://user:{PROXY_PASSWORD}@{}", gossip.authority()),
            );
        },
    ),
];

#[tokio::test]
async fn whatever_a_model_server_does_with_a_token() {
    no_secret_is_seen(WITH_A_TOKEN.iter().copied()).await;
}

#[tokio::test]
async fn whatever_a_vendor_does_with_a_key() {
    no_secret_is_seen(WITH_A_KEY.iter().copied()).await;
}
