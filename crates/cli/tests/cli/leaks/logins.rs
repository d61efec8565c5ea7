//! A person logs in, by a browser, by pasting or on another device; looks; logs out; takes over another login.

use super::{Way, assert_unseen, no_secret_is_seen, patience};
use crate::support::gossip::Gossip;
use crate::support::world::{
    ACCESS_TOKEN, CLIENT_SECRET, CODE, DEVICE_CODE, ID_TOKEN, PROXY_PASSWORD, REFRESH_TOKEN,
};
use crate::support::{By, Outcome, World};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::{Clock, SystemClock};
use gatepass_testkit::{Answer, AuthorizationServer, visit};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Child;

const BROWSER: &str = "auth login --provider team";
const PASTED: &str = "auth login --provider team --no-browser";
const DEVICE: &str = "auth login --provider team --device";

/// Logs in with the code [`CODE`], for which the server gives tokens that tests know: an expected success. The code
/// comes by the browser, or is pasted, after others that are wrong.
pub(super) async fn log_in(world: &mut World, args: &[&str], expected: bool) -> Outcome {
    world.give_browser();
    let by = if args.contains(&"--no-browser") {
        By::Pasting
    } else {
        By::Browser
    };
    let mut child = world.command(args).stdin(Stdio::piped()).spawn().unwrap();
    if matches!(by, By::Browser) && !begins(world, &mut child).await {
        return world.outcome(child).await;
    }
    let (address, shown) = world.address(&mut child, by, args).await;
    let state = parameter(&address, "state");
    if expected {
        world
            .authorization
            .push(Answer::json(200, &tokens(world, &parameter(&address, "nonce"))));
    }
    let redirect = parameter(&address, "redirect_uri");
    let code: String = form_urlencoded::byte_serialize(CODE.as_bytes()).collect();
    let answer = format!("{redirect}?code={code}&state={state}");
    match by {
        By::Pasting => {
            let wrong = format!("{redirect}?code={code}&state={state}x");
            let typed =
                format!("{CODE}\n{wrong}\n{redirect}?code={code}\n{answer}&state={state}\n{answer}\n");
            let stdin = child.stdin.as_mut().unwrap();
            stdin.write_all(typed.as_bytes()).await.unwrap();
        }
        _ => {
            _ = visit(&format!("{redirect}?code={code}&state={state}x")).await;
            let page = visit(&answer).await.unwrap();
            assert!(
                !page.body.contains(CODE) && !page.body.contains(&state),
                "{page:?}"
            );
        }
    }
    let mut outcome = world.outcome(child).await;
    // The address that a person opens has the state: nothing else may.
    outcome.stderr.push_str(&shown.replace(&address, ""));
    assert_unseen("state", &state, &outcome);
    let requests = world.authorization.requests();
    let verifiers = requests
        .iter()
        .filter_map(|request| request.form_value("code_verifier"));
    verifiers.for_each(|verifier| assert_unseen("code_verifier", verifier, &outcome));
    look_at_the_browser(world);
    outcome
}

