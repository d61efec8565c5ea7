//! Stored logins: looked at, used, refreshed, ended, imported; their files damaged, their key in all its places.

use super::{ANY, Way, no_secret_is_seen, patience};
use crate::support::World;
use crate::support::gossip::Gossip;
use crate::support::world::{ACCESS_TOKEN, API_KEY, PASSPHRASE, REFRESH_TOKEN, STORE_KEY};
use gatepass::file_store::{FileStore, KeySource};
use gatepass::{
    AccessToken, Clock, Credential, CredentialKey, CredentialStore, ProviderName, RefreshToken, SystemClock,
};
use gatepass_testkit::{Answer, AuthorizationServer};
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: &str = "token --provider team";
const STATUS: &str = "auth status --provider team";
const LOGOUT: &str = "auth logout --provider team";

/// A login at `team`, good for a while (or none) yet, in the store with this key.
fn logged_in(world: &World, key: KeySource, good_for: u64) {
    world.configure_all(&json!({ "team": world.login_entry() }));
    save(world, key, &world.authorization.token_url(), good_for);
}

/// A login that takes a refresh, which the server grants.
pub(super) fn logged_in_and_expired(world: &World) {
    logged_in(world, KeySource::KeyFile, 0);
    let fresh = json!({ "access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN, "expires_in": 3600 });
    world.authorization.always(Answer::json(200, &fresh));
}

/// The same, whose server repeats the refresh token.
fn gossips(world: &World, gossip: &Gossip, way: &str) {
    configure(world, |entry| {
        entry.as_object_mut().unwrap().remove("issuer");
        entry["authorization_url"] = world.authorization.authorization_url().into();
        entry["revocation_url"] = gossip.url(way).into();
        entry["token_url"] = gossip.url(way).into();
        entry["timeout"] = patience(way).into();
    });
    save(world, KeySource::KeyFile, &gossip.url(way), 0);
}

fn configure(world: &World, change: impl FnOnce(&mut Value)) {
    let mut entry = world.login_entry();
    change(&mut entry);
    world.configure_all(&json!({ "team": entry }));
}

fn save(world: &World, key: KeySource, token_url: &str, good_for: u64) {
    let expires_at = SystemClock.now().after(Duration::from_secs(good_for)).wall_time();
    let token = AccessToken::bearer(ACCESS_TOKEN)
        .unwrap()
        .with_expires_at(expires_at);
    let credential = Credential::new(token_url, AuthorizationServer::CLIENT_ID)
        .with_access_token(token)
        .with_refresh_token(RefreshToken::new(REFRESH_TOKEN));
    let key_of_login = CredentialKey::new(ProviderName::parse("team").unwrap());
    let directory = world.conf("");
    // The runtime of the test is busy with us.
    let saving = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let store = FileStore::open(directory, key).unwrap();
        runtime.block_on(store.save(&key_of_login, &credential)).unwrap();
    });
    saving.join().unwrap();
}

fn plain(world: &World) {
    logged_in(world, KeySource::KeyFile, 3600);
}

/// With a key that is given, from where `GATEPASS_KEY` says.
fn given(world: &mut World, place: &str) {
    logged_in(world, KeySource::Given(STORE_KEY.into()), 3600);
    world.write("secret", STORE_KEY);
    world.set("GATEPASS_KEY", place);
}

fn damage(world: &World, name: &str, change: fn(Vec<u8>) -> Vec<u8>) {
    let path = world.conf(name);
    let content = std::fs::read(&path).unwrap();
    std::fs::write(path, change(content)).unwrap();
}

const USES: &[Way] = &[
    ("it is looked at", STATUS, 0, |world, _| plain(world)),
    ("all are listed", "auth list", 0, |world, _| plain(world)),
    ("it is used", TOKEN, 0, |world, _| plain(world)),
    (
        "a model is asked with it",
        "chat -m team/m Where?",
        0,
        |world, _| {
            plain(world);
            world.model.require_bearer(ACCESS_TOKEN);
        },
    ),
    ("the doctor looks", "doctor --offline", 0, |world, _| plain(world)),
    ("it is refreshed", TOKEN, 0, |world, _| {
        logged_in_and_expired(world);
    }),
    ("its refresh is refused", TOKEN, 1, |world, _| {
        logged_in(world, KeySource::KeyFile, 0)
    }),
    ("gossip of a refresh", TOKEN, 1, |world, gossip| {
        gossips(world, gossip, "oauth/400")
    }),
    (
        "gossip of a refresh for a model",
        "chat -m team/m Where?",
        1,
        |world, gossip| gossips(world, gossip, "word/401"),
    ),
    ("gossip of a busy server", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "headers/503")
    }),
    ("gossip of a broken answer", TOKEN, 4, |world, gossip| {
        gossips(world, gossip, "broken/200")
    }),
    ("a refresh on a full disk", TOKEN, ANY, |world, _| {
        logged_in_and_expired(world);
        world.limit("trap '' XFSZ; ulimit -f 0");
    }),
    ("it is ended", LOGOUT, 0, |world, _| plain(world)),
    ("its end is gossiped of", LOGOUT, 5, |world, gossip| {
        gossips(world, gossip, "oauth/400")
    }),
    ("its end breaks the server", LOGOUT, 5, |world, gossip| {
        gossips(world, gossip, "headers/500")
    }),
    ("its end leads elsewhere", LOGOUT, 5, |world, gossip| {
        gossips(world, gossip, "location/307")
    }),
    ("its end on a full disk", LOGOUT, ANY, |world, _| {
        plain(world);
        world.limit("trap '' XFSZ; ulimit -f 0");
    }),
];

