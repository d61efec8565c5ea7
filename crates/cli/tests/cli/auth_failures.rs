//! What goes wrong with logins: each with its message, its next step and its exit code.

use crate::support::{By, World, golden, golden_in, golden_login};
use gatepass_testkit::{Answer, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

/// What happens to a stored login.
type Damage<'a> = &'a dyn Fn(&World);

const LOGIN: [&str; 4] = ["auth", "login", "--provider", "google"];
const STATUS: [&str; 4] = ["auth", "status", "--provider", "google"];
const LOGOUT: [&str; 4] = ["auth", "logout", "--provider", "google"];
const TOKEN: [&str; 3] = ["token", "--provider", "google"];

fn secrets(content: impl Fn(&World) -> Vec<u8>) -> impl Fn(&mut World) {
    move |world| {
        let content = content(world);
        world.write_conf("client_secrets.json", content);
    }
}

fn invalid_grant() -> Answer {
    let body = json!({ "error": "invalid_grant", "error_description": "Token has been expired\u{1b}[2J or revoked." });
    Answer::json(400, &body)
}

/// G4, G8
#[tokio::test]
async fn client_secrets_that_cannot_be_used_are_told_with_the_way_to_better_ones() {
    golden("auth_failures/secrets_missing", 2, &LOGIN, |_| {}).await;
    golden("auth_failures/secrets_missing_token", 2, &TOKEN, |_| {}).await;
    let json = [&LOGIN[..], &["--json"]].concat();
    golden("auth_failures/secrets_missing_json", 2, &json, |_| {}).await;
    let elsewhere = [&LOGIN[..], &["--client-secrets", "nowhere.json"]].concat();
    golden("auth_failures/secrets_missing_elsewhere", 2, &elsewhere, |_| {}).await;
    let service_account = secrets(|_| {
        json!({"type": "service_account", "private_key": crate::support::world::CLIENT_SECRET})
            .to_string()
            .into()
    });
    golden(
        "auth_failures/secrets_service_account",
        2,
        &LOGIN,
        service_account,
    )
    .await;
    let web = secrets(|world| {
        let mut secrets = world.client_secrets();
        let installed = secrets["installed"].take();
        json!({ "web": installed }).to_string().into()
    });
    golden("auth_failures/secrets_web", 2, &LOGIN, web).await;
    let cut_off = secrets(|world| {
        let text = world.client_secrets().to_string();
        text[..30].into()
    });
    golden("auth_failures/secrets_cut_off", 2, &LOGIN, cut_off).await;
    let directory = |world: &mut World| std::fs::create_dir_all(world.conf("client_secrets.json")).unwrap();
    golden("auth_failures/secrets_directory", 2, &LOGIN, directory).await;
    let pipe = |world: &mut World| {
        std::fs::create_dir_all(world.conf("")).unwrap();
        make_pipe(&world.conf("client_secrets.json"));
    };
    golden("auth_failures/secrets_pipe", 2, &LOGIN, pipe).await;
    let unencrypted = secrets(|world| {
        let mut secrets = world.client_secrets();
        secrets["installed"]["token_uri"] = "http://as.example/token".into();
        secrets.to_string().into()
    });
    golden("auth_failures/secrets_unencrypted", 2, &LOGIN, unencrypted).await;
}

fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[tokio::test]
async fn client_secrets_that_others_can_read_are_warned_of() {
    golden_login(
        "auth_failures/secrets_readable",
        0,
        &LOGIN,
        By::Browser,
        |world| {
            world.give_client_secrets();
            let everybody = Permissions::from_mode(0o644);
            std::fs::set_permissions(world.conf("client_secrets.json"), everybody).unwrap();
        },
    )
    .await;
}

/// H06
#[tokio::test]
async fn a_name_is_no_path_and_drives_no_terminal() {
    for (name, args) in [
        ("provider_path", &["auth", "login", "--provider", "../../etc"][..]),
        (
            "provider_control",
            &["auth", "status", "--provider", "a\u{1b}[2J"],
        ),
        ("provider_empty", &["auth", "logout", "--provider", ""]),
        ("account_path", &["auth", "login", "--account", "../jane"]),
        ("account_control", &["auth", "status", "--account", "jane\u{7}"]),
        ("account_logout", &["auth", "logout", "--account", "a/b"]),
        (
            "account_import",
            &["auth", "import", "kagura", "old", "--account", ".."],
        ),
        ("unknown_provider", &["auth", "login", "--provider", "goggle"]),
        ("client_credentials", &["auth", "login", "--provider", "corp"]),
        ("scope", &["auth", "login", "--scope", "a  b"]),
        ("store", &["auth", "status", "--store", "cloud"]),
        ("device_and_paste", &["auth", "login", "--device", "--no-browser"]),
        ("program", &["auth", "import", "gcloud"]),
    ] {
        golden(
            &format!("auth_failures/name_{name}"),
            2,
            args,
            World::give_client_secrets,
        )
        .await;
    }
}

#[tokio::test]
async fn without_a_browser_or_a_port_there_is_no_login() {
    golden("auth_failures/no_browser", 1, &LOGIN, |world| {
        world.give_client_secrets();
        world.set("BROWSER", "/nowhere/browser");
    })
    .await;

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    golden("auth_failures/no_port", 1, &LOGIN, |world| {
        let mut secrets = world.client_secrets();
        let mut web = secrets["installed"].take();
        web["redirect_uris"] = json!([format!("http://127.0.0.1:{port}/")]);
        world.write_conf("client_secrets.json", json!({ "web": web }).to_string());
    })
    .await;
}

/// L05
#[tokio::test]
async fn who_refuses_is_not_logged_in() {
    let refuse = |error: &'static str| {
        move |world: &mut World| {
            world.give_client_secrets();
            world.authorization.refuse(error);
        }
    };
    let json = [&LOGIN[..], &["--json"]].concat();
    golden_login(
        "auth_failures/refused",
        1,
        &LOGIN,
        By::Browser,
        refuse("access_denied"),
    )
    .await;
    golden_login(
        "auth_failures/refused_json",
        1,
        &json,
        By::Browser,
        refuse("access_denied"),
    )
    .await;
    let (world, _) = golden_login(
        "auth_failures/invalid_scope",
        1,
        &LOGIN,
        By::Browser,
        refuse("invalid_scope"),
    )
    .await;
    golden_in(&world, "auth_failures/status_after_refusal", 1, &STATUS).await;
}

