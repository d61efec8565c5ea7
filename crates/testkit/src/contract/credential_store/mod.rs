mod concurrency;
mod contents;
mod keys;
mod locking;
mod sample;
mod sharing;
mod sure;

use gatepass_core::CredentialStore;
use sure::Sure;

/// What every [`CredentialStore`] promises. `make` makes an empty one each time.
///
/// A store that several processes or handles share passes [`shared_credential_store`], too.
///
/// # Panics
/// With a sentence that says what doesn't hold.
pub async fn credential_store<S>(make: impl Fn() -> S + Send + Sync)
where
    S: CredentialStore + 'static,
{
    let empty = || Sure::new(make());
    contents::suite(empty).await;
    keys::suite(empty).await;
    locking::suite(empty).await;
    concurrency::suite(empty).await;
}

/// What every [`CredentialStore`] promises that can be opened twice. `open` opens the same store each time; it
/// is empty at first.
///
/// # Panics
/// With a sentence that says what doesn't hold.
pub async fn shared_credential_store<S>(open: impl Fn() -> S + Send + Sync)
where
    S: CredentialStore + 'static,
{
    sharing::suite(|| Sure::new(open())).await;
}
