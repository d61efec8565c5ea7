//! The Secret Service as a store of `keyring-core`, over zbus.
//!
//! Our own, since the ready ones open their session with the first request of a connection, and that one request may
//! end GNOME Keyring: see [`greet`]. Entries have the attributes that those give them, so they find ours and we theirs.

use keyring_core::api::{Credential, CredentialApi, CredentialStoreApi};
use keyring_core::{Entry, Error, Result};
use secret_service::EncryptionType;
use secret_service::blocking::{Item, SecretService};
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use zbus::blocking::Connection;

/// One connection, with a session of its own.
pub(crate) struct Store(Arc<SecretService<'static>>);

impl Store {
    pub(crate) fn connect() -> Result<Self> {
        let bus = Connection::session().map_err(|error| failure(error.into()))?;
        greet(&bus).map_err(|error| failure(error.into()))?;
        let service = SecretService::connect_with_existing(EncryptionType::Dh, bus).map_err(failure)?;
        Ok(Self(Arc::new(service)))
    }
}

/// Asks for something harmless, and waits for the answer.
///
/// GNOME Keyring (42 to 50 at least) notes each caller in its main loop, ahead of the caller's first request; but a
/// request that comes while the loop is choosing what to do may overtake the note. If it is the request for a session, the
/// daemon then aborts, and comes back locked, if at all: once in about 10,000 connections, more often on a busy machine.
/// A property is answered without the note, and once it is answered, nothing overtakes the note any more.
fn greet(bus: &Connection) -> zbus::Result<()> {
    let answer = bus.call_method(
        Some("org.freedesktop.secrets"),
        "/org/freedesktop/secrets",
        Some("org.freedesktop.DBus.Properties"),
        "Get",
        &("org.freedesktop.Secret.Service", "Collections"),
    );
    match answer {
        // An answer, too. Where nobody answers, the next request says so.
        Ok(_) | Err(zbus::Error::MethodError(..)) => Ok(()),
        Err(error) => Err(error),
    }
}

impl CredentialStoreApi for Store {
    fn vendor(&self) -> String {
        "gatepass".to_owned()
    }

    fn id(&self) -> String {
        "Secret Service".to_owned()
    }

    fn build(&self, service: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        let label = modifiers.and_then(|modifiers| modifiers.get("label"));
        Ok(Named::entry(&self.0, service, user, label.unwrap_or(&user)))
    }

    fn search(&self, attributes: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for item in items(&self.0, attributes).map_err(told)? {
            let attributes = match item.get_attributes() {
                Ok(attributes) => attributes,
                Err(error) if is_gone(&error) => continue,
                Err(error) => return Err(told(error)),
            };
            if let (Some(service), Some(user)) = (attributes.get("service"), attributes.get("username")) {
                entries.push(Named::entry(&self.0, service, user, user));
            }
        }
        Ok(entries)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// What `service` and `user` name, whether it is there or not.
struct Named {
    keyring: Arc<SecretService<'static>>,
    service: String,
    user: String,
    label: String,
}

impl Named {
    fn entry(keyring: &Arc<SecretService<'static>>, service: &str, user: &str, label: &str) -> Entry {
        Entry::new_with_credential(Arc::new(Self {
            keyring: Arc::clone(keyring),
            service: service.to_owned(),
            user: user.to_owned(),
            label: label.to_owned(),
        }))
    }

    fn attributes(&self) -> HashMap<&str, &str> {
        HashMap::from([
            ("service", self.service.as_str()),
            ("username", self.user.as_str()),
        ])
    }

    /// Does something with the one item. Once more if somebody else has removed it since it was found.
    fn with_item<T>(
        &self,
        act: impl Fn(Option<&Item<'_>>) -> std::result::Result<T, secret_service::Error>,
    ) -> Result<T> {
        let once = || {
            let items = items(&self.keyring, &self.attributes())?;
            match items.as_slice() {
                [] => act(None).map(Ok),
                [item] => act(Some(item)).map(Ok),
                [..] => Ok(Err(items.len())),
            }
        };
        let done = once().or_else(|error| if is_gone(&error) { once() } else { Err(error) });
        done.map_err(told)?.map_err(|count| self.ambiguous(count))
    }

    fn ambiguous(&self, count: usize) -> Error {
        let entry = || Self::entry(&self.keyring, &self.service, &self.user, &self.label);
        Error::Ambiguous(std::iter::repeat_with(entry).take(count).collect())
    }
}

impl CredentialApi for Named {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        const KIND: &str = "application/octet-stream";
        self.with_item(|item| {
            if let Some(item) = item {
                return item.set_secret(secret, KIND);
            }
            let collection = self.keyring.get_default_collection()?;
            if collection.is_locked()? {
                collection.unlock()?;
            }
            let created = collection.create_item(&self.label, self.attributes(), secret, true, KIND);
            created.map(drop)
        })
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let secret = self.with_item(|item| item.map(Item::get_secret).transpose())?;
        secret.ok_or(Error::NoEntry)
    }

    fn delete_credential(&self) -> Result<()> {
        let deleted = self.with_item(|item| item.map(Item::delete).transpose())?;
        deleted.ok_or(Error::NoEntry)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.user.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.user)
    }
}

/// All items with these attributes, unlocked.
fn items<'a>(
    keyring: &'a SecretService<'static>,
    attributes: &HashMap<&str, &str>,
) -> std::result::Result<Vec<Item<'a>>, secret_service::Error> {
    let found = keyring.search_items(attributes.clone())?;
    let (mut items, locked) = (found.unlocked, found.locked);
    if !locked.is_empty() {
        let refs: Vec<_> = locked.iter().collect();
        keyring.unlock_all(&refs)?;
    }
    items.extend(locked);
    Ok(items)
}

fn is_gone(error: &secret_service::Error) -> bool {
    use zbus::fdo::Error as Fdo;
    match error {
        secret_service::Error::ZbusFdo(Fdo::UnknownObject(_) | Fdo::UnknownMethod(_)) => true,
        error => matches!(
            name(error),
            Some(
                "org.freedesktop.Secret.Error.NoSuchObject"
                    | "org.freedesktop.DBus.Error.UnknownObject"
                    | "org.freedesktop.DBus.Error.UnknownMethod"
            )
        ),
    }
}

fn name(error: &secret_service::Error) -> Option<&str> {
    match error {
        secret_service::Error::Zbus(zbus::Error::MethodError(name, ..))
        | secret_service::Error::ZbusFdo(zbus::fdo::Error::ZBus(zbus::Error::MethodError(name, ..))) => {
            Some(name.as_str())
        }
        _ => None,
    }
}

fn told(error: secret_service::Error) -> Error {
    use secret_service::Error as E;
    match error {
        E::Locked | E::NoResult | E::Prompt => Error::NoStorageAccess(Box::new(error)),
        error if name(&error) == Some("org.freedesktop.Secret.Error.IsLocked") => {
            Error::NoStorageAccess(Box::new(error))
        }
        error => failure(error),
    }
}

fn failure(error: secret_service::Error) -> Error {
    Error::PlatformFailure(Box::new(error))
}
