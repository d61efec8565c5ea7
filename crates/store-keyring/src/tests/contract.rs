use super::fake::{CAP, Fake};
use super::{credential, key};
use gatepass_core::{CredentialStore, StoreError};
use gatepass_testkit::contract;

/// K07
#[tokio::test]
async fn it_keeps_the_contract_under_the_cap() {
    let root = tempfile::tempdir().unwrap();
    contract::credential_store(|| Fake::default().store(root.path())).await;
    let fake = Fake::default();
    contract::shared_credential_store(|| fake.store(root.path())).await;
}

/// K03
#[tokio::test]
async fn any_size_comes_back_and_leaves_no_stale_part() {
    let root = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let store = fake.store(root.path());
    let sizes = [
        10,
        16 * 1024,
        CAP,
        64 * 1024,
        3,
        16 * 1024,
        16 * 1024,
        CAP - 400,
        CAP * 2,
        1,
    ];
    for (size, mark) in sizes.into_iter().zip('a'..) {
        let saved = credential(mark, size);
        CredentialStore::save(&store, &key("jane"), &saved).await.unwrap();
        let loaded = CredentialStore::load(&store, &key("jane")).await.unwrap();
        assert!(loaded == Some(saved), "{size} bytes");
        let parts = fake.users().len() - 1;
        let most = if size < CAP - 400 { 0 } else { size / CAP + 1 };
        assert!(parts <= most, "{size} bytes in {parts} parts: {:?}", fake.users());
        assert_eq!(CredentialStore::list(&store).await.unwrap(), [key("jane")]);
    }
    for size in [64 * 1024, 1] {
        CredentialStore::save(&store, &key("jane"), &credential('x', size))
            .await
            .unwrap();
        assert!(CredentialStore::delete(&store, &key("jane")).await.unwrap());
        assert_eq!(fake.users(), [""; 0]);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_may_be_replaced() {
    let root = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let store = fake.store(root.path());
    let large = credential('x', 8 * 1024);
    let spoil = |user: &str, bytes: &[u8]| {
        let mut state = fake.state();
        let entry = state.entries.iter_mut().find(|((_, its), _)| its == user);
        *entry.unwrap().1 = bytes.to_vec();
    };
    let cases: [(&str, &[u8]); 6] = [
        ("corp/jane", b""),
        ("corp/jane", b"canary"),
        ("corp/jane", b"{\"format\":\"another\",\"version\":1}\xff"),
        ("corp/jane", b"\xff\xfe"),
        ("corp/jane/a/1", b"canary"),
        (
            "corp/jane",
            b"{\"format\":\"gatepass-credential\",\"version\":1,\"provider\":\"corp\",\"account\":\"joe\"}\xff{}",
        ),
    ];
    for (user, bytes) in cases {
        CredentialStore::save(&store, &key("jane"), &large).await.unwrap();
        CredentialStore::delete(&store, &key("jane")).await.unwrap();
        CredentialStore::save(&store, &key("jane"), &large).await.unwrap();
        spoil(user, bytes);
        let error = CredentialStore::load(&store, &key("jane")).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        CredentialStore::save(&store, &key("jane"), &credential('y', 1))
            .await
            .unwrap();
        assert_eq!(fake.users(), ["corp/jane"]);
        spoil("corp/jane", b"");
        assert!(CredentialStore::delete(&store, &key("jane")).await.unwrap());
    }
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let store = fake.store(root.path());
    let newer = b"{\"format\":\"gatepass-credential\",\"version\":2}\xff".to_vec();
    let id = ("gatepass".to_owned(), "corp/jane".to_owned());
    fake.state().entries.insert(id.clone(), newer.clone());
    let loaded = CredentialStore::load(&store, &key("jane")).await.map(|_| ());
    let saved = CredentialStore::save(&store, &key("jane"), &credential('x', 1)).await;
    let deleted = CredentialStore::delete(&store, &key("jane")).await.map(|_| ());
    for refused in [loaded, saved, deleted] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    }
    assert_eq!(fake.state().entries.get(&id), Some(&newer));
}
