mod histories;

use super::*;
use gatepass_core::{AccessToken, RefreshToken};
use std::path::PathBuf;

fn key(account: &str) -> CredentialKey {
    let google = ProviderName::parse("google").unwrap();
    CredentialKey::new(google).with_account(account).unwrap()
}

fn credential(mark: &str) -> Credential {
    Credential::new("https://as.example/token", "client").with_refresh_token(RefreshToken::new(mark))
}

fn two_accounts() -> Document {
    let mut document = Document::new("store-1");
    document.put(&key("jane"), &credential("jane's")).unwrap();
    document.put(&key("joe"), &credential("joe's")).unwrap();
    document
}

fn edited(document: &Document, edit: impl FnOnce(&mut Value)) -> Result<Document, StoreError> {
    let mut json = serde_json::from_slice(&document.to_json().unwrap()).unwrap();
    edit(&mut json);
    Document::parse(json.to_string().as_bytes(), &PathBuf::from("store"))
}

/// S07
#[test]
fn swapped_records_are_corrupt() {
    let swapped = edited(&two_accounts(), |json| {
        let jane = json["credentials"]["google/jane"].take();
        let joe = std::mem::replace(&mut json["credentials"]["google/joe"], jane);
        json["credentials"]["google/jane"] = joe;
    })
    .unwrap();
    for account in ["jane", "joe"] {
        let error = swapped.credential(&key(account)).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
    assert_eq!(swapped.keys(), [key("jane"), key("joe")]);
}

/// S07
#[test]
fn a_record_of_another_store_or_version_is_corrupt() {
    for (member, value) in [
        ("store", json!("store-2")),
        ("version", json!(0)),
        ("version", json!(2)),
        ("provider", json!("other")),
        ("account", json!(null)),
        ("credential", json!(null)),
        ("credential", json!({"token_url": 1})),
    ] {
        let document = edited(&two_accounts(), |json| {
            json["credentials"]["google/jane"][member] = value;
        });
        let error = document.unwrap().credential(&key("jane")).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{member}: {error}");
    }
}

#[test]
fn one_bad_record_spoils_no_other_and_can_be_replaced_or_removed() {
    let spoiled = || {
        edited(&two_accounts(), |json| {
            json["credentials"]["google/jane"] = json!("spoiled")
        })
        .unwrap()
    };
    assert!(spoiled().credential(&key("jane")).is_err());
    assert_eq!(
        spoiled().credential(&key("joe")).unwrap(),
        Some(credential("joe's"))
    );
    let mut document = spoiled();
    assert!(document.remove(&key("jane")) && !document.remove(&key("jane")));
    let mut document = spoiled();
    document.put(&key("jane"), &credential("new")).unwrap();
    assert_eq!(
        document.credential(&key("jane")).unwrap(),
        Some(credential("new"))
    );
}

/// R08
#[test]
fn unknown_members_of_document_record_and_credential_survive() {
    let mut document = edited(&two_accounts(), |json| {
        json["x-document"] = json!({"a": [1, 2.5, null]});
        json["credentials"]["google/jane"]["x-record"] = json!("kept");
        json["credentials"]["google/jane"]["credential"]["x-credential"] = json!("kept, too");
        json["credentials"]["x-of-a-newer-kind"] = json!({"a": "b"});
    })
    .unwrap();
    let jane = document.credential(&key("jane")).unwrap().unwrap();
    let renewed = jane.with_access_token(AccessToken::bearer("new").unwrap());
    document.put(&key("jane"), &renewed).unwrap();
    let json: Value = serde_json::from_slice(&document.to_json().unwrap()).unwrap();
    assert_eq!(json["x-document"], json!({"a": [1, 2.5, null]}));
    assert_eq!(json["credentials"]["google/jane"]["x-record"], "kept");
    assert_eq!(
        json["credentials"]["google/jane"]["credential"]["x-credential"],
        "kept, too"
    );
    assert_eq!(
        json["credentials"]["google/jane"]["credential"]["access_token"],
        "new"
    );
    assert_eq!(json["credentials"]["x-of-a-newer-kind"], json!({"a": "b"}));
    assert_eq!(document.keys(), [key("jane"), key("joe")]);
}

#[test]
fn what_is_no_document_is_told_apart() {
    let parse = |text: &str| Document::parse(text.as_bytes(), &PathBuf::from("store")).map(|_| ());
    for corrupt in [
        "",
        "null",
        "[]",
        "{}",
        "{\"format\":\"other\"}",
        r#"{"format":"gatepass-credentials"}"#,
        r#"{"format":"gatepass-credentials","version":0}"#,
        r#"{"format":"gatepass-credentials","version":1}"#,
        r#"{"format":"gatepass-credentials","version":1,"store":"s","credentials":[]}"#,
        r#"{"format":"gatepass-credentials","version":1,"store":1,"credentials":{}}"#,
    ] {
        let error = parse(corrupt).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{corrupt}: {error}");
    }
    for refused in [
        r#"{"format":"gatepass-credentials","version":2}"#,
        r#"{"token":"ya29.canary","refresh_token":null}"#,
    ] {
        let error = parse(refused).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{refused}: {error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn what_is_written_leaves_no_copy_and_what_is_wiped_no_text() {
    let json = two_accounts().to_json().unwrap();
    assert_eq!(
        json.capacity(),
        json.len(),
        "a buffer that grew leaves copies behind"
    );
    let mut value = json!({"a": "canary", "b": ["canary", {"c": "canary"}], "d": 7});
    wipe(&mut value);
    assert_eq!(value, json!({"a": "", "b": ["", {"c": ""}], "d": 7}));
}