const DAMAGES: &[Way] = &[
    ("half of it is gone", STATUS, 3, |world, _| {
        plain(world);
        damage(world, "credentials.json.enc", |content| {
            content[..content.len() / 2].to_vec()
        });
    }),
    ("it is not encrypted", TOKEN, 3, |world, _| {
        plain(world);
        damage(world, "credentials.json.enc", |_| {
            format!("{{\"refresh_token\": \"{REFRESH_TOKEN}\"").into_bytes()
        });
    }),
    ("it belongs to another key", TOKEN, 3, |world, _| {
        plain(world);
        damage(world, ".key", |_| STORE_KEY.as_bytes().to_vec());
    }),
    ("its key is none", STATUS, 3, |world, _| {
        plain(world);
        damage(world, ".key", |_| PASSPHRASE.as_bytes().to_vec());
    }),
    ("its description is none", STATUS, 3, |world, _| {
        plain(world);
        damage(world, "credentials.meta.json", |_| {
            format!("{{\"version\": \"{STORE_KEY}\"").into_bytes()
        });
    }),
    (
        "an import of what is not encrypted",
        "auth import kagura old",
        3,
        |world, _| {
            std::fs::create_dir(world.path("old")).unwrap();
            world.write(
                "old/credentials.json.enc",
                format!("{{\"token\": \"{ACCESS_TOKEN}\""),
            );
            world.write("old/.key", STORE_KEY);
        },
    ),
];

const KEYS: &[Way] = &[
    ("a key in a variable", STATUS, 0, |world, _| {
        given(world, "env:MY_KEY");
        world.set("MY_KEY", STORE_KEY);
    }),
    ("a key of a command", TOKEN, 0, |world, _| {
        given(world, "command:sleep 0.1; cat secret")
    }),
    ("a key beside other secrets", TOKEN, 0, |world, _| {
        given(world, "command:sleep 0.1; cat secret");
        for name in [
            "OPENAI_API_KEY",
            "ANTHROPIC_API_KEY",
            "GOOGLE_API_KEY",
            "GEMINI_API_KEY",
        ] {
            world.set(name, API_KEY);
        }
    }),
    ("a key that is another one", STATUS, 3, |world, _| {
        given(world, "env:MY_KEY");
        world.set("MY_KEY", format!("Y{}", &STORE_KEY[1..]));
    }),
    ("a key that is none", STATUS, 3, |world, _| {
        given(world, "env:MY_KEY");
        world.set("MY_KEY", &STORE_KEY[..40]);
    }),
    ("a key in the place of its place", STATUS, 2, |world, _| {
        given(world, STORE_KEY)
    }),
    ("a key as the name of a variable", STATUS, 3, |world, _| {
        given(world, &format!("env:{STORE_KEY}"))
    }),
    ("a command that prints too much", STATUS, 3, |world, _| {
        given(world, "command:cat secret; head -c 9000 /dev/zero")
    }),
    ("a command that fails", STATUS, 3, |world, _| {
        given(world, "command:cat secret; exit 3")
    }),
    ("a passphrase", STATUS, 0, |world, _| {
        logged_in(world, KeySource::Passphrase(PASSPHRASE.into()), 3600);
        world.write("secret", PASSPHRASE);
        world.set("GATEPASS_KEY", "passphrase-command:cat secret");
    }),
    ("a passphrase that is another one", TOKEN, 3, |world, _| {
        logged_in(world, KeySource::Passphrase("another one".into()), 3600);
        world.set("GATEPASS_KEY", "passphrase-env:MY_PASSPHRASE");
        world.set("MY_PASSPHRASE", PASSPHRASE);
    }),
    (
        "a passphrase and a login",
        "auth login --provider team",
        0,
        |world, _| {
            configure(world, |_| {});
            world.set("GATEPASS_KEY", "passphrase-env:MY_PASSPHRASE");
            world.set("MY_PASSPHRASE", PASSPHRASE);
        },
    ),
];

#[tokio::test]
async fn whatever_becomes_of_a_stored_login() {
    no_secret_is_seen(USES.iter().copied()).await;
}

#[tokio::test]
async fn whatever_becomes_of_its_file() {
    no_secret_is_seen(DAMAGES.iter().copied()).await;
}

#[tokio::test]
async fn wherever_its_key_is() {
    no_secret_is_seen(KEYS.iter().copied()).await;
}
