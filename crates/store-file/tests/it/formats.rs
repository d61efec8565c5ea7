//! Files of other programs, and of other versions.

use crate::support::{CREDENTIALS, Home, META, credential, key, loaded};
use gatepass_core::{Advice, Credential, CredentialStore, ExposeSecret, StoreError};
use gatepass_file_store::{KeySource, import_kagura};
use std::time::{Duration, SystemTime};

/// Made by Kagura AI v4.3.1.
const KAGURA_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KAGURA_TOKEN: &str = "gAAAAABo7Rr4AAECAwQFBgcICQoLDA0OD_O5aVVe0Vc8SGikLPmeSXD_kc-P6PBHp3phPD3utm6GLs5bP3IkEUbRMJHgjGLzg88kiOD9xVpVffcDJO9JwOHEz-WmiVXgDLN6C7u7YhyyYFXV0oZ7ZcWMXd_WpacTyfFgWCAQRd46Qa0aiiuV95x1_s2Rf_YNq64_zbRgD4s24jrLF8iGV-1YSckC9I01KfI9F4QnKBRjWHNO3fmr9NNfkLkGr26DXPmhx96QcTZaUxqA02HOLqu2ZTywtYMfQQNiZK_MZ0JVzdvtzm7MbwmSR_eaBOH6bUI6-vAhtRVjoM_A8bbzhhnheXSk3MDTDsPWBy9UwyqeEprVy0LyOptrI5eY5ymmn5uPW3eyFut6mDeBS102B0ZL_o4uIMOKP-ykI6PLmAWIO1Yqdpfbzghqni61xHJnr5IhzHWogDhhiokFM_zAiowfY-nUvwVCaQ==";

fn kagura() -> Home {
    let home = Home::new();
    std::fs::create_dir_all(&home.path).unwrap();
    home.write(".key", KAGURA_KEY);
    home.write(CREDENTIALS, KAGURA_TOKEN);
    home
}

#[test]
fn kaguras_login_is_imported_and_left_alone() {
    let home = kagura();
    let imported = import_kagura(&home.path).unwrap();
    check_kagura(&imported.credential);
    assert_eq!(imported.client_secret.as_ref().unwrap().expose_secret(), "CSEC");
    assert!(!format!("{imported:?}").contains("CSEC") && !format!("{imported:?}").contains("ya29"));
    assert_eq!(home.names(), [".key", CREDENTIALS]);
    assert_eq!(home.read(CREDENTIALS), KAGURA_TOKEN.as_bytes());
}

fn check_kagura(credential: &Credential) {
    assert_eq!(credential.token_url, "https://oauth2.googleapis.com/token");
    assert_eq!(credential.client_id, "CID.apps.googleusercontent.com");
    let token = credential.access_token.as_ref().unwrap();
    assert_eq!(token.expose_secret(), "ya29.TEST");
    let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_369_400);
    assert_eq!(token.expires_at(), Some(expiry));
    assert_eq!(
        credential.refresh_token.as_ref().unwrap().expose_secret(),
        "1//RT"
    );
    let scopes = credential.scopes.as_ref().unwrap().to_string();
    assert_eq!(
        scopes,
        "https://www.googleapis.com/auth/generative-language openid"
    );
}