/// L09
#[tokio::test]
async fn who_does_not_come_in_time_is_not_logged_in() {
    let patience = ["--no-browser", "--timeout", "1"];
    let args = [&LOGIN[..], &patience].concat();
    golden("auth_failures/timed_out", 1, &args, World::give_client_secrets).await;
    let args = [&LOGIN[..2], &["--provider", "team", "--device", "--timeout", "1"]].concat();
    golden("auth_failures/timed_out_device", 1, &args, |world| {
        world.configure_all(&json!({ "team": world.login_entry() }));
    })
    .await;
    let args = [&LOGIN[..], &["--timeout", "0"]].concat();
    golden("auth_failures/timeout_of_none", 2, &args, |_| {}).await;
}

#[tokio::test]
async fn an_exchange_that_fails_is_told_in_the_servers_own_words() {
    let answering = |answer: fn() -> Answer| {
        move |world: &mut World| {
            world.give_client_secrets();
            world.authorization.always_at("/token", answer());
        }
    };
    for (name, code, answer) in [
        ("invalid_grant", 1, invalid_grant as fn() -> Answer),
        ("html", 4, || Answer::text(200, "<html>")),
        ("no_token", 4, || {
            Answer::json(200, &json!({ "token_type": "Bearer" }))
        }),
        ("redirect", 4, || {
            Answer::redirect(302, "https://elsewhere.example/")
        }),
    ] {
        golden_login(
            &format!("auth_failures/exchange_{name}"),
            code,
            &LOGIN,
            By::Browser,
            answering(answer),
        )
        .await;
    }
}

