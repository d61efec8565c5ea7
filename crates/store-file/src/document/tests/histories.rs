//! R08: whatever a newer version or somebody else has put into the document survives random changes by this one.
//!
//! `PROPTEST_CASES` makes more documents, `PROPTEST_RNG_SEED` others.

use super::{credential, key};
use crate::document::Document;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value, json};
use std::path::Path;

const ACCOUNTS: [&str; 3] = ["jane", "joe", "ann"];

/// What this version does to a document.
#[derive(Debug, Clone)]
enum Step {
    /// Reads a credential and writes it again, with another refresh token; or makes it.
    Renew(usize),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let account = 0..ACCOUNTS.len();
    prop_oneof![
        3 => account.clone().prop_map(Step::Renew),
        1 => account.prop_map(Step::Remove),
    ]
}

/// Any text.
fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..6).prop_map(String::from_iter)
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Members that this version doesn't know.
fn unknown() -> impl Strategy<Value = Map<String, Value>> {
    let name = text().prop_map(|name| format!("x{name}"));
    btree_map(name, anything(), 0..4).prop_map(Map::from_iter)
}

/// Somebody else's members: of the document, of the list, of each account's record and of its credential.
#[derive(Debug, Clone)]
struct Foreign {
    document: Map<String, Value>,
    list: Map<String, Value>,
    records: [Map<String, Value>; 3],
    credentials: [Map<String, Value>; 3],
}

fn foreign() -> impl Strategy<Value = Foreign> {
    let of_accounts = || [unknown(), unknown(), unknown()];
    (unknown(), unknown(), of_accounts(), of_accounts()).prop_map(|(document, list, records, credentials)| {
        Foreign {
            document,
            list,
            records,
            credentials,
        }
    })
}

impl Foreign {
    fn add_to(&self, document: &Document) -> Value {
        let mut json: Value = serde_json::from_slice(&document.to_json().unwrap()).unwrap();
        extend(&mut json, &self.document);
        extend(&mut json["credentials"], &self.list);
        for (account, name) in ACCOUNTS.iter().enumerate() {
            let record = &mut json["credentials"][format!("google/{name}")];
            extend(record, &self.records[account]);
            extend(&mut record["credential"], &self.credentials[account]);
        }
        json
    }
}

fn extend(object: &mut Value, members: &Map<String, Value>) {
    object.as_object_mut().unwrap().extend(members.clone());
}

/// A credential of each account.
fn full() -> Document {
    let mut document = Document::new("store-1");
    for account in ACCOUNTS {
        document.put(&key(account), &credential("0")).unwrap();
    }
    document
}

/// A save: reads what is on disk, changes it, writes it.
fn changed(on_disk: &str, change: impl FnOnce(&mut Document)) -> String {
    let mut document = Document::parse(on_disk.as_bytes(), Path::new("store")).unwrap();
    change(&mut document);
    String::from_utf8(document.to_json().unwrap().to_vec()).unwrap()
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(8);
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_others_have_written_survives_every_change(foreign in foreign(), steps in vec(step(), 1..8)) {
        let mut expected = foreign.add_to(&full());
        let mut on_disk = expected.to_string();
        for (number, step) in steps.iter().enumerate() {
            let mark = number.to_string();
            match *step {
                Step::Renew(account) => {
                    let key = key(ACCOUNTS[account]);
                    on_disk = changed(&on_disk, |document| {
                        let stored = document.credential(&key).unwrap();
                        let renewed = credential(&mark).refresh_token.unwrap();
                        let renewed = match stored {
                            Some(stored) => stored.with_refresh_token(renewed),
                            None => credential(&mark),
                        };
                        document.put(&key, &renewed).unwrap();
                    });
                    let record = &mut expected["credentials"][key.to_string()];
                    if record.is_null() {
                        *record = json!({
                            "version": 1, "store": "store-1", "provider": "google", "account": key.account(),
                            "credential": {"token_url": "https://as.example/token", "client_id": "client"},
                        });
                    }
                    record["credential"]["refresh_token"] = mark.into();
                }
                Step::Remove(account) => {
                    let key = key(ACCOUNTS[account]);
                    on_disk = changed(&on_disk, |document| {
                        document.remove(&key);
                    });
                    expected["credentials"].as_object_mut().unwrap().remove(&key.to_string());
                }
            }
            let now: Value = serde_json::from_str(&on_disk).unwrap();
            prop_assert_eq!(&now, &expected, "after {:?}", step);
        }
    }
}
