//! H04: what is left of a login's secrets in the memory of a process that has dropped it.
//!
//! A second process (this binary again) loads a login, refreshes it, drops everything and, later, logs out; a second after
//! each, this one looks through its memory, `/proc/PID/mem`. What it finds is printed with what stands around it
//! (`cargo nextest run -p gatepass memory --success-output immediate`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use gatepass::file_store::{FileStore, KeySource};
use gatepass::http_client::{HttpClient, HttpOptions, ServerUrl, Transport};
use gatepass::oauth2::{Client, RefreshTokenSource, TokenEndpoint};
use gatepass::{
    AccessToken, CachedTokenSource, Credential, CredentialKey, CredentialStore, FileKey, Profile,
    ProviderName, RefreshToken, TokenSource,
};
use gatepass_testkit::{Answer, AuthorizationServer};
use serde_json::json;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

/// Tells the second process where all is.
const DIRECTORY: &str = "GATEPASS_TEST_DIRECTORY";
const SERVER: &str = "GATEPASS_TEST_SERVER";
const KEY: &str = "GATEPASS_TEST_KEY";

fn key() -> CredentialKey {
    CredentialKey::new(ProviderName::parse("corp").unwrap())
}

/// Nobody has had these before: 64 hexadecimal digits.
fn random() -> String {
    (0..4)
        .map(|number| format!("{:016x}", RandomState::new().hash_one(number)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_and_a_login_are_wiped() {
    let raw = random()[..32].to_owned();
    let text = URL_SAFE.encode(&raw);
    let key = KeySource::Given(text.as_str().into());
    let secrets = [
        ("the store's key", raw),
        ("the store's key as text", text.clone()),
    ];
    look_at_a_process("command", &text, key, secrets.to_vec()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passphrase_and_a_login_are_wiped() {
    let passphrase = random();
    let key = KeySource::Passphrase(passphrase.as_str().into());
    let secrets = vec![("the passphrase", passphrase.clone())];
    look_at_a_process("passphrase-command", &passphrase, key, secrets).await;
}

async fn look_at_a_process(
    kind: &str,
    secret: &str,
    key_source: KeySource,
    mut secrets: Vec<(&'static str, String)>,
) {
    let (old, new, access, id) = (random(), random(), random(), random());
    let server = AuthorizationServer::start().await;
    server.always(Answer::json(
        200,
        &json!({ "access_token": access, "refresh_token": new, "id_token": id, "expires_in": 3600, "token_type": "Bearer" }),
    ));
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("secret"), secret).unwrap();
    let credential = Credential::new(server.token_url(), "app")
        .with_access_token(
            AccessToken::bearer(random())
                .unwrap()
                .with_expires_at(SystemTime::UNIX_EPOCH),
        )
        .with_refresh_token(RefreshToken::new(old.as_str()));
    let store = FileStore::open(directory.path().join("logins"), key_source).unwrap();
    store.save(&key(), &credential).await.unwrap();

    let name = format!("{kind}:cat '{}'", directory.path().join("secret").display());
    let mut second = Second::start(directory.path(), &server.token_url(), &name);
    secrets.extend([
        ("the old refresh token", old),
        ("the refresh token", new),
        ("the access token", access),
    ]);
    second.next("in use");
    let in_use = second.search(&secrets);
    assert!(
        in_use.iter().any(|found| found.what == "the access token"),
        "the search finds nothing where there must be something"
    );
    for stage in ["dropped", "logged out"] {
        second.next(stage);
        let left = second.search(&secrets);
        println!("{kind}, {stage}: {} copies", left.len());
        for found in &left {
            println!(
                "  {} at {:x} in {}: {}",
                found.what, found.at, found.region, found.around
            );
        }
        assert!(
            left.iter().all(Found::is_bearable),
            "{stage}: secrets of ours are left"
        );
    }
    assert_eq!(server.token_requests(), 1);
}

struct Second {
    child: Child,
    says: BufReader<std::process::ChildStdout>,
}

struct Found {
    what: &'static str,
    at: u64,
    region: String,
    around: String,
}

impl Found {
    /// The HTTP library's own buffers, of the answer and of requests with the access token, which ends within the hour,
    /// can't be wiped from outside.
    fn is_bearable(&self) -> bool {
        self.what == "the access token" || self.around.contains(r#"\"refresh_token\":\""#)
    }
}

impl Second {
    fn start(directory: &Path, server: &str, key: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "memory::in_a_process_of_its_own",
                "--ignored",
                "--nocapture",
            ])
            .env(DIRECTORY, directory)
            .env(SERVER, server)
            .env(KEY, key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        Self { child, says }
    }

    /// Lets it go on until it has come to `stage`.
    fn next(&mut self, stage: &str) {
        writeln!(self.child.stdin.as_mut().unwrap()).unwrap();
        let mut line = String::new();
        while !line.ends_with(&format!("{stage}\n")) {
            line.clear();
            assert!(
                self.says.read_line(&mut line).unwrap() > 0,
                "it ended before it was {stage}"
            );
        }
    }

    /// Looks through all that it can write to, for each 16 bytes of a secret: the beginning of what was freed is
    /// overwritten at once.
    fn search(&self, secrets: &[(&'static str, String)]) -> Vec<Found> {
        let pid = self.child.id();
        let mut memory = File::open(format!("/proc/{pid}/mem")).unwrap();
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let mut found = Vec::new();
        for line in maps.lines() {
            let mut fields = line.split_whitespace();
            let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
            let region = fields.nth(3).unwrap_or("anonymous memory");
            if !rights.starts_with("rw") {
                continue;
            }
            let (begin, end) = range.split_once('-').unwrap();
            let (begin, end) = (
                u64::from_str_radix(begin, 16).unwrap(),
                u64::from_str_radix(end, 16).unwrap(),
            );
            let mut bytes = vec![0; usize::try_from(end - begin).unwrap()];
            memory.seek(SeekFrom::Start(begin)).unwrap();
            if memory.read_exact(&mut bytes).is_err() {
                continue;
            }
            for (what, at) in places(&bytes, secrets) {
                let around = &bytes[at.saturating_sub(64)..(at + 80).min(bytes.len())];
                found.push(Found {
                    what,
                    at: begin + at as u64,
                    region: region.to_owned(),
                    around: around.escape_ascii().to_string(),
                });
            }
        }
        found
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Where copies are, or what is left of them.
fn places(bytes: &[u8], secrets: &[(&'static str, String)]) -> Vec<(&'static str, usize)> {
    let pieces = |secret: &'_ (&'static str, String)| {
        let pieces = secret.1.as_bytes().chunks_exact(16).map(<[u8]>::to_vec);
        pieces.map(|piece| (secret.0, piece)).collect::<Vec<_>>()
    };
    let pieces: Vec<(&'static str, Vec<u8>)> = secrets.iter().flat_map(pieces).collect();
    let mut begins = [false; 256];
    for (_, piece) in &pieces {
        begins[usize::from(piece[0])] = true;
    }
    let mut places: Vec<(&'static str, usize)> = Vec::new();
    for (at, first) in bytes.iter().enumerate() {
        if !begins[usize::from(*first)] {
            continue;
        }
        let Some((what, _)) = pieces.iter().find(|(_, piece)| bytes[at..].starts_with(piece)) else {
            continue;
        };
        if places
            .iter()
            .all(|(known, place)| known != what || at - place > 64)
        {
            places.push((what, at));
        }
    }
    places
}

#[test]
#[ignore = "run by the tests above"]
#[expect(clippy::disallowed_methods, reason = "the tests above say where all is")]
fn in_a_process_of_its_own() {
    let variable = |name| std::env::var(name).unwrap();
    let directory = PathBuf::from(variable(DIRECTORY));
    let profile = Profile::new(directory.join("logins")).with_key(FileKey::parse(&variable(KEY)).unwrap());
    let url = ServerUrl::parse(&variable(SERVER), "token_url", Transport::Encrypted).unwrap();
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    };
    wait_for_a_word();

    let working = runtime();
    let http = HttpClient::new(HttpOptions::default()).unwrap();
    let endpoint = TokenEndpoint::new(http, url, Client::public("app"));
    let source = RefreshTokenSource::new(endpoint, profile.store().unwrap(), key());
    let source = CachedTokenSource::new(source);
    let token = working.block_on(source.token()).unwrap();
    working.block_on(source.token()).unwrap();
    say("in use");

    drop((source, token));
    drop(working);
    std::thread::sleep(Duration::from_secs(1));
    say("dropped");

    let leaving = runtime();
    leaving
        .block_on(async { profile.store().unwrap().delete(&key()).await })
        .unwrap();
    drop(leaving);
    std::thread::sleep(Duration::from_secs(1));
    say("logged out");
}

fn say(stage: &str) {
    println!("{stage}");
    wait_for_a_word();
}

fn wait_for_a_word() {
    let mut word = String::new();
    std::io::stdin().read_line(&mut word).unwrap();
}
