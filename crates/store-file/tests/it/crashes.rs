//! `kill -9` at any moment.

use crate::child::Process;
use crate::support::{Home, loaded};
use gatepass_file_store::KeySource;
use std::io::Read;
use std::time::Duration;

/// How often a writer is killed; `GATEPASS_TEST_KILLS=2000` for the full run.
fn kills() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long run")]
    let asked = std::env::var("GATEPASS_TEST_KILLS").ok();
    asked.map_or(100, |number| {
        number.parse().expect("GATEPASS_TEST_KILLS is a number")
    })
}

/// S03, R06
#[tokio::test]
async fn a_killed_writer_loses_no_acknowledged_save_and_leaves_at_most_one_temporary_file() {
    let home = Home::new();
    let (mut acknowledged, mut in_between, mut left_over) = (0_u64, 0, 0);
    for _ in 0..kills() {
        let mut writer = Process::start(&home.path, "count");
        std::thread::sleep(Duration::from_millis(random(90)));
        writer.kill();
        let last: Option<u64> = writer.last_words().last().map(|number| number.parse().unwrap());
        acknowledged = last.unwrap_or(acknowledged);
        let stored = loaded(&home.store(), "jane")
            .await
            .expect("readable after a kill");
        let stored: u64 = stored.map_or(0, |mark| mark.parse().unwrap());
        assert!(
            stored == acknowledged || stored == acknowledged + 1,
            "{acknowledged} was acknowledged, {stored} is there"
        );
        in_between += u32::from(stored != acknowledged);
        acknowledged = stored;
        if home.path.exists() {
            assert!(home.temporaries() <= 1, "{:?}", home.names());
            left_over += home.temporaries();
        }
    }
    assert!(acknowledged > 0, "nothing was ever saved");
    eprintln!(
        "{} kills, {acknowledged} saves: 0 unreadable, 0 lost, {in_between} written but not yet acknowledged, \
         {left_over} times a temporary file",
        kills()
    );
}

/// S10
#[tokio::test]
async fn a_killed_key_change_loses_nothing_at_any_moment() {
    let home = Home::with_jane().await;
    let mut rotations = 0;
    for _ in 0..kills() / 2 {
        let mut rotator = Process::start(&home.path, "rotate");
        std::thread::sleep(Duration::from_millis(random(60)));
        rotator.kill();
        rotations += rotator.last_words().len();
        let stored = loaded(&home.store(), "jane")
            .await
            .expect("readable after a kill");
        assert_eq!(stored.as_deref(), Some("1"));
        assert!(home.temporaries() <= 1, "{:?}", home.names());
    }
    assert!(rotations > 0, "the key was never changed");
    eprintln!(
        "{} kills, {rotations} changes of the key: always readable",
        kills() / 2
    );
}

/// S10
#[tokio::test]
async fn a_key_change_that_is_cut_off_leaves_the_old_key_or_the_new_one_in_force() {
    use gatepass_core::CredentialStore;
    // What each step leaves, built by hand: (.key, .key.next, credentials encrypted with the new key).
    for (new_key_waits, encrypted_anew, promoted) in
        [(true, false, false), (true, true, false), (true, true, true)]
    {
        let home = Home::with_jane().await;
        let (old_key, old_file) = (home.read(".key"), home.read("credentials.json.enc"));
        home.store().rotate_key(KeySource::KeyFile).await.unwrap();
        assert!(!home.file(".key.next").exists());
        let (new_key, new_file) = (home.read(".key"), home.read("credentials.json.enc"));
        assert!(old_key != new_key && old_file != new_file);
        home.write(".key", if promoted { &new_key } else { &old_key });
        home.write(
            "credentials.json.enc",
            if encrypted_anew { &new_file } else { &old_file },
        );
        if new_key_waits {
            home.write(".key.next", &new_key);
            restrict(&home, ".key.next");
        }
        let store = home.store();
        assert_eq!(
            loaded(&store, "jane").await.unwrap().as_deref(),
            Some("1"),
            "readable half-way"
        );
        store
            .save(&crate::support::key("joe"), &crate::support::credential("2"))
            .await
            .unwrap();
        assert!(!home.file(".key.next").exists(), "the next save tidies up");
        for account in ["jane", "joe"] {
            assert!(loaded(&home.store(), account).await.unwrap().is_some());
        }
    }
}

fn restrict(home: &Home, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(home.file(name), std::fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn random(below: u64) -> u64 {
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")
        .unwrap()
        .read_exact(&mut bytes)
        .unwrap();
    u64::from_le_bytes(bytes) % below
}
