//! Whether the keyring keeps what it is given.

use crate::error::unavailable;
use crate::keyring::Keyring;
use crate::ring::Entry;
use gatepass_core::{Clock, StoreError, SystemClock};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two at once must not take each other's entry away.
static PROBES: AtomicUsize = AtomicUsize::new(0);

impl Keyring {
    /// Writes an entry, reads it back over another connection, and deletes it. Nothing less proves that the keyring
    /// works: some can be opened and then deny every call.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] within three times the deadline.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let now = SystemClock.now().wall;
        let number = PROBES.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}-{}-{number}", std::process::id(), now.as_nanos());
        let entry = Entry {
            service: format!("{} probe", self.service),
            user: mark.clone(),
            label: format!("{}: test of this keyring", self.service),
        };
        let (writes, reads, removes) = (entry.clone(), entry.clone(), entry);
        let secret = mark.clone();
        self.calls
            .run(move |ring| ring.set(&writes, secret.as_bytes()))
            .await?;
        let read = self.calls.run(move |ring| ring.get(&reads)).await;
        let removed = self.calls.run(move |ring| ring.remove(&removes)).await;
        match (read?, removed?) {
            (Some(read), true) if *read == mark.as_bytes() => Ok(()),
            _ => Err(unavailable(
                format!("{} doesn't keep what it is given", self.location()),
                None::<&str>,
            )),
        }
    }
}
