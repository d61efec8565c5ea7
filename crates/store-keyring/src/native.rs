//! The keyring of the operating system, through `keyring-core`.

use crate::error::{told, unavailable};
use crate::platform;
use crate::ring::{Connect, Entry, Ring, Secret};
use gatepass_core::StoreError;
use keyring_core::Error;
use keyring_core::api::CredentialPersistence;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The keyring of the person who runs this process.
#[derive(Debug)]
pub(crate) struct Native;

impl Connect for Native {
    fn connect(&self) -> Result<Box<dyn Ring>, StoreError> {
        let store = platform::open().map_err(|error| told(&error, platform::PLACE, "it"))?;
        match store.persistence() {
            CredentialPersistence::UntilDelete => Ok(Box::new(Connection(store))),
            _ => Err(unavailable(
                format!("{} would forget what it is given", platform::PLACE),
                None::<&str>,
            )),
        }
    }

    fn place(&self) -> &'static str {
        platform::PLACE
    }
}

struct Connection(Arc<keyring_core::CredentialStore>);

impl Connection {
    fn entry(&self, entry: &Entry) -> Result<keyring_core::Entry, Error> {
        self.0.build(
            &entry.service,
            &entry.user,
            Some(&platform::modifiers(&entry.label)),
        )
    }
}

impl Ring for Connection {
    fn get(&self, entry: &Entry) -> Result<Option<Secret>, StoreError> {
        match self.entry(entry).and_then(|it| it.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(told(&error, platform::PLACE, &entry.label)),
        }
    }

    fn set(&self, entry: &Entry, secret: &[u8]) -> Result<(), StoreError> {
        self.entry(entry)
            .and_then(|it| it.set_secret(secret))
            .map_err(|error| told(&error, platform::PLACE, &entry.label))
    }

    fn remove(&self, entry: &Entry) -> Result<bool, StoreError> {
        match self.entry(entry).and_then(|it| it.delete_credential()) {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(told(&error, platform::PLACE, &entry.label)),
        }
    }

    fn users(&self, service: &str) -> Result<Vec<String>, StoreError> {
        let found = self.0.search(&platform::search(service));
        let found = found.map_err(|error| told(&error, platform::PLACE, "the list of logins"))?;
        let specifiers = found.iter().filter_map(keyring_core::Entry::get_specifiers);
        Ok(specifiers
            .filter(|(its, _)| its == service)
            .map(|(_, user)| user)
            .collect())
    }

    fn most_bytes(&self) -> usize {
        platform::MOST_BYTES
    }
}