#[test]
fn what_is_wrong_with_kaguras_files_is_told_apart() {
    type Spoil = fn(&Home);
    type Verdict = fn(&StoreError) -> bool;
    let cases: [(Spoil, Verdict); 6] = [
        (
            |home| std::fs::remove_file(home.file(CREDENTIALS)).unwrap(),
            |it| matches!(it, StoreError::Unavailable { .. }),
        ),
        (
            |home| std::fs::remove_file(home.file(".key")).unwrap(),
            |it| matches!(it, StoreError::Unavailable { .. }),
        ),
        (
            |home| home.write(".key", "malformed"),
            |it| matches!(it, StoreError::Corrupt { .. }),
        ),
        (
            |home| home.write(CREDENTIALS, ""),
            |it| matches!(it, StoreError::Corrupt { .. }),
        ),
        (
            |home| home.write(CREDENTIALS, &KAGURA_TOKEN[..100]),
            |it| matches!(it, StoreError::Corrupt { .. }),
        ),
        (
            |home| home.write(".key", "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            |it| matches!(it, StoreError::WrongKey { .. }),
        ),
    ];
    for (at, (spoil, verdict)) in cases.into_iter().enumerate() {
        let home = kagura();
        spoil(&home);
        let error = import_kagura(&home.path).unwrap_err();
        assert!(verdict(&error), "case {at}: {error}");
    }
}

#[tokio::test]
async fn kaguras_directory_is_not_taken_for_a_store() {
    let home = kagura();
    #[cfg(unix)]
    std::fs::set_permissions(
        home.file(".key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    for error in [
        loaded(&home.store(), "jane").await.unwrap_err(),
        home.store()
            .save(&key("jane"), &credential("1"))
            .await
            .unwrap_err(),
        home.store().delete(&key("jane")).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
        assert!(error.fix().contains("gatepass auth import kagura"));
    }
    assert_eq!(home.read(CREDENTIALS), KAGURA_TOKEN.as_bytes());
}

/// S10: the first format, written by the first version; committed once, and readable for ever.
#[tokio::test]
async fn the_golden_file_of_version_1_opens() {
    for (source, names) in [
        (KeySource::KeyFile, &[".key", CREDENTIALS, META][..]),
        (
            KeySource::Passphrase("correct horse battery staple".into()),
            &[CREDENTIALS, META],
        ),
    ] {
        let kind = if names.contains(&".key") {
            "key-file"
        } else {
            "passphrase"
        };
        let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden/v1")
            .join(kind);
        let home = Home::new();
        std::fs::create_dir_all(&home.path).unwrap();
        for name in names {
            let committed = golden.join(name.trim_start_matches('.'));
            home.write(name, std::fs::read(committed).unwrap());
            #[cfg(unix)]
            std::fs::set_permissions(
                home.file(name),
                std::os::unix::fs::PermissionsExt::from_mode(0o600),
            )
            .unwrap();
        }
        let store = home.with(source);
        assert_eq!(store.list().await.unwrap(), [key("jane"), key("jo\u{e9}")]);
        for (account, mark) in [("jane", "1"), ("jo\u{e9}", "2")] {
            assert_eq!(loaded(&store, account).await.unwrap().as_deref(), Some(mark));
        }
        store.save(&key("new"), &credential("new")).await.unwrap();
        assert_eq!(store.list().await.unwrap().len(), 3);
    }
}

/// Writes the golden files; only for a new version of the format, into a directory of its own.
#[tokio::test]
#[ignore = "writes golden files"]
async fn write_golden_files() {
    for (kind, source) in [
        ("key-file", KeySource::KeyFile),
        (
            "passphrase",
            KeySource::Passphrase("correct horse battery staple".into()),
        ),
    ] {
        let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden/v1")
            .join(kind);
        if golden.exists() {
            eprintln!("golden files are never written again: {}", golden.display());
            continue;
        }
        let home = Home::new();
        for (account, mark) in [("jane", "1"), ("jo\u{e9}", "2")] {
            home.with(source.clone())
                .save(&key(account), &credential(mark))
                .await
                .unwrap();
        }
        std::fs::create_dir_all(&golden).unwrap();
        for name in home.names().iter().filter(|name| *name != "locks") {
            std::fs::copy(home.file(name), golden.join(name.trim_start_matches('.'))).unwrap();
        }
    }
}

/// S10
#[tokio::test]
async fn a_newer_version_is_told_and_its_file_stays_untouched() {
    let home = Home::with_jane().await;
    let mut meta: serde_json::Value = serde_json::from_slice(&home.read(META)).unwrap();
    meta["version"] = 2.into();
    meta["keys"] = "of another shape".into();
    home.write(META, meta.to_string());
    let (meta, credentials) = (home.read(META), home.read(CREDENTIALS));
    for error in [
        loaded(&home.store(), "jane").await.unwrap_err(),
        home.store()
            .save(&key("jane"), &credential("2"))
            .await
            .unwrap_err(),
        home.store().delete(&key("jane")).await.unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("a newer version of gatepass wrote it"),
            "{error}"
        );
        assert_eq!(
            (error.advice(), error.fix().as_str()),
            (Advice::FixConfig, "update gatepass")
        );
    }
    assert_eq!((home.read(META), home.read(CREDENTIALS)), (meta, credentials));
}

#[tokio::test]
async fn the_two_documented_files_are_enough() {
    let home = Home::with_jane().await;
    std::fs::remove_file(home.file(META)).unwrap();
    let store = home.store();
    assert_eq!(loaded(&store, "jane").await.unwrap().as_deref(), Some("1"));
    store.save(&key("joe"), &credential("2")).await.unwrap();
    assert!(home.file(META).exists());
    assert_eq!(store.list().await.unwrap().len(), 2);
}
