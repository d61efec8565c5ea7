//! A configured provider: tokens, the configuration, the doctor.

use super::{Way, no_secret_is_seen, patience};
use crate::support::World;
use crate::support::gossip::Gossip;
use crate::support::world::{ACCESS_TOKEN, API_KEY, CLIENT_SECRET, PROXY_PASSWORD, REFRESH_TOKEN};
use gatepass_testkit::Answer;
use serde_json::{Value, json};

const TOKEN: &str = "token --provider corp";

/// The entry of `corp` with one field changed.
fn with(world: &World, field: &str, value: impl Into<Value>) {
    world.configure(|entry| entry[field] = value.into());
}

/// The token endpoint repeats the client's secret, and a refresh token.
fn gossips(world: &World, gossip: &Gossip, way: &str) {
    world.configure(|entry| {
        entry["token_url"] = gossip.url(way).into();
        entry["refresh_token"] = REFRESH_TOKEN.into();
        entry["timeout"] = patience(way).into();
    });
}

fn behind_a_proxy(world: &mut World, proxy: &str) {
    world.configure(|entry| {
        entry["token_url"] = "http://login.corp.example/html/407".into();
        entry["allow_http"] = true.into();
        entry["timeout"] = 20.into();
    });
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"] {
        world.set(name, format!("http://user:{PROXY_PASSWORD}@{proxy}"));
    }
}

const ANSWERS: &[Way] = &[
    ("a token", TOKEN, 0, |_, _| {}),
    ("a known token", TOKEN, 0, |world, _| {
        let granted =
            json!({ "access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN, "expires_in": 3600 });
        world.authorization.always(Answer::json(200, &granted));
    }),
    ("a refresh token", TOKEN, 0, |world, _| {
        with(world, "refresh_token", REFRESH_TOKEN)
    }),
    ("another client", TOKEN, 1, |world, _| {
        world.authorization.add_client("client", "another")
    }),
    ("a scope too many", TOKEN, 1, |world, _| {
        world.authorization.set_scopes(["llm.write"])
    }),
    ("gossip in a refusal", TOKEN, 1, |world, gossip| {
        gossips(world, gossip, "oauth/400")
    }),
    ("gossip in a refusal of the client", TOKEN, 1, |world, gossip| {
        gossips(world, gossip, "oauth-client/401")
    }),
    ("gossip as the error's name", TOKEN, 1, |world, gossip| {
        gossips(world, gossip, "word/400")
    }),
    ("gossip with a success", TOKEN, 1, |world, gossip| {
        gossips(world, gossip, "word/200")
    }),
    ("gossip as the token's type", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "members/200")
    }),
    ("gossip as its lifetime", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "expiry/200")
    }),
    ("gossip in broken JSON", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "broken/200")
    }),
    ("gossip on a page", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "html/200")
    }),
    ("gossip on a page that refuses", TOKEN, 1, |world, gossip| {
        gossips(world, gossip, "html/403")
    }),
    ("gossip as a form", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "text/200")
    }),
    ("gossip in headers", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "headers/200")
    }),
    ("gossip in headers of a refusal", TOKEN, 1, |world, gossip| {
        gossips(world, gossip, "headers/401")
    }),
    ("gossip of a busy server", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "headers/429")
    }),
    ("gossip of a broken server", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "word/500")
    }),
    ("gossip where it redirects to", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "location/307")
    }),
    ("gossip in the metadata", TOKEN, 4, |world, gossip| {
        world.configure(|entry| {
            entry.as_object_mut().unwrap().remove("token_url");
            entry["issuer"] = gossip.url("metadata/200").into();
        });
    }),
];

const NETWORKS: &[Way] = &[
    ("nobody listens", TOKEN, 4, |world, _| {
        world.configure(|entry| {
            entry["token_url"] = "http://127.0.0.1:1/token".into();
            entry["timeout"] = 1.into();
        });
    }),
    ("no TLS there", TOKEN, 4, |world, _| {
        let address = world.authorization.address();
        world.configure(|entry| {
            entry["token_url"] = format!("https://{address}/token").into();
            entry["timeout"] = 1.into();
        });
    }),
    ("no such host", TOKEN, 4, |world, _| {
        world.configure(|entry| {
            entry["token_url"] = "https://login.corp.invalid/token".into();
            entry["timeout"] = 1.into();
        });
    }),
    ("it hangs", TOKEN, 4, |world, _| {
        with(world, "timeout", 1);
        world.authorization.always(Answer::hang());
    }),
    ("it hangs up", TOKEN, 4, |world, _| {
        with(world, "timeout", 1);
        world.authorization.always(Answer::close());
    }),
    ("it breaks off", TOKEN, 4, |world, _| {
        with(world, "timeout", 1);
        world.authorization.always(Answer::truncated(format!(
            "{{\"access_token\":\"{ACCESS_TOKEN}\""
        )));
    }),
    ("a proxy that refuses", TOKEN, 1, |world, gossip| {
        behind_a_proxy(world, gossip.authority())
    }),
    ("a proxy that opens no tunnel", TOKEN, 4, |world, gossip| {
        behind_a_proxy(world, gossip.authority());
        world.configure(|entry| {
            entry["token_url"] = "https://login.corp.example/token".into();
            entry["timeout"] = 1.into();
        });
    }),
    ("a proxy that is down", TOKEN, 4, |world, _| {
        behind_a_proxy(world, "127.0.0.1:1")
    }),
    ("a proxy that is none", TOKEN, 4, |world, _| {
        behind_a_proxy(world, "a b:c:d/#")
    }),
];

