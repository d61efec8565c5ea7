//! A person logs in, is logged in, logs out.

use crate::support::{By, World, golden, golden_in, golden_login};
use gatepass_testkit::Answer;
use serde_json::json;
use std::time::{Duration, Instant};

const LOGIN: [&str; 4] = ["auth", "login", "--provider", "google"];
const STATUS: [&str; 4] = ["auth", "status", "--provider", "google"];
const LOGOUT: [&str; 4] = ["auth", "logout", "--provider", "google"];
const TOKEN: [&str; 3] = ["token", "--provider", "google"];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

async fn logged_in() -> World {
    let mut world = World::new().await;
    world.give_client_secrets();
    let outcome = world.log_in(&LOGIN, By::Browser).await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    world
}

/// G1
#[tokio::test]
async fn a_login_opens_the_browser_and_saves_what_comes() {
    use std::os::unix::fs::PermissionsExt;
    let (world, _) = golden_login("auth/login", 0, &LOGIN, By::Browser, World::give_client_secrets).await;
    let mode = |name: &str| std::fs::metadata(world.conf(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("credentials.json.enc"), mode(".key"), mode("")),
        (0o600, 0o600, 0o700)
    );
    let asked = &world.authorization.requests()[0];
    for (name, value) in [
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("code_challenge_method", "S256"),
        ("response_type", "code"),
    ] {
        assert_eq!(asked.query_value(name), Some(value), "{name}");
    }
    assert!(
        asked
            .query_value("redirect_uri")
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
}

/// B1
#[tokio::test]
async fn without_a_browser_the_address_is_printed_and_the_answer_comes_either_way() {
    let args = with(&LOGIN, &["--no-browser"]);
    golden_login(
        "auth/no_browser",
        0,
        &args,
        By::Address,
        World::give_client_secrets,
    )
    .await;
    golden_login("auth/pasted", 0, &args, By::Pasting, World::give_client_secrets).await;
    let args = with(&args, &["--json"]);
    golden_login(
        "auth/no_browser_json",
        0,
        &args,
        By::Address,
        World::give_client_secrets,
    )
    .await;
}

/// B1
#[tokio::test]
async fn another_device_will_do_where_the_provider_offers_it() {
    let args = ["auth", "login", "--provider", "team", "--device"];
    golden("auth/device", 0, &args, |world| {
        world.configure_all(&json!({ "team": world.login_entry() }));
    })
    .await;
    golden(
        "auth/device_google",
        2,
        &with(&LOGIN, &["--device"]),
        World::give_client_secrets,
    )
    .await;
}

/// H06, S11, G2
#[tokio::test]
async fn the_status_is_told_without_a_network() {
    let world = logged_in().await;
    golden_in(&world, "auth/status", 0, &STATUS).await;
    golden_in(&world, "auth/status_json", 0, &with(&STATUS, &["--json"])).await;
    golden_in(&world, "auth/list", 0, &["auth", "list"]).await;
    golden_in(&world, "auth/list_json", 0, &["auth", "list", "--json"]).await;
    golden_in(
        &world,
        "auth/status_other_account",
        1,
        &with(&STATUS, &["--account", "joe"]),
    )
    .await;
    golden("auth/status_nobody", 1, &STATUS, |_| {}).await;
    golden("auth/status_nobody_json", 1, &with(&STATUS, &["--json"]), |_| {}).await;
    golden("auth/list_nobody", 0, &["auth", "list"], |_| {}).await;
    golden("auth/list_nobody_json", 0, &["auth", "list", "--json"], |_| {}).await;
}

/// H06
#[tokio::test]
async fn the_fingerprint_tells_which_token_it_is() {
    use sha2::Digest;
    let world = logged_in().await;
    let token = world.run(&TOKEN).await.token().unwrap();
    let hash = sha2::Sha256::digest(&token);
    let digits = format!("{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
    let status = world.run(&with(&STATUS, &["--json"])).await.json();
    assert_eq!(status["fingerprint"], *digits);
    let list = world.run(&["auth", "list", "--json"]).await.json();
    assert_eq!(list["logins"][0]["fingerprint"], *digits);
}

/// G2, G7
#[tokio::test]
async fn an_expired_token_is_no_matter_as_long_as_it_can_be_refreshed() {
    let mut world = World::new().await;
    world.give_client_secrets();
    world.authorization.set_lifetime(Duration::from_secs(1));
    world.log_in(&LOGIN, By::Browser).await;
    let asked = world.authorization.requests().len();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    golden_in(&world, "auth/status_expired", 0, &STATUS).await;
    golden_in(&world, "auth/list_expired", 0, &["auth", "list"]).await;
    assert_eq!(
        world.authorization.requests().len(),
        asked,
        "status has asked a server"
    );

    world.authorization.set_lifetime(Duration::from_secs(3600));
    let token = world.run(&TOKEN).await;
    assert!(
        world.authorization.is_active(token.token().unwrap().as_str()),
        "{token:?}"
    );
    let again = world.run(&TOKEN).await;
    assert_eq!(token.stdout, again.stdout, "it was refreshed and kept");
}

/// G12
#[tokio::test]
async fn each_account_has_its_own_login() {
    let mut world = World::new().await;
    world.give_client_secrets();
    for account in ["joe@example.com", "jane@example.com"] {
        let args = with(&LOGIN, &["--account", account]);
        assert_eq!(world.log_in(&args, By::Browser).await.code, Some(0));
        let hints = world.authorization.requests();
        assert!(
            hints
                .iter()
                .any(|asked| asked.query_value("login_hint") == Some(account))
        );
    }
    golden_in(&world, "auth/status_accounts", 0, &STATUS).await;
    golden_in(
        &world,
        "auth/status_accounts_json",
        0,
        &with(&STATUS, &["--json"]),
    )
    .await;
    golden_in(
        &world,
        "auth/status_one_account",
        0,
        &with(&STATUS, &["--account", "jane@example.com"]),
    )
    .await;
    golden_in(&world, "auth/token_which_account", 2, &TOKEN).await;
    golden_in(&world, "auth/logout_which_account", 2, &LOGOUT).await;
    golden_in(&world, "auth/list_accounts", 0, &["auth", "list"]).await;

    let of = |account| with(&TOKEN, &["--account", account]);
    let joes = world.run(&of("joe@example.com")).await.token().unwrap();
    let janes = world.run(&of("jane@example.com")).await.token().unwrap();
    assert_ne!(joes, janes);
    golden_in(
        &world,
        "auth/logout_account",
        0,
        &with(&LOGOUT, &["--account", "joe@example.com"]),
    )
    .await;
    assert_eq!(
        world.run(&TOKEN).await.token().unwrap(),
        janes,
        "jane is still logged in"
    );
}

/// G5
#[tokio::test]
async fn scopes_have_short_names_and_what_is_not_granted_is_told() {
    let args = with(&LOGIN, &["--scope", "generative-language"]);
    let (world, _) = golden_login("auth/scope", 0, &args, By::Browser, World::give_client_secrets).await;
    let asked = world.authorization.requests()[0]
        .query_value("scope")
        .unwrap()
        .to_owned();
    assert_eq!(
        asked,
        "https://www.googleapis.com/auth/generative-language openid"
    );

    let prepare = |world: &mut World| {
        world.give_client_secrets();
        grant_another_scope(world);
    };
    golden_login("auth/other_scope", 0, &LOGIN, By::Browser, prepare).await;
    let (world, _) = golden_login(
        "auth/other_scope_json",
        0,
        &with(&LOGIN, &["--json"]),
        By::Browser,
        prepare,
    )
    .await;
    let status = world.run(&with(&STATUS, &["--json"])).await.json();
    assert_eq!(status["scope"], "openid extra", "stored as granted");
}

fn grant_another_scope(world: &World) {
    let body = json!({
        "access_token": "at-other-scope-canary", "token_type": "Bearer", "expires_in": 3600, "scope": "openid extra",
    });
    world.authorization.push(Answer::json(200, &body));
}

/// G3, G03
#[tokio::test]
async fn a_logout_revokes_first_and_tells_when_it_is_not_known_where() {
    let world = logged_in().await;
    let token = world.run(&TOKEN).await.token().unwrap();
    golden_in(&world, "auth/logout_google", 0, &LOGOUT).await;
    assert!(!world.authorization.is_active(&token), "it was revoked");
    golden_in(&world, "auth/status_after_logout", 1, &STATUS).await;
    golden_in(&world, "auth/logout_nobody", 0, &LOGOUT).await;
    assert!(world.conf("client_secrets.json").exists() && world.conf(".key").exists());

    let world = logged_in().await;
    world
        .authorization
        .set_metadata(json!({ "issuer": "https://another.example" }));
    golden_in(&world, "auth/logout_unrevoked", 0, &LOGOUT).await;
    assert!(world.stored_secrets().await.is_empty());

    let mut world = World::new().await;
    world.configure_all(&json!({ "team": world.login_entry() }));
    let login = ["auth", "login", "--provider", "team"];
    world.log_in(&login, By::Browser).await;
    let token = world.run(&["token", "--provider", "team"]).await.token().unwrap();
    let logout = ["auth", "logout", "--provider", "team"];
    golden_in(&world, "auth/logout", 0, &logout).await;
    assert!(!world.authorization.is_active(&token), "it was revoked");
    let refusal = json!({"error": "unsupported_token_type"});
    world
        .authorization
        .always_at("/revoke", Answer::json(400, &refusal));
    world.log_in(&login, By::Browser).await;
    golden_in(&world, "auth/logout_refused", 5, &logout).await;
    world.authorization.normal();
    world.log_in(&login, By::Browser).await;
    golden_in(&world, "auth/logout_json", 0, &with(&logout, &["--json"])).await;
    golden_in(&world, "auth/logout_nobody_json", 0, &with(&logout, &["--json"])).await;
}

/// G03
#[tokio::test]
async fn a_logout_forgets_the_login_whatever_the_server_says_to_it() {
    let mut world = World::new().await;
    let mut entry = world.login_entry();
    world.configure_all(&json!({ "team": entry }));
    let (login, logout) = (
        ["auth", "login", "--provider", "team"],
        ["auth", "logout", "--provider", "team", "--json"],
    );
    for (answer, revoked) in [
        (Answer::new(200), true),
        (
            Answer::json(400, &json!({"error": "unsupported_token_type"})),
            false,
        ),
        (Answer::new(503), false),
        (Answer::hang(), false),
        (Answer::close(), false),
        (Answer::redirect(307, "http://127.0.0.1:9/"), false),
    ] {
        world.authorization.always_at("/revoke", answer);
        logs_out_and_leaves_nothing(&mut world, &login, &logout, revoked).await;
    }

    // A server that doesn't speak TLS there.
    let address = world.authorization.address();
    entry["revocation_url"] = format!("https://{address}/revoke").into();
    world.configure_all(&json!({ "team": entry }));
    logs_out_and_leaves_nothing(&mut world, &login, &logout, false).await;
}

/// Logs in and out: the exit code tells how it went, the home has no secret of the login any more, and nobody
/// waited for long.
async fn logs_out_and_leaves_nothing(world: &mut World, login: &[&str], logout: &[&str], revoked: bool) {
    assert_eq!(world.log_in(login, By::Browser).await.code, Some(0));
    let secrets = world.stored_secrets().await;
    assert_eq!(secrets.len(), 2);
    let begin = Instant::now();
    let outcome = world.run(logout).await;
    assert!(begin.elapsed() < Duration::from_secs(9), "{:?}", begin.elapsed());
    assert_eq!(outcome.code, Some(if revoked { 0 } else { 5 }), "{outcome:?}");
    let told = outcome.json();
    assert_eq!(
        (&told["deleted"], &told["revoked"]),
        (&json!(true), &json!(revoked))
    );
    assert_eq!(told["not_revoked_because"].is_string(), !revoked, "{told}");
    assert!(world.stored_secrets().await.is_empty());
    for (path, content) in world.files() {
        for secret in &secrets {
            secret.assert_absent(&path.display().to_string(), &content);
        }
        // Encrypted, it could have them all the same, if it weren't too small.
        let encrypted = path.ends_with("credentials.json.enc");
        assert!(!encrypted || content.len() < 300, "{}", content.len());
    }
}

/// B2
#[tokio::test]
async fn a_configured_provider_is_logged_in_to_and_its_model_answers() {
    let prepare = |world: &mut World| world.configure_all(&json!({ "team": world.login_entry() }));
    let login = ["auth", "login", "--provider", "team"];
    let (world, _) = golden_login("auth/login_configured", 0, &login, By::Browser, prepare).await;
    let token = world.run(&["token", "--provider", "team", "--json"]).await;
    assert_eq!(token.json()["scope"], "openid llm.read");
    golden_in(&world, "auth/chat", 0, &["chat", "-m", "team/my-model", "Where?"]).await;
    assert_eq!(
        world.authorization.token_requests(),
        1,
        "the login's token is used"
    );
}

#[tokio::test]
async fn a_login_is_of_no_use_to_another_client_or_at_another_server() {
    let mut world = World::new().await;
    world.give_client_secrets();
    assert_eq!(world.log_in(&LOGIN, By::Browser).await.code, Some(0));
    for (name, field, value) in [
        ("token_other_client", "client_id", "another"),
        ("token_other_server", "token_uri", "https://as.example/token"),
    ] {
        let mut secrets = world.client_secrets();
        secrets["installed"][field] = value.into();
        world.write_conf("client_secrets.json", secrets.to_string());
        golden_in(&world, &format!("auth/{name}"), 2, &TOKEN).await;
    }
    world.give_client_secrets();
    assert_eq!(world.run(&TOKEN).await.code, Some(0), "it is still there");
}

#[tokio::test]
async fn a_file_of_another_place_is_kept_for_later_commands() {
    let prepare = |world: &mut World| world.write("mine.json", world.client_secrets().to_string());
    let args = with(&LOGIN, &["--client-secrets", "mine.json"]);
    let (world, _) = golden_login("auth/client_secrets", 0, &args, By::Browser, prepare).await;
    assert_eq!(
        std::fs::read(world.conf("client_secrets.json")).unwrap(),
        std::fs::read(world.path("mine.json")).unwrap()
    );
    assert_eq!(world.run(&TOKEN).await.code, Some(0));

    let prepare = |world: &mut World| {
        prepare(world);
        world.write_conf(
            "client_secrets.json",
            r#"{"installed": {"client_id": "another"}}"#,
        );
    };
    let (world, _) = golden_login("auth/client_secrets_differ", 0, &args, By::Browser, prepare).await;
    assert!(
        std::fs::read_to_string(world.conf("client_secrets.json"))
            .unwrap()
            .contains("another")
    );
    assert_eq!(world.run(&TOKEN).await.code, Some(2));
    assert_eq!(
        world
            .run(&with(&TOKEN, &["--client-secrets", "mine.json"]))
            .await
            .code,
        Some(0)
    );
}

/// G14
#[tokio::test]
async fn the_login_of_kagura_is_taken_over() {
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const LOGIN: &str = "gAAAAABo7Rr4AAECAwQFBgcICQoLDA0OD_O5aVVe0Vc8SGikLPmeSXD_kc-P6PBHp3phPD3utm6GLs5bP3IkEUbRMJHgjGLzg88kiOD9xVpVffcDJO9JwOHEz-WmiVXgDLN6C7u7YhyyYFXV0oZ7ZcWMXd_WpacTyfFgWCAQRd46Qa0aiiuV95x1_s2Rf_YNq64_zbRgD4s24jrLF8iGV-1YSckC9I01KfI9F4QnKBRjWHNO3fmr9NNfkLkGr26DXPmhx96QcTZaUxqA02HOLqu2ZTywtYMfQQNiZK_MZ0JVzdvtzm7MbwmSR_eaBOH6bUI6-vAhtRVjoM_A8bbzhhnheXSk3MDTDsPWBy9UwyqeEprVy0LyOptrI5eY5ymmn5uPW3eyFut6mDeBS102B0ZL_o4uIMOKP-ykI6PLmAWIO1Yqdpfbzghqni61xHJnr5IhzHWogDhhiokFM_zAiowfY-nUvwVCaQ==";
    let kagura = |directory: &'static str| {
        move |world: &mut World| {
            std::fs::create_dir_all(world.path(directory)).unwrap();
            world.write(&format!("{directory}/credentials.json.enc"), LOGIN);
            world.write(&format!("{directory}/.key"), KEY);
        }
    };
    let import = ["auth", "import", "kagura"];
    golden("auth/import", 0, &import, kagura(".config/kagura")).await;
    golden("auth/import_legacy", 0, &import, kagura(".kagura")).await;
    golden(
        "auth/import_json",
        0,
        &with(&import, &["--json"]),
        kagura(".kagura"),
    )
    .await;
    golden("auth/import_nothing", 2, &import, |_| {}).await;
    golden(
        "auth/import_nothing_there",
        2,
        &with(&import, &["elsewhere"]),
        |_| {},
    )
    .await;
    golden("auth/import_other_key", 3, &with(&import, &["old"]), |world| {
        kagura("old")(world);
        world.write("old/.key", "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    })
    .await;

    let mut world = World::new().await;
    kagura("old")(&mut world);
    let named = with(&import, &["old", "--account", "jane@example.com"]);
    assert_eq!(world.run(&named).await.code, Some(0));
    golden_in(&world, "auth/import_again", 2, &named).await;
    golden_in(&world, "auth/status_imported", 0, &STATUS).await;
    let client = std::fs::read_to_string(world.conf("client_secrets.json")).unwrap();
    assert!(
        client.contains("CID.apps.googleusercontent.com") && client.contains("CSEC"),
        "{client}"
    );
    golden("auth/import_other_client", 0, &with(&import, &["old"]), |world| {
        kagura("old")(world);
        world.give_client_secrets();
    })
    .await;
}
