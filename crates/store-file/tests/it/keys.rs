//! Where the key comes from, and how it changes.

use crate::support::{CREDENTIALS, Home, META, credential, key, loaded};
use gatepass_core::{CredentialStore, ExposeSecret, SecretString, StoreError};
use gatepass_file_store::{FileStore, KeyLocation, KeySlot, KeySource, KeyVault};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const GIVEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[derive(Debug, Default)]
struct TestVault(Mutex<HashMap<KeySlot, SecretString>>);

impl KeyVault for TestVault {
    fn read(&self, slot: KeySlot) -> Result<Option<SecretString>, StoreError> {
        Ok(self.0.lock().unwrap().get(&slot).cloned())
    }

    fn write(&self, slot: KeySlot, key: &SecretString) -> Result<(), StoreError> {
        self.0.lock().unwrap().insert(slot, key.clone());
        Ok(())
    }

    fn remove(&self, slot: KeySlot) -> Result<(), StoreError> {
        self.0.lock().unwrap().remove(&slot);
        Ok(())
    }

    fn location(&self) -> String {
        "the test's vault".into()
    }
}

pub(crate) fn sources() -> [KeySource; 4] {
    [
        KeySource::KeyFile,
        KeySource::Passphrase("correct horse battery staple".into()),
        KeySource::Given(GIVEN.into()),
        KeySource::Vault(Arc::new(TestVault::default())),
    ]
}

#[tokio::test]
async fn every_source_opens_what_it_closed() {
    for source in sources() {
        let home = Home::new();
        home.with(source.clone())
            .save(&key("jane"), &credential("1"))
            .await
            .unwrap();
        assert_eq!(
            loaded(&home.with(source.clone()), "jane")
                .await
                .unwrap()
                .as_deref(),
            Some("1")
        );
        assert_eq!(
            home.file(".key").exists(),
            matches!(source, KeySource::KeyFile),
            "no key on the disk that isn't said to be there"
        );
    }
}

#[tokio::test]
async fn who_forgot_where_the_key_is_moves_nothing_aside() {
    for (made, right) in sources().into_iter().enumerate() {
        let home = Home::new();
        home.with(right.clone())
            .save(&key("jane"), &credential("1"))
            .await
            .unwrap();
        let names = home.names();
        for (forgot, wrong) in sources().into_iter().enumerate() {
            if made == forgot {
                continue;
            }
            let store = home.with(wrong);
            for error in [
                loaded(&store, "jane").await.unwrap_err(),
                store.save(&key("jane"), &credential("2")).await.unwrap_err(),
                store.delete(&key("jane")).await.unwrap_err(),
                store.rotate_key(right.clone()).await.unwrap_err(),
            ] {
                assert!(matches!(error, StoreError::Refused { .. }), "{error}");
                let word = home.with(right.clone()).key_location().word();
                assert!(error.to_string().contains(word), "{error}");
            }
        }
        let now: Vec<_> = home.names().into_iter().filter(|name| name != "locks").collect();
        let before: Vec<_> = names.into_iter().filter(|name| name != "locks").collect();
        assert_eq!(now, before);
        assert_eq!(
            loaded(&home.with(right), "jane").await.unwrap().as_deref(),
            Some("1")
        );
    }
}

