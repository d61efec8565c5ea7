//! What is encrypted: a JSON document with all credentials.

use crate::description::newer;
use crate::error::{corrupt, refused, unavailable};
use gatepass_core::{Credential, CredentialKey, ExposeSecret, ProviderName, StoreError};
use serde_json::{Map, Value, json};
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// The document as it was read, with members that this version doesn't know; wiped on drop.
///
/// Fernet authenticates no name beside the text, so each record says inside which store, which version and whose
/// credential it is; all of it is checked.
pub(crate) struct Document(Map<String, Value>);

const FORMAT: &str = "gatepass-credentials";
const VERSION: u64 = 1;

impl Document {
    pub(crate) fn new(store: &str) -> Self {
        let mut root = Map::new();
        root.insert("format".into(), FORMAT.into());
        root.insert("version".into(), VERSION.into());
        root.insert("store".into(), store.into());
        root.insert("credentials".into(), Value::Object(Map::new()));
        Self(root)
    }

    pub(crate) fn parse(json: &[u8], path: &Path) -> Result<Self, StoreError> {
        let Ok(Value::Object(root)) = serde_json::from_slice(json) else {
            return Err(corrupt(
                path,
                "it decrypts to something that is not a JSON object",
            ));
        };
        let document = Self(root);
        if document.0.contains_key("token") && !document.0.contains_key("format") {
            let why = "another program's credential lies there";
            let fix = "import it: gatepass auth import kagura DIRECTORY, into another directory";
            return Err(refused(path.display(), why, fix));
        }
        if document.text("format") != Some(FORMAT) {
            return Err(corrupt(path, "it decrypts to another kind of document"));
        }
        match document.0.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(version) if version > VERSION => return Err(newer(path.display())),
            _ => return Err(corrupt(path, "its version is missing")),
        }
        if document.text("store").is_none() || document.records().is_none() {
            return Err(corrupt(path, "it has no store id or no list of credentials"));
        }
        Ok(document)
    }

    pub(crate) fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let failed = |error| unavailable("writing JSON", error);
        // Measured first: a buffer that grew would leave copies behind.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, &self.0).map_err(failed)?;
        let mut json = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer(&mut *json, &self.0).map_err(failed)?;
        Ok(json)
    }

    pub(crate) fn store(&self) -> &str {
        self.text("store").unwrap_or_default()
    }

    /// Reads one credential.
    pub(crate) fn credential(&self, key: &CredentialKey) -> Result<Option<Credential>, StoreError> {
        let Some(record) = self.records().and_then(|records| records.get(&key.to_string())) else {
            return Ok(None);
        };
        let damaged = |why: &str| StoreError::Corrupt {
            what: key.to_string(),
            source: Some(crate::error::said(why)),
        };
        for (member, expected) in self.binding(key) {
            if record.get(member) != Some(&expected) {
                return Err(damaged(&format!("its record is bound to another {member}")));
            }
        }
        let credential = record
            .get("credential")
            .ok_or_else(|| damaged("its record is empty"))?;
        let json = Zeroizing::new(credential.to_string());
        Credential::from_json(&json)
            .map(Some)
            .map_err(|_| damaged("its record holds no credential"))
    }

    /// Replaces one credential; other members of its record stay.
    pub(crate) fn put(&mut self, key: &CredentialKey, credential: &Credential) -> Result<(), StoreError> {
        let failed = |error| unavailable("writing JSON", error);
        let json = credential.to_secret_json().map_err(failed)?;
        let credential = serde_json::from_str(json.expose_secret()).map_err(failed)?;
        let binding = self.binding(key);
        let Some(Value::Object(records)) = self.0.get_mut("credentials") else {
            return Ok(()); // `parse` and `new` see to it that there is one
        };
        let record = records.entry(key.to_string()).or_insert_with(|| json!({}));
        if !record.is_object() {
            *record = json!({});
        }
        if let Value::Object(record) = record {
            for (member, value) in binding {
                record.insert(member.into(), value);
            }
            if let Some(mut old) = record.insert("credential".into(), credential) {
                wipe(&mut old);
            }
        }
        Ok(())
    }

    /// Removes one credential, readable or not, and tells whether there was one.
    pub(crate) fn remove(&mut self, key: &CredentialKey) -> bool {
        let Some(Value::Object(records)) = self.0.get_mut("credentials") else {
            return false;
        };
        let mut removed = records.remove(&key.to_string());
        removed.iter_mut().for_each(wipe);
        removed.is_some()
    }

    /// The names of all records, sorted.
    pub(crate) fn keys(&self) -> Vec<CredentialKey> {
        let names = self.records().into_iter().flat_map(Map::keys);
        let mut keys: Vec<_> = names.filter_map(|name| parse_key(name)).collect();
        keys.sort();
        keys
    }

    fn binding(&self, key: &CredentialKey) -> [(&'static str, Value); 4] {
        [
            ("version", VERSION.into()),
            ("store", self.store().into()),
            ("provider", key.provider().as_str().into()),
            ("account", key.account().into()),
        ]
    }

    fn records(&self) -> Option<&Map<String, Value>> {
        self.0.get("credentials")?.as_object()
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.0.get(member)?.as_str()
    }
}

/// `provider/account`; neither has a `/`. What a newer version may name otherwise is none of ours.
fn parse_key(name: &str) -> Option<CredentialKey> {
    let (provider, account) = name.split_once('/')?;
    let provider = ProviderName::parse(provider).ok()?;
    CredentialKey::new(provider).with_account(account).ok()
}

impl Drop for Document {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Counts bytes.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