/// G8
#[tokio::test]
async fn a_login_that_has_ended_asks_for_another() {
    let mut world = World::new().await;
    world.give_client_secrets();
    world
        .authorization
        .set_lifetime(std::time::Duration::from_secs(1));
    world.log_in(&LOGIN, By::Browser).await;
    world.authorization.always_at("/token", invalid_grant());
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    golden_in(&world, "auth_failures/refresh_refused", 1, &TOKEN).await;
    let json = [&TOKEN[..], &["--json"]].concat();
    golden_in(&world, "auth_failures/refresh_refused_json", 1, &json).await;
    let chat = ["chat", "-m", "gemini/gemini-2.5-flash", "Where?"];
    golden_in(&world, "auth_failures/refresh_refused_chat", 1, &chat).await;
    golden(
        "auth_failures/not_logged_in",
        1,
        &TOKEN,
        World::give_client_secrets,
    )
    .await;
    let account = [&TOKEN[..], &["--account", "jane"]].concat();
    golden(
        "auth_failures/not_logged_in_account",
        1,
        &account,
        World::give_client_secrets,
    )
    .await;
}

/// What became of the stored file.
async fn with_stored(damage: impl Fn(&World)) -> World {
    let mut world = World::new().await;
    world.give_client_secrets();
    assert_eq!(world.log_in(&LOGIN, By::Browser).await.code, Some(0));
    damage(&world);
    world
}