/// Mistakes in a configuration, each with a secret in it.
const MISTAKES: &[Way] = &[
    ("broken JSON", TOKEN, 2, |world, _| {
        world.write(
            "litellm_config.json",
            format!("{{\"oauth2_providers\": {{\"corp\": {{\"client_secret\": {CLIENT_SECRET}"),
        );
    }),
    ("broken TOML", TOKEN, 2, |world, _| {
        world.remove("litellm_config.json");
        world.write(
            "gatepass.toml",
            format!("[oauth2_providers.corp]\nclient_secret = {CLIENT_SECRET}\n"),
        );
    }),
    ("a secret twice", TOKEN, 2, |world, _| {
        let text = format!(
            r#"{{"oauth2_providers": {{"corp": {{"client_secret": "{CLIENT_SECRET}", "client_secret": "{API_KEY}"}}}}}}"#
        );
        world.write("litellm_config.json", text);
    }),
    ("a secret that is a list", TOKEN, 2, |world, _| {
        with(world, "client_secret", json!([CLIENT_SECRET]))
    }),
    ("a secret that is an object", TOKEN, 2, |world, _| {
        with(world, "client_secret", json!({ "value": CLIENT_SECRET }))
    }),
    ("an unknown field", TOKEN, 0, |world, _| {
        with(world, "client_sekret", CLIENT_SECRET)
    }),
    ("a secret as the name of a variable", TOKEN, 2, |world, _| {
        with(world, "client_secret", format!("os.environ/{CLIENT_SECRET}"));
    }),
    ("a secret as the grant", TOKEN, 2, |world, _| {
        with(world, "grant_type", CLIENT_SECRET)
    }),
    ("a secret as the style", TOKEN, 2, |world, _| {
        with(world, "auth_style", CLIENT_SECRET)
    }),
    ("a secret as the API", TOKEN, 2, |world, _| {
        with(world, "api", CLIENT_SECRET)
    }),
    ("a secret as the time", TOKEN, 2, |world, _| {
        with(world, "timeout", CLIENT_SECRET)
    }),
    ("a secret as the file", TOKEN, 2, |world, _| {
        with(world, "ca_file", json!([CLIENT_SECRET]))
    }),
    ("a secret as headers", TOKEN, 2, |world, _| {
        with(world, "headers", API_KEY)
    }),
    ("a header with a line break", TOKEN, 2, |world, _| {
        with(
            world,
            "headers",
            json!({ "x-api-key": format!("{API_KEY}\r\nx: y") }),
        );
    }),
    ("a secret as the address", TOKEN, 2, |world, _| {
        with(world, "token_url", CLIENT_SECRET)
    }),
    ("a secret in the address", TOKEN, 2, |world, _| {
        with(
            world,
            "token_url",
            format!("https://client:{API_KEY}@login.corp.example/token"),
        );
    }),
    ("a secret in an address without TLS", TOKEN, 2, |world, _| {
        with(
            world,
            "token_url",
            format!("http://login.corp.example/token?client_secret={API_KEY}"),
        );
    }),
    ("a secret in a fragment", TOKEN, 2, |world, _| {
        with(
            world,
            "base_url",
            format!("https://llm.corp.example/v1#{API_KEY}"),
        );
    }),
    ("a secret in a query that is asked", TOKEN, 4, |world, _| {
        let address = format!("http://127.0.0.1:1/token?key={API_KEY}");
        world.configure(|entry| {
            entry["token_url"] = address.into();
            entry["timeout"] = 1.into();
        });
    }),
    ("a refresh token with a line break", TOKEN, 0, |world, _| {
        with(world, "refresh_token", format!("{REFRESH_TOKEN}\r\n"));
    }),
];

/// The same mistakes, for those who only look.
const LOOKS: [(&str, &str); 3] = [
    ("it is checked", "config check"),
    ("the doctor looks", "doctor --offline"),
    ("the doctor asks", "doctor"),
];

#[tokio::test]
async fn whatever_the_authorization_server_says() {
    no_secret_is_seen(ANSWERS.iter().copied()).await;
}

#[tokio::test]
async fn whatever_the_network_does() {
    no_secret_is_seen(NETWORKS.iter().copied()).await;
}

#[tokio::test]
async fn whatever_stands_in_the_configuration() {
    no_secret_is_seen(MISTAKES.iter().copied()).await;
}

#[tokio::test]
async fn whoever_looks_at_it() {
    let looks = LOOKS.iter().flat_map(|(name, command)| {
        let mistakes = MISTAKES.iter().chain(&NETWORKS[..2]).chain(&NETWORKS[6..]);
        mistakes.map(move |(_, _, _, prepare)| (*name, *command, super::ANY, *prepare))
    });
    no_secret_is_seen(looks).await;
}

#[tokio::test]
async fn what_needs_no_configuration_shows_none() {
    let shells = [
        "completions bash",
        "--help",
        "--version",
        "auth",
        "config",
        "token --help",
    ];
    for command in shells {
        let mut world = World::new().await;
        world.set("RUST_LOG", "trace");
        for name in [
            "OPENAI_API_KEY",
            "ANTHROPIC_API_KEY",
            "GATEPASS_KEY",
            "HTTP_PROXY",
        ] {
            world.set(name, API_KEY);
        }
        let args: Vec<&str> = command.split(' ').collect();
        world.run(&args).await;
    }
}
