//! Damaged files: always an error that says so, and nothing is thrown away.

use crate::support::{CREDENTIALS, Home, META, credential, key, loaded};
use gatepass_core::{Advice, CredentialStore, StoreError};
use gatepass_file_store::{FileStore, KeySource};

async fn failure(store: &FileStore) -> StoreError {
    loaded(store, "jane")
        .await
        .expect_err("an error, and not an absent credential")
}

fn is_corrupt(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt { .. })
}

/// How large a store to damage, at least: as a variable says, or of one credential.
#[expect(clippy::disallowed_methods, reason = "a person may want a larger one")]
fn least() -> usize {
    let wanted = std::env::var("GATEPASS_TEST_STORE_BYTES").ok();
    wanted.map_or(0, |number| number.parse().expect("a number of bytes"))
}

/// S08
#[tokio::test]
async fn every_flipped_bit_and_every_truncation_is_corrupt_and_stays_on_disk() {
    let home = Home::with_jane().await;
    let store = home.store();
    for account in 0.. {
        if home.read(CREDENTIALS).len() >= least() {
            break;
        }
        let account = format!("joe-{account}");
        store.save(&key(&account), &credential("2")).await.unwrap();
    }
    let whole = home.read(CREDENTIALS);
    let mut cases = 0_u32;
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            // White space around a token is no damage, but nothing here becomes white space at an end.
            home.write(CREDENTIALS, &damaged);
            let error = failure(&store).await;
            assert!(is_corrupt(&error), "byte {at}, bit {bit}: {error}");
            assert_eq!(home.read(CREDENTIALS), damaged, "left as it is");
            cases += 1;
        }
    }
    for length in 0..whole.len() {
        home.write(CREDENTIALS, &whole[..length]);
        let error = failure(&store).await;
        assert!(is_corrupt(&error), "{length} bytes: {error}");
        assert_eq!(home.read(CREDENTIALS), &whole[..length], "left as it is");
        cases += 1;
    }
    home.write(CREDENTIALS, &whole);
    assert_eq!(loaded(&store, "jane").await.unwrap().as_deref(), Some("1"));
    eprintln!(
        "{cases} damaged files ({} bytes: every bit, every truncation): all corrupt, all kept",
        whole.len()
    );
}

/// S08
#[tokio::test]
async fn a_damaged_key_or_description_is_an_error_and_never_a_panic() {
    for name in [".key", META] {
        let home = Home::with_jane().await;
        let store = home.store();
        let (whole, credentials) = (home.read(name), home.read(CREDENTIALS));
        let (mut failed, mut harmless) = (0, 0);
        let flips = (0..whole.len() * 8).map(|bit| {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            damaged
        });
        let truncations = (0..whole.len()).map(|length| whole[..length].to_vec());
        for damaged in flips.chain(truncations) {
            home.write(name, &damaged);
            match loaded(&store, "jane").await {
                Ok(stored) => {
                    assert_eq!(stored.as_deref(), Some("1"), "what is read is right");
                    harmless += 1;
                }
                Err(
                    StoreError::Corrupt { .. } | StoreError::WrongKey { .. } | StoreError::Refused { .. },
                ) => failed += 1,
                Err(error) => panic!("{name}: {error}"),
            }
            assert_eq!(
                (home.read(name), home.read(CREDENTIALS)),
                (damaged, credentials.clone())
            );
        }
        assert!(failed > 0 && (harmless == 0 || name == META));
        eprintln!("{name}: {failed} damages told, {harmless} in places that don't matter");
    }
}

#[tokio::test]
async fn the_error_says_what_to_do() {
    let home = Home::with_jane().await;
    home.write(CREDENTIALS, "");
    let error = failure(&home.store()).await;
    let file = home.file(CREDENTIALS);
    assert_eq!(
        error.to_string(),
        format!("the stored credential {} is corrupt", file.display())
    );
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "it is empty"
    );
    assert_eq!(error.advice(), Advice::LoginRequired);
    home.write(".key", "not a key");
    let error = failure(&home.store()).await;
    assert!(error.to_string().contains(".key"), "{error}");
}

