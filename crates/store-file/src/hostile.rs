//! What holds whatever bytes come: the tests try it with damaged files, the fuzzer (`fuzz/`) with all that it thinks of.

use crate::document::Document;
use crate::fernet::Key;
use gatepass_core::{Credential, CredentialKey, ProviderName};
use std::path::Path;

/// What a credentials file decrypts to: each record is read or is an error, and a change leaves the others as they
/// were.
pub fn document(json: &[u8]) {
    let path = Path::new("credentials.json.enc");
    let Ok(mut document) = Document::parse(json, path) else {
        return;
    };
    let read = |document: &Document, key: &CredentialKey| {
        document.credential(key).map_err(|error| error.to_string())
    };
    let before: Vec<_> = document
        .keys()
        .into_iter()
        .map(|key| (read(&document, &key), key))
        .collect();
    let Some(new) = ProviderName::parse("gatepass-new").ok().map(CredentialKey::new) else {
        return;
    };
    let credential = Credential::new("https://as.example/token", "client");
    assert!(document.put(&new, &credential).is_ok());
    let Ok(written) = document.to_json() else {
        return;
    };
    let Ok(again) = Document::parse(&written, path) else {
        assert!(written.is_empty(), "what was written can be read");
        return;
    };
    assert_eq!(read(&again, &new), Ok(Some(credential)));
    for (outcome, key) in before.into_iter().filter(|(_, key)| *key != new) {
        assert_eq!(read(&again, &key), outcome, "{key}");
    }
}

/// A Fernet token that nobody of ours has made opens nothing.
pub fn encrypted(token: &[u8]) {
    assert!(Key::new([7; 32]).decrypt(token).is_err());
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_testkit::{damaged, hostile};

    #[test]
    fn no_document_makes_the_reader_panic_or_a_change_lose_a_record() {
        let mut good = Document::new("store-1");
        for name in ["corp", "google"] {
            let key = CredentialKey::new(ProviderName::parse(name).unwrap());
            let credential = Credential::new("https://as.example/token", "client").with_subject("someone");
            good.put(&key, &credential).unwrap();
        }
        let json = good.to_json().unwrap();
        document(&json);
        (0..20_000).for_each(|seed| document(&damaged(&json, seed)));
    }

    /// The fuzzer's corpus is read in the ordinary tests, too.
    #[test]
    fn nothing_of_the_corpus_is_taken_for_ours() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/store_file");
        hostile(corpus, |bytes| match bytes.strip_prefix(b"!") {
            Some(token) => encrypted(token),
            None => document(bytes),
        });
    }

    #[test]
    fn no_damaged_token_opens() {
        let token = Key::new([7; 32]).encrypt(b"{}", 1_800_000_000).unwrap();
        for seed in 0..20_000 {
            let damage = damaged(token.as_bytes(), seed);
            if damage != token.as_bytes() {
                encrypted(&damage);
            }
        }
    }
}