#[tokio::test]
async fn a_stray_key_file_takes_no_passphrase_store_with_it() {
    let home = Home::new();
    let passphrase = home.with(KeySource::Passphrase("correct horse".into()));
    passphrase.save(&key("jane"), &credential("1")).await.unwrap();
    home.write(".key", "malformed");
    #[cfg(unix)]
    std::fs::set_permissions(
        home.file(".key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let names = home.names();
    let error = home
        .store()
        .save(&key("jane"), &credential("2"))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(home.names(), names);
    assert_eq!(loaded(&passphrase, "jane").await.unwrap().as_deref(), Some("1"));
}

/// S11
#[tokio::test]
async fn the_place_of_the_key_is_told_honestly() {
    let home = Home::new();
    let words = sources().map(|source| home.with(source).key_location().word());
    assert_eq!(words, ["same-disk-file", "passphrase", "given", "keyring"]);
    let location = home.store().key_location();
    assert_eq!(location, KeyLocation::SameDisk(home.file(".key")));
    assert!(
        location
            .to_string()
            .ends_with(".key, on the same disk as the credentials")
    );
    assert!(!home.path.exists());
}

/// S09
#[tokio::test]
async fn a_passphrase_is_derived_once_and_takes_its_time() {
    let home = Home::new();
    let store = home.with(KeySource::Passphrase("correct horse".into()));
    let begin = Instant::now();
    store.save(&key("jane"), &credential("1")).await.unwrap();
    let first = begin.elapsed();
    let begin = Instant::now();
    for _ in 0..10 {
        loaded(&store.clone(), "jane").await.unwrap();
    }
    let ten_more = begin.elapsed();
    eprintln!("passphrase: first use {first:?}, ten more {ten_more:?}");
    assert!(
        first > Duration::from_millis(50) && ten_more < first,
        "{first:?} {ten_more:?}"
    );
}

/// S09
#[tokio::test]
async fn a_greedy_description_is_refused_at_once() {
    let home = Home::new();
    let source = || KeySource::Passphrase("correct horse".into());
    home.with(source())
        .save(&key("jane"), &credential("1"))
        .await
        .unwrap();
    let meta: serde_json::Value = serde_json::from_slice(&home.read(META)).unwrap();
    for (member, value) in [
        ("memory_kib", 64 * 1024 * 1024),
        ("passes", 2_147_483_648_u64),
        ("lanes", 1 << 24),
    ] {
        let mut greedy = meta.clone();
        greedy["keys"][0]["derivation"][member] = value.into();
        home.write(META, greedy.to_string());
        // The quickest of several: the machine may be busy.
        let mut quickest = Duration::MAX;
        for _ in 0..5 {
            let begin = Instant::now();
            let error = loaded(&home.with(source()), "jane").await.unwrap_err();
            quickest = quickest.min(begin.elapsed());
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
            assert!(error.to_string().contains(META), "{error}");
        }
        assert!(quickest < Duration::from_millis(50), "{member}: {quickest:?}");
    }
}

/// S09: in a process of its own, whose memory is nobody else's.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_passphrase_takes_up_to_a_second_and_a_greedy_description_neither_time_nor_memory() {
    let home = Home::new();
    let store = home.with(KeySource::Passphrase(crate::child::PASSPHRASE.into()));
    store.save(&key("jane"), &credential("1")).await.unwrap();
    let unlock = || {
        let words = crate::child::Process::start(&home.path, "unlock")
            .last_words()
            .concat();
        let [outcome, time, memory] = words.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{words}");
        };
        (
            outcome.to_owned(),
            time.parse::<u64>().unwrap(),
            memory.parse::<u64>().unwrap(),
        )
    };
    let (outcome, time, memory) = unlock();
    eprintln!("a passphrase: {time} ms of computing, {memory} KiB");
    assert_eq!(outcome, "open");
    assert!((100..1000).contains(&time), "{time} ms");

    let meta: serde_json::Value = serde_json::from_slice(&home.read(META)).unwrap();
    for (member, value) in [
        ("memory_kib", 64 << 20),
        ("passes", 1_u64 << 31),
        ("lanes", 1 << 24),
    ] {
        let mut greedy = meta.clone();
        greedy["keys"][0]["derivation"][member] = value.into();
        home.write(META, greedy.to_string());
        let (outcome, time, memory) = unlock();
        eprintln!("{member} {value}: {time} ms of computing, {memory} KiB");
        assert_eq!(outcome, "refused");
        assert!(
            time <= 50 && memory < 5 << 10,
            "{member}: {time} ms, {memory} KiB"
        );
    }
}

#[tokio::test]
async fn what_cant_be_a_key_is_refused_before_any_file_is_touched() {
    let home = Home::new();
    for bad in [
        KeySource::Passphrase("".into()),
        KeySource::Given("".into()),
        KeySource::Given("canary-too-short".into()),
    ] {
        let error = FileStore::open(&home.path, bad).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn no_secret_shows() {
    let home = Home::new();
    let vault = Arc::new(TestVault::default());
    let shown = |source| format!("{:?}", home.with(source));
    let canary = || SecretString::from("canary");
    assert!(!shown(KeySource::Passphrase(canary())).contains("canary"));
    assert!(!shown(KeySource::Given(GIVEN.into())).contains(GIVEN));
    let store = home.with(KeySource::Vault(vault.clone()));
    store
        .save(&key("canary-account"), &credential("canary"))
        .await
        .unwrap();
    let secret = vault.read(KeySlot::Current).unwrap().unwrap();
    assert!(!format!("{store:?}").contains(secret.expose_secret()));
    for name in [CREDENTIALS, META] {
        let text = String::from_utf8(home.read(name)).unwrap();
        assert!(
            !text.contains("canary") && !text.contains(secret.expose_secret()),
            "{name}"
        );
    }
}
