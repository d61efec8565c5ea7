//! A person at a terminal logs in, in a real browser on a real server's pages, uses the login, and logs out.

use crate::strangers::knock;
use crate::support::{Browser, Prompt, Ran, Setup, World, say};
use gatepass_core::{Credential, CredentialKey, CredentialStore, RefreshToken};
use gatepass_file_store::{FileStore, KeySource};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpStream;

/// A server, a browser, and a `client_secrets.json` that leads there.
async fn world() -> Option<(World, Browser)> {
    let world = Setup::tokens().start().await?;
    let browser = Browser::start().await?;
    Some((world, browser))
}

fn client_secrets(world: &World) -> PathBuf {
    let server = &world.authorization.metadata;
    let content = json!({"installed": {
        "client_id": "installed",
        "client_secret": world.authorization.secret_of("installed"),
        "project_id": "a-project",
        "auth_uri": server.authorization_endpoint,
        "token_uri": server.token_endpoint,
        "redirect_uris": ["http://localhost"],
    }});
    written(world.folder().join("secrets.json"), &content.to_string())
}

/// A `gatepass.toml` with `corp`, a provider that is known by its issuer.
fn corp(world: &World, client: &str, grant: &str) -> PathBuf {
    let server = &world.authorization.metadata;
    let content = format!(
        "[oauth2_providers.corp]\ngrant_type = {grant:?}\nissuer = {:?}\nclient_id = {client:?}\nscope = \"openid llm.read\"\n\
         base_url = {:?}\n",
        server.issuer,
        world.gateway.base_url(),
    );
    written(world.folder().join("gatepass.toml"), &content)
}

fn written(path: PathBuf, content: &str) -> PathBuf {
    std::fs::write(&path, content).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path
}

async fn google(world: &World) -> Prompt {
    google_with(world, &[]).await
}

async fn google_with(world: &World, more: &[&str]) -> Prompt {
    let secrets = client_secrets(world);
    let secrets = secrets.to_str().unwrap();
    let scope = "openid llm.read";
    let arguments = [
        "--provider=google",
        "--client-secrets",
        secrets,
        "--no-browser",
        "--scope",
        scope,
    ];
    world.log_in(&[&arguments[..], more].concat()).await
}

/// Agrees, and tells how the program ended and how long that took since the click.
async fn agree(world: &World, browser: &Browser, prompt: Prompt) -> Ran {
    browser.open(&prompt.url).await;
    browser.log_in("jane").await;
    let agreed = Instant::now();
    let (ran, ()) = tokio::join!(world.log_in_ends(prompt, agreed), browser.agree());
    ran
}

async fn token(world: &World, provider: &[&str]) -> String {
    let ran = world.gatepass([&["token"], provider].concat()).await.succeeded();
    ran.stdout.trim_end().to_owned()
}

async fn introspected(world: &World, token: &str) -> Value {
    world.authorization.introspect(token).await
}

#[tokio::test]
async fn a_login_with_a_client_secrets_file_from_its_beginning_to_its_end() {
    let Some((world, browser)) = world().await else {
        return;
    };
    let of = ["--provider", "google"];
    let before = world.gatepass(["auth", "status", "--provider=google"]).await;
    assert_eq!(
        (before.code, before.stdout.as_str()),
        (
            1,
            "✗ Not authenticated with google\nRun: gatepass auth login --provider google\n"
        )
    );

    let ran = agree(&world, &browser, google(&world).await).await.succeeded();
    assert_eq!(browser.text("h1").await, "You are logged in");
    let lines: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with('✓')).collect();
    assert_eq!(lines[0], "✓ Authentication successful!", "{ran:?}");
    assert!(
        lines[1].starts_with("✓ Credentials saved to: ") && lines[1].ends_with("credentials.json.enc"),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    say(format!(
        "from the click on Continue to the prompt: {:.0?}",
        ran.elapsed
    ));

    let status = world
        .gatepass(["auth", "status", "--provider=google"])
        .await
        .succeeded();
    assert!(
        status.stdout.starts_with("✓ Authenticated with google"),
        "{status:?}"
    );
    assert!(status.stdout.contains("Token expires: "), "{status:?}");

    // Three processes, three expiries: the refresh token rotates each time.
    let mut tokens = vec![token(&world, &of).await];
    for _ in 0..3 {
        let spent = expire(&world).await;
        tokens.push(token(&world, &of).await);
        assert_ne!(kept(&world).await.1.refresh_token, spent, "rotated, and kept");
        let said = introspected(&world, tokens.last().unwrap()).await;
        assert!(
            said["active"] == true && said["sub"] == "jane" && said["client_id"] == "installed",
            "{said}"
        );
    }
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 4);
    let answers = world.authorization.token_answers().await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");

    // The file names no revocation endpoint, but the server does, beside the endpoints of the file.
    let newest = token(&world, &of).await;
    assert_eq!(introspected(&world, &newest).await["active"], true);
    let logout = world
        .gatepass(["auth", "logout", "--provider=google"])
        .await
        .succeeded();
    assert_eq!(
        (logout.stdout.as_str(), logout.stderr.as_str()),
        ("✓ Logged out from google\n✓ Login ended at the provider\n", "")
    );
    assert_eq!(introspected(&world, &newest).await["active"], false);
    let after = world.gatepass(["auth", "status", "--provider=google"]).await;
    assert_eq!(after.code, 1, "{after:?}");
    let after = world.gatepass(["token", "--provider=google"]).await;
    assert_eq!((after.code, after.stdout.as_str()), (1, ""), "{after:?}");
    assert!(after.stderr.contains("gatepass auth login"), "{after:?}");
}