/// Whether the browser is opened; a command that fails before has ended.
async fn begins(world: &World, child: &mut Child) -> bool {
    let waiting = async {
        while !world.path("opened").exists() {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    };
    let begun = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    begun.expect("neither a browser nor an end")
}

/// What the browser was given: the address, and an environment without a secret.
fn look_at_the_browser(world: &World) {
    let Ok(environment) = std::fs::read(world.path("opened.environ")) else {
        return;
    };
    let environment = String::from_utf8_lossy(&environment);
    for secret in world.secrets() {
        secret.assert_absent("the browser's environment", &environment);
    }
}

fn parameter(address: &str, name: &str) -> String {
    let query = address.split_once('?').unwrap().1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn tokens(world: &World, nonce: &str) -> Value {
    let now = SystemClock.now().wall.as_secs();
    let claims = json!({
        "iss": world.authorization.issuer(), "aud": AuthorizationServer::CLIENT_ID, "sub": "4711", "nonce": nonce,
        "iat": now, "exp": now + 3600, "email": "jane@example.com", "email_verified": true,
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let id_token = format!("{}.{}.{ID_TOKEN}", part(json!({ "alg": "RS256" })), part(claims));
    json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": REFRESH_TOKEN,
        "id_token": id_token, "scope": "openid llm.read",
    })
}

fn team(world: &mut World, _: &Gossip) {
    world.configure_all(&json!({ "team": world.login_entry() }));
}

/// The code is exchanged at a server that repeats it, with the verifier.
fn gossips(world: &World, gossip: &Gossip, way: &str) {
    let mut entry = world.login_entry();
    entry.as_object_mut().unwrap().remove("issuer");
    entry["token_url"] = gossip.url(way).into();
    entry["authorization_url"] = world.authorization.authorization_url().into();
    entry["device_authorization_url"] = world.authorization.device_authorization_url().into();
    entry["timeout"] = patience(way).into();
    world.configure_all(&json!({ "team": entry }));
}

/// A device login whose code tests know.
fn device(world: &World) {
    let begun = json!({
        "device_code": DEVICE_CODE, "user_code": "WDJB-MJHT", "verification_uri": "https://team.example/device",
        "expires_in": 5, "interval": 1,
    });
    world
        .authorization
        .always_at("/device_authorization", Answer::json(200, &begun));
}

fn device_gossips(world: &World, gossip: &Gossip, way: &str) {
    gossips(world, gossip, way);
    device(world);
}

const LOGINS: &[Way] = &[
    ("a login by the browser", BROWSER, 0, team),
    ("a pasted login", PASTED, 0, team),
    ("a refused code", BROWSER, 1, |world, gossip| {
        team(world, gossip);
        world
            .authorization
            .always_at("/token", Answer::json(400, &json!({ "error": "invalid_grant" })));
    }),
    ("gossip of a code", BROWSER, 1, |world, gossip| {
        gossips(world, gossip, "oauth/400")
    }),
    ("gossip of a pasted code", PASTED, 1, |world, gossip| {
        gossips(world, gossip, "oauth-client/401")
    }),
    ("gossip in the error's name", BROWSER, 1, |world, gossip| {
        gossips(world, gossip, "word/400")
    }),
    ("gossip as the token's type", BROWSER, 4, |world, gossip| {
        gossips(world, gossip, "members/200")
    }),
    ("gossip on a page", BROWSER, 4, |world, gossip| {
        gossips(world, gossip, "html/200")
    }),
    ("gossip in headers", BROWSER, 1, |world, gossip| {
        gossips(world, gossip, "headers/400")
    }),
    ("gossip where it redirects to", BROWSER, 4, |world, gossip| {
        gossips(world, gossip, "location/307")
    }),
    (
        "an ID token of somebody else",
        BROWSER,
        super::ANY,
        |world, gossip| {
            team(world, gossip);
            world
                .authorization
                .always_at("/token", Answer::json(200, &tokens(world, "another")));
        },
    ),
    ("a token that is cut off", BROWSER, 4, |world, gossip| {
        team(world, gossip);
        let text = tokens(world, "").to_string();
        world
            .authorization
            .always_at("/token", Answer::text(200, &text[..text.len() / 2]));
    }),
    ("a full disk", BROWSER, 3, |world, gossip| {
        team(world, gossip);
        world.limit("trap '' XFSZ; ulimit -f 0");
    }),
    (
        "a disk without room for so long a token",
        PASTED,
        3,
        |world, gossip| {
            team(world, gossip);
            let mut tokens = tokens(world, "");
            tokens["id_token"].take();
            tokens["refresh_token"] = format!("{REFRESH_TOKEN}{}", "x".repeat(60_000)).into();
            world
                .authorization
                .always_at("/token", Answer::json(200, &tokens));
            // In blocks of 512 or 1,024 bytes, by shell.
            world.limit("trap '' XFSZ; ulimit -f 60");
        },
    ),
    (
        "keys of vendors in the environment",
        BROWSER,
        0,
        |world, gossip| {
            team(world, gossip);
            for name in [
                "OPENAI_API_KEY",
                "ANTHROPIC_API_KEY",
                "GOOGLE_API_KEY",
                "GEMINI_API_KEY",
            ] {
                world.set(name, crate::support::world::API_KEY);
            }
        },
    ),
    ("a client's secret in the environment", BROWSER, 0, |world, _| {
        let mut entry = world.login_entry();
        entry["client_secret"] = "os.environ/TEAM_SECRET".into();
        world.configure_all(&json!({ "team": entry }));
        world.set("TEAM_SECRET", CLIENT_SECRET);
    }),
];

const DEVICES: &[Way] = &[
    ("a device", DEVICE, 0, |world, gossip| {
        team(world, gossip);
        device(world);
        world.authorization.always(Answer::json(200, &tokens(world, "")));
    }),
    ("a device that waits in vain", DEVICE, 1, |world, gossip| {
        team(world, gossip);
        device(world);
        let pending = json!({ "error": "authorization_pending" });
        world.authorization.always(Answer::json(400, &pending));
    }),
    ("gossip of a device", DEVICE, 1, |world, gossip| {
        device_gossips(world, gossip, "oauth/400")
    }),
    ("gossip of an unknown device", DEVICE, 1, |world, gossip| {
        device_gossips(world, gossip, "word/401")
    }),
    ("gossip on a page for devices", DEVICE, 4, |world, gossip| {
        device_gossips(world, gossip, "html/200")
    }),
    ("gossip before there is a code", DEVICE, 1, |world, gossip| {
        let mut entry = world.login_entry();
        entry.as_object_mut().unwrap().remove("issuer");
        entry["authorization_url"] = world.authorization.authorization_url().into();
        entry["token_url"] = world.authorization.token_url().into();
        entry["device_authorization_url"] = gossip.url("oauth/401").into();
        world.configure_all(&json!({ "team": entry }));
    }),
    ("a code in a broken answer", DEVICE, 4, |world, gossip| {
        team(world, gossip);
        let broken = format!("{{\"device_code\": \"{DEVICE_CODE}\", \"user_code\": 7");
        world
            .authorization
            .always_at("/device_authorization", Answer::text(200, broken));
    }),
];

/// Google's way, whose client is in a file.
const CLIENTS: &[Way] = &[
    ("a client that is no JSON", "auth login", 2, |world, _| {
        world.write_conf(
            "client_secrets.json",
            format!("{{\"installed\": {{\"client_secret\": {CLIENT_SECRET}"),
        );
    }),
    ("a service account", "auth login", 2, |world, _| {
        let account = json!({ "type": "service_account", "private_key": CLIENT_SECRET });
        world.write_conf("client_secrets.json", account.to_string());
    }),
    ("a secret as the address", "auth login", 2, |world, _| {
        let mut secrets = world.client_secrets();
        secrets["installed"]["token_uri"] = format!("https://x:{CLIENT_SECRET}@h.example/t").into();
        world.write_conf("client_secrets.json", secrets.to_string());
    }),
    (
        "a file of another place",
        "auth login --client-secrets mine.json",
        0,
        |world, _| {
            world.write("mine.json", world.client_secrets().to_string());
        },
    ),
    ("nobody is logged in", "token --provider google", 1, |world, _| {
        world.give_client_secrets()
    }),
    (
        "a proxy with a password",
        "auth login --no-browser",
        0,
        |world, _| {
            world.give_client_secrets();
            world.set("HTTPS_PROXY", format!("http://user:{PROXY_PASSWORD}@127.0.0.1:1"));
        },
    ),
];

#[tokio::test]
async fn whatever_comes_of_a_login() {
    no_secret_is_seen(LOGINS.iter().copied()).await;
}

#[tokio::test]
async fn whatever_comes_of_a_login_on_another_device() {
    no_secret_is_seen(DEVICES.iter().copied()).await;
}

#[tokio::test]
async fn whatever_a_client_is() {
    no_secret_is_seen(CLIENTS.iter().copied()).await;
}