/// S08, G2, G3, G8
#[tokio::test]
async fn a_stored_file_that_cannot_be_read_is_3_and_logging_out_and_in_mends_it() {
    let truncate = |world: &World| {
        let path = world.conf("credentials.json.enc");
        let content = std::fs::read(&path).unwrap();
        std::fs::write(path, &content[..content.len() / 2]).unwrap();
    };
    let empty = |world: &World| std::fs::write(world.conf("credentials.json.enc"), "").unwrap();
    let other_key = |world: &World| {
        std::fs::write(world.conf(".key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    };
    let damages: [(&str, Damage<'_>); 3] = [
        ("truncated", &truncate),
        ("empty", &empty),
        ("other_key", &other_key),
    ];
    for (name, damage) in damages {
        let mut world = with_stored(damage).await;
        golden_in(&world, &format!("auth_failures/stored_{name}"), 3, &STATUS).await;
        golden_in(&world, &format!("auth_failures/stored_{name}_token"), 3, &TOKEN).await;
        let damaged = std::fs::read(world.conf("credentials.json.enc")).unwrap();
        golden_in(&world, &format!("auth_failures/stored_{name}_logout"), 0, &LOGOUT).await;
        let kept = std::fs::read(world.conf("credentials.json.enc.unreadable-1")).unwrap();
        assert_eq!(kept, damaged, "other logins may be in it");
        golden_in(&world, "auth_failures/stored_deleted", 1, &STATUS).await;
        assert_eq!(world.log_in(&LOGIN, By::Browser).await.code, Some(0), "{name}");
        assert_eq!(world.run(&STATUS).await.code, Some(0), "{name}");
    }
    let world = with_stored(truncate).await;
    let json = [&STATUS[..], &["--json"]].concat();
    golden_in(&world, "auth_failures/stored_truncated_json", 3, &json).await;
    let json = [&LOGOUT[..], &["--json"]].concat();
    golden_in(&world, "auth_failures/stored_truncated_logout_json", 0, &json).await;
}

#[tokio::test]
async fn a_stored_file_that_somebody_must_look_at_is_left_alone() {
    let newer = |world: &World| {
        let path = world.conf("credentials.meta.json");
        let mut meta: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        meta["version"] = 2.into();
        std::fs::write(path, meta.to_string()).unwrap();
    };
    let symlink = |world: &World| {
        std::fs::rename(world.conf("credentials.json.enc"), world.path("moved")).unwrap();
        std::os::unix::fs::symlink(world.path("moved"), world.conf("credentials.json.enc")).unwrap();
    };
    let fifo = |world: &World| {
        let path = world.conf("credentials.json.enc");
        std::fs::remove_file(&path).unwrap();
        make_pipe(&path);
    };
    let damages: [(&str, Damage<'_>); 3] = [("newer", &newer), ("symlink", &symlink), ("fifo", &fifo)];
    for (name, damage) in damages {
        let world = with_stored(damage).await;
        golden_in(&world, &format!("auth_failures/stored_{name}"), 3, &STATUS).await;
        golden_in(&world, &format!("auth_failures/stored_{name}_logout"), 3, &LOGOUT).await;
        let asked = world.authorization.requests().len();
        // Nobody logs in for nothing.
        golden_in(&world, &format!("auth_failures/stored_{name}_login"), 3, &LOGIN).await;
        assert_eq!(world.authorization.requests().len(), asked, "{name}");
    }
    let foreign = with_stored(|_| {}).await;
    if std::os::unix::fs::chown(foreign.conf("credentials.json.enc"), Some(12_345), None).is_err() {
        eprintln!("LEFT OUT: a stored file of somebody else: only root can give it away");
        return;
    }
    golden_in(&foreign, "auth_failures/stored_foreign", 3, &STATUS).await;
}

/// G3
#[tokio::test]
async fn a_key_that_others_could_read_keeps_nobody_from_logging_out() {
    let mut world = with_stored(|_| {}).await;
    let jane = [&LOGIN[..], &["--account", "jane"]].concat();
    assert_eq!(world.log_in(&jane, By::Browser).await.code, Some(0));
    let key_file = world.conf(".key");
    let known = std::fs::read(&key_file).unwrap();
    std::fs::set_permissions(&key_file, Permissions::from_mode(0o644)).unwrap();

    golden_in(&world, "auth_failures/stored_loose_key", 3, &STATUS).await;
    let logout = [&LOGOUT[..], &["--account", "default"]].concat();
    golden_in(&world, "auth_failures/stored_loose_key_logout", 0, &logout).await;
    let mode = std::fs::metadata(&key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_ne!(
        std::fs::read(&key_file).unwrap(),
        known,
        "jane's login isn't left to who knows the old key"
    );
    golden_in(
        &world,
        "auth_failures/stored_loose_key_after",
        0,
        &["auth", "list"],
    )
    .await;
}

/// G3
#[tokio::test]
async fn logging_out_where_nobody_is_logged_in_makes_nothing() {
    for account in [&[][..], &["--account", "jane"]] {
        let world = World::new().await;
        let before = world.files();
        let outcome = world.run(&[&LOGOUT[..], account].concat()).await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        assert_eq!(world.files(), before);
        assert!(!world.conf("").exists());
    }
}

/// G2
#[tokio::test]
async fn nobody_is_told_to_log_in_where_that_cannot_be_done() {
    let status = |provider| ["auth", "status", "--provider", provider];
    golden("auth_failures/status_unknown", 2, &status("nosuch"), |_| {}).await;
    let logout = |provider| ["auth", "logout", "--provider", provider];
    golden("auth_failures/logout_unknown", 2, &logout("nosuch"), |_| {}).await;
    golden(
        "auth_failures/logout_client_credentials",
        2,
        &logout("corp"),
        |_| {},
    )
    .await;
    golden(
        "auth_failures/status_client_credentials",
        2,
        &status("corp"),
        |_| {},
    )
    .await;
    let device = [&LOGIN[..], &["--device"]].concat();
    golden("auth_failures/device_google", 2, &device, |_| {}).await;
}

#[tokio::test]
async fn without_a_place_for_logins_the_variable_is_asked_for() {
    let homeless = |world: &mut World| world.set("HOME", "");
    golden("auth_failures/no_home", 2, &STATUS, homeless).await;
    golden("auth_failures/no_home_login", 2, &LOGIN, homeless).await;
    golden("auth_failures/no_home_token", 2, &TOKEN, homeless).await;
    let elsewhere = [&LOGIN[..], &["--client-secrets", "client_secrets.json"]].concat();
    golden("auth_failures/no_place", 3, &elsewhere, |world| {
        let secrets = world.client_secrets().to_string();
        world.write("file", "");
        world.write("client_secrets.json", secrets);
        world.set(
            "GATEPASS_CONFIG_DIR",
            world.path("file/gatepass").display().to_string(),
        );
        world.set("BROWSER", "/nowhere/browser");
    })
    .await;
}

#[tokio::test]
async fn two_logins_at_once_do_each_other_no_harm() {
    let mut first = World::new().await;
    first.give_client_secrets();
    let args = |account| [&LOGIN[..], &["--no-browser", "--account", account]].concat();
    let spawn = |account| {
        let mut command = first.command(&args(account));
        command.stdin(Stdio::piped()).spawn().unwrap()
    };
    let (mut joe, mut jane) = (spawn("joe"), spawn("jane"));
    let joes = first.printed_address(&mut joe).await;
    let janes = first.printed_address(&mut jane).await;
    let (one, two) = tokio::join!(gatepass_testkit::visit(&janes), gatepass_testkit::visit(&joes));
    assert_eq!((one.unwrap().status, two.unwrap().status), (200, 200));
    let (joe, jane) = tokio::join!(first.outcome(joe), first.outcome(jane));
    assert_eq!((joe.code, jane.code), (Some(0), Some(0)), "{joe:?} {jane:?}");
    let logins = first.run(&["auth", "list", "--json"]).await.json();
    assert_eq!(logins["logins"].as_array().unwrap().len(), 2);
}

/// Nobody pastes anything, and whoever started it has closed stdin: the answer comes by the browser.
#[tokio::test]
async fn an_end_of_stdin_does_not_end_a_login() {
    let mut world = World::new().await;
    world.give_client_secrets();
    let args = [&LOGIN[..], &["--no-browser"]].concat();
    let mut child = world.command(&args).stdin(Stdio::null()).spawn().unwrap();
    let address = world.printed_address(&mut child).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    gatepass_testkit::visit(&address).await.unwrap();
    assert_eq!(world.outcome(child).await.code, Some(0));
}

/// L09
#[tokio::test]
async fn a_login_is_given_up_by_ctrl_c() {
    let mut world = World::new().await;
    world.give_client_secrets();
    let args = [&LOGIN[..], &["--no-browser"]].concat();
    let mut child = world.command(&args).stdin(Stdio::piped()).spawn().unwrap();
    let address = world.printed_address(&mut child).await;
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let outcome = world.outcome(child).await;
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(130), "interrupted\n")
    );
    let led = gatepass_testkit::visit(&address).await;
    assert!(led.is_err(), "somebody still listens: {led:?}");
    assert_eq!(world.run(&STATUS).await.code, Some(1));
}

/// A rotation whose answer comes after Ctrl-C is saved all the same: without it the login would be lost.
/// R05
#[tokio::test]
async fn ctrl_c_during_a_refresh_does_not_lose_the_login() {
    let mut world = World::new().await;
    world.give_client_secrets();
    world.authorization.rotate_refresh_tokens(true);
    world.authorization.punish_reuse(true);
    world
        .authorization
        .set_lifetime(std::time::Duration::from_secs(1));
    world.log_in(&LOGIN, By::Browser).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    world
        .authorization
        .set_lifetime(std::time::Duration::from_secs(3600));
    world
        .authorization
        .set_delay(std::time::Duration::from_millis(700));
    let child = world.command(&TOKEN).spawn().unwrap();
    eventually("the refresh is under way", || {
        world.authorization.token_requests() == 2
    })
    .await;
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(world.outcome(child).await.code, Some(130));
    let token = world.run(&TOKEN).await;
    assert!(
        world.authorization.is_active(&token.token().unwrap()),
        "{token:?}"
    );
    assert_eq!(world.authorization.token_requests(), 2, "what came late was kept");
}