#[tokio::test]
async fn a_provider_that_is_known_by_its_issuer_is_logged_in_to_and_the_logout_ends_it_there() {
    let Some((world, browser)) = world().await else {
        return;
    };
    let config = corp(&world, "desktop", "authorization_code");
    let of = ["--provider", "corp", "--config", config.to_str().unwrap()];
    let prompt = world.log_in(&[&of[..], &["--no-browser"]].concat()).await;
    agree(&world, &browser, prompt).await.succeeded();
    let first = token(&world, &of).await;
    expire(&world).await;
    let second = token(&world, &of).await;
    assert_ne!(first, second, "refreshed");
    assert_eq!(introspected(&world, &second).await["active"], true);

    let logout = world
        .gatepass([&["auth", "logout", "--json"], &of[..]].concat())
        .await
        .succeeded();
    let said = logout.json();
    assert!(said["deleted"] == true && said["revoked"] == true, "{said}");
    assert_eq!(introspected(&world, &second).await["active"], false);
    let after = world.gatepass([&["token"], &of[..]].concat()).await;
    assert_eq!(after.code, 1, "{after:?}");
    let answers = world.authorization.token_answers().await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
}

#[tokio::test]
async fn who_refuses_is_told_so_in_the_browser_and_at_the_terminal() {
    let Some((world, browser)) = world().await else {
        return;
    };
    for logs_in_first in [false, true] {
        let prompt = google(&world).await;
        browser.open(&prompt.url).await;
        if logs_in_first {
            browser.log_in("jane").await;
            browser.text("[value=consent] ~ [type=submit]").await;
        }
        let (ran, ()) = tokio::join!(world.log_in_ends(prompt, Instant::now()), browser.refuse());
        assert_eq!(browser.text("h1").await, "You are not logged in");
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.stderr.contains("access_denied") && ran.stderr.contains("help:"),
            "{ran:?}"
        );
        assert!(!ran.stdout.contains('✓'), "{ran:?}");
    }
    assert_eq!(world.authorization.token_requests().await, 0);
    assert_eq!(store(&world).list().await.unwrap(), []);
}

/// L09
#[tokio::test]
async fn who_closes_the_window_is_told_so_at_the_terminal_in_time() {
    let Some((world, browser)) = world().await else {
        return;
    };
    let prompt = google_with(&world, &["--timeout", "12"]).await;
    let (listener, began) = (prompt.listener(), Instant::now());
    browser.open(&prompt.url).await;
    browser.log_in("jane").await;
    browser.close().await;
    let closed = began.elapsed();
    let ran = world.log_in_ends(prompt, began).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("error: nobody has logged in within 12s")
            && ran.stderr.contains("help: log in again, and finish in time"),
        "{ran:?}"
    );
    assert!(
        TcpStream::connect(&listener).await.is_err(),
        "the listener is closed"
    );
    assert_eq!(world.authorization.token_requests().await, 0);
    assert_eq!(store(&world).list().await.unwrap(), []);
    say(format!(
        "the window was closed {closed:.1?} after the address was shown, and the program ended after {:.1?}",
        ran.elapsed
    ));
}

