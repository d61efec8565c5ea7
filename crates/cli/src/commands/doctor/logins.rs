//! The store: does it open, can all that it keeps be read, and where is its key?

use super::check::Check;
use gatepass::{Profile, StoreError, StoreKind};

pub(super) async fn checks(profile: &Profile) -> Vec<Check> {
    let place = match profile.store_place() {
        Ok(place) => place,
        Err(error) => return vec![Check::failed("store", None, error)],
    };
    let count = match logins(profile).await {
        Ok(0) => {
            return vec![Check::skipped(
                "store",
                format!("{}: no login yet", place.location),
            )];
        }
        Ok(count) => count,
        Err(error) => return vec![Check::failed("store", Some(&place.location), error)],
    };
    let logins = if count == 1 { "login" } else { "logins" };
    vec![
        Check::good("store", format!("{}: {count} {logins}", place.location)),
        key(profile, &place.key, place.key_kind),
    ]
}

/// How many there are; all of them can be read.
async fn logins(profile: &Profile) -> Result<usize, StoreError> {
    let store = profile.store()?;
    let keys = store.list().await?;
    for key in &keys {
        store.load(key).await?;
    }
    Ok(keys.len())
}

/// Beside the file that it opens, a key protects a copy of that file and no more.
fn key(profile: &Profile, place: &str, kind: &str) -> Check {
    let what = format!("{place} ({kind})");
    if profile.store_kind() == StoreKind::File && kind == "same-disk-file" {
        return Check::good("key", format!("{what}: who can read both files has the logins"));
    }
    Check::good("key", what)
}