/// S08
#[tokio::test]
async fn a_save_moves_what_is_damaged_aside_and_goes_on() {
    let home = Home::with_jane().await;
    let store = home.store();
    for number in 1..=3 {
        let damaged = format!("damaged {number}");
        home.write(CREDENTIALS, &damaged);
        store.save(&key("jane"), &credential("2")).await.unwrap();
        assert_eq!(loaded(&store, "jane").await.unwrap().as_deref(), Some("2"));
        let aside = format!("{CREDENTIALS}.unreadable-{number}");
        assert_eq!(home.read(&aside), damaged.as_bytes());
    }
}

#[tokio::test]
async fn a_delete_works_on_a_damaged_store_and_loses_no_byte() {
    let home = Home::with_jane().await;
    let store = home.store();
    let mut damaged = home.read(CREDENTIALS);
    damaged[100] ^= 2;
    home.write(CREDENTIALS, &damaged);
    assert!(store.delete(&key("jane")).await.unwrap());
    assert_eq!(home.read(&format!("{CREDENTIALS}.unreadable-1")), damaged);
    assert!(loaded(&store, "jane").await.unwrap().is_none());
    assert!(!store.delete(&key("jane")).await.unwrap());
}

#[tokio::test]
async fn a_lost_or_damaged_key_can_be_logged_out_of_and_in_again() {
    type Loss = fn(&Home);
    let losses: [(Loss, bool); 3] = [
        (|home| std::fs::remove_file(home.file(".key")).unwrap(), false),
        (|home| home.write(".key", "malformed"), true),
        (
            |home| home.write(".key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            false,
        ),
    ];
    for (lose, malformed) in losses {
        for logs_out in [true, false] {
            let home = Home::with_jane().await;
            let store = home.store();
            let original = home.read(CREDENTIALS);
            lose(&home);
            let error = failure(&store).await;
            assert!(
                if malformed {
                    is_corrupt(&error)
                } else {
                    matches!(error, StoreError::WrongKey { .. })
                },
                "{error}"
            );
            assert_eq!(error.advice(), Advice::LoginRequired);
            if logs_out {
                assert!(store.delete(&key("jane")).await.unwrap());
            }
            store.save(&key("jane"), &credential("2")).await.unwrap();
            assert_eq!(loaded(&store, "jane").await.unwrap().as_deref(), Some("2"));
            assert_eq!(home.read(&format!("{CREDENTIALS}.unreadable-1")), original);
            assert_eq!(home.file(".key.unreadable-1").exists(), malformed);
        }
    }
}

#[tokio::test]
async fn a_wrong_given_key_or_passphrase_moves_nothing() {
    let right = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let wrong = "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for (right, wrong) in [
        (KeySource::Given(right.into()), KeySource::Given(wrong.into())),
        (
            KeySource::Passphrase("right".into()),
            KeySource::Passphrase("wrong".into()),
        ),
    ] {
        let home = Home::new();
        home.with(right.clone())
            .save(&key("jane"), &credential("1"))
            .await
            .unwrap();
        let names = home.names();
        let store = home.with(wrong);
        for error in [
            failure(&store).await,
            store.save(&key("jane"), &credential("2")).await.unwrap_err(),
            store.delete(&key("jane")).await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::WrongKey { .. }), "{error}");
        }
        assert_eq!(home.names(), names);
        assert_eq!(
            loaded(&home.with(right), "jane").await.unwrap().as_deref(),
            Some("1")
        );
    }
}

/// S07
#[tokio::test]
async fn another_stores_file_is_not_taken_for_this_ones() {
    let given = || KeySource::Given("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into());
    let (home, other) = (Home::new(), Home::new());
    for home in [&home, &other] {
        home.with(given())
            .save(&key("jane"), &credential("1"))
            .await
            .unwrap();
    }
    home.write(CREDENTIALS, other.read(CREDENTIALS));
    assert!(
        is_corrupt(&failure(&home.with(given())).await),
        "the same key, another store"
    );
}