#[tokio::test]
async fn stray_and_hostile_requests_first_change_nothing() {
    let Some((world, browser)) = world().await else {
        return;
    };
    let prompt = google(&world).await;
    let (count, silent) = knock(&prompt.listener()).await;
    browser
        .open(&format!("http://{}/favicon.ico", prompt.listener()))
        .await;
    assert_eq!(world.authorization.token_requests().await, 0);
    let ran = agree(&world, &browser, prompt).await.succeeded();
    drop(silent);
    assert_eq!(browser.text("h1").await, "You are logged in");
    say(format!(
        "{count} strangers first; then {:.0?} from the click to the prompt",
        ran.elapsed
    ));
}

#[tokio::test]
async fn the_address_that_a_browser_elsewhere_was_led_to_can_be_pasted() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let server = world.authorization.metadata.issuer.trim_start_matches("http://");
    let Some(browser) = Browser::elsewhere(server).await else {
        return;
    };
    let mut prompt = google(&world).await;
    let listener = prompt.listener();
    browser.open(&prompt.url).await;
    browser.log_in("jane").await;
    browser.agree().await;
    let begin = Instant::now();
    let mut address = browser.address().await;
    while !address.starts_with(&format!("http://{listener}/?")) {
        assert!(begin.elapsed() < Duration::from_secs(20), "{address}");
        address = browser.address().await;
    }
    let code = address.split(['=', '&']).nth(1).unwrap();
    for wrong in [
        "",
        "hello",
        code,
        &address.replace("state=", "state=x"),
        &address.replace("127.0.0.1", "evil.example"),
    ] {
        prompt.types(wrong).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.authorization.token_requests().await, 0);
    prompt.types(&address).await;
    let ran = world.log_in_ends(prompt, Instant::now()).await.succeeded();
    assert_eq!(ran.stderr.matches("paste all of it").count(), 4, "{ran:?}");
    assert!(
        !ran.stdout.contains(code) && !ran.stderr.contains(code),
        "{ran:?}"
    );
    assert_eq!(
        introspected(&world, &token(&world, &["--provider=google"]).await).await["active"],
        true
    );
    say(format!(
        "from the pasted address to the prompt: {:.0?}",
        ran.elapsed
    ));
}

#[tokio::test]
async fn a_login_on_another_device_is_kept_like_any_other() {
    let Some((world, browser)) = world().await else {
        return;
    };
    let config = corp(&world, "television", "device_code");
    let of = ["--provider", "corp", "--config", config.to_str().unwrap()];
    let mut prompt = world.log_in(&of).await;
    // RFC 8628 leaves the form of a code to the server; oidc-provider's has a hyphen.
    let code = prompt.hears(|line| line.contains('-') && line.len() < 20).await;
    browser.open(&prompt.url).await;
    browser.fill("[name=user_code]", &code).await;
    browser.click("[type=submit]").await;
    browser.click("button[autofocus]").await;
    browser.log_in("jane").await;
    let (ran, ()) = tokio::join!(world.log_in_ends(prompt, Instant::now()), browser.agree());
    let ran = ran.succeeded();
    assert!(ran.stdout.contains("✓ Authentication successful!"), "{ran:?}");
    let said = introspected(&world, &token(&world, &of).await).await;
    assert!(
        said["active"] == true && said["client_id"] == "television",
        "{said}"
    );
}

/// The store of the person whose home the folder is.
fn store(world: &World) -> FileStore {
    FileStore::open(world.folder().join(".config/gatepass"), KeySource::KeyFile).unwrap()
}

/// The only login.
async fn kept(world: &World) -> (CredentialKey, Credential) {
    let store = store(world);
    let [key] = <[_; 1]>::try_from(store.list().await.unwrap()).unwrap();
    let credential = store.load(&key).await.unwrap().unwrap();
    (key, credential)
}

/// Its access token ends; the refresh token that will be spent for the next one.
async fn expire(world: &World) -> Option<RefreshToken> {
    let (key, credential) = kept(world).await;
    let refresh_token = credential.refresh_token.clone();
    let ended = credential
        .access_token
        .clone()
        .unwrap()
        .with_expires_at(SystemTime::UNIX_EPOCH);
    store(world)
        .save(&key, &credential.with_access_token(ended))
        .await
        .unwrap();
    refresh_token
}
