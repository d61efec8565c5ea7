//! A credential in entries.
//!
//! The head is one entry: JSON that says whose it is, the byte 0xFF, and the credential as JSON. Where that doesn't fit, the credential is cut into parts, and the head says where they are. There are two halves for parts, and
//! a save writes the one that the head doesn't name; so the head is the commit record, and a save that is cut off
//! leaves the old credential as it was. Parts are written from the first and removed from the last, so that what a
//! crash left has no gaps and is found without a list of entries.

use crate::error::{corrupt, refused};
use crate::names::Names;
use crate::ring::{Ring, Secret};
use gatepass_core::{Credential, CredentialKey, ExposeSecret, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const FORMAT: &str = "gatepass-credential";
const VERSION: u64 = 1;

/// Stands between the two, and makes the entry no UTF-8. GNOME Keyring without a password keeps text as it is and reads
/// it back with escapes: a line feed in it ends the whole keyring, with everybody's secrets, and a backslash that secret.
/// What isn't text is kept as hexadecimal digits.
const END: u8 = 0xFF;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    version: u64,
    provider: String,
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Parts>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Parts {
    half: Half,
    count: usize,
    sha256: [u8; 32],
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Half {
    A,
    B,
}

impl Half {
    const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
        }
    }
}

/// Reads without any lock. What doesn't fit together is read again until the head stays the same: somebody may have
/// been saving.
pub(crate) fn load(
    ring: &dyn Ring,
    names: &Names,
    key: &CredentialKey,
) -> Result<Option<Credential>, StoreError> {
    let mut before: Option<Secret> = None;
    loop {
        let Some(bytes) = ring.get(&names.head())? else {
            return Ok(None);
        };
        let (head, rest) = parse(&bytes, names)?;
        if head.provider != key.provider().as_str() || head.account != key.account() {
            return Err(corrupt(&names.shown, "it belongs to another login"));
        }
        let whole = match head.parts {
            None => Some(Zeroizing::new(rest.to_vec())),
            Some(parts) => gather(ring, names, parts)?,
        };
        if let Some(whole) = whole {
            return credential(&whole, names).map(Some);
        }
        if before.as_ref() == Some(&bytes) {
            return Err(corrupt(&names.shown, "its parts don't fit together"));
        }
        before = Some(bytes);
    }
}

fn parse<'a>(bytes: &'a [u8], names: &Names) -> Result<(Head, &'a [u8]), StoreError> {
    #[derive(Deserialize)]
    struct Kind {
        format: String,
        version: u64,
    }
    let wrong = |_| corrupt(&names.shown, "it is not an entry of gatepass");
    let mut halves = bytes.splitn(2, |byte| *byte == END);
    let head = halves.next().unwrap_or_default();
    let rest = halves.next().unwrap_or_default();
    let kind: Kind = serde_json::from_slice(head).map_err(wrong)?;
    if kind.format != FORMAT {
        return Err(corrupt(&names.shown, "it is not an entry of gatepass"));
    }
    if kind.version != VERSION {
        return Err(refused(
            format!("{} in the keyring: a newer version wrote it", names.shown),
            "use a newer gatepass",
        ));
    }
    let head = serde_json::from_slice(head).map_err(wrong)?;
    Ok((head, rest))
}

/// The credential in parts; `None` if they don't fit together.
fn gather(ring: &dyn Ring, names: &Names, parts: Parts) -> Result<Option<Secret>, StoreError> {
    let mut found = Vec::new();
    for number in 0..parts.count {
        match ring.get(&names.part(parts.half.letter(), number))? {
            Some(part) => found.push(part),
            None => return Ok(None),
        }
    }
    // Measured first: a buffer that grew would leave copies of secrets behind.
    let mut whole = Zeroizing::new(Vec::with_capacity(found.iter().map(|part| part.len()).sum()));
    for part in &found {
        whole.extend_from_slice(part);
    }
    let fits = Sha256::digest(&*whole).as_slice() == parts.sha256.as_slice();
    Ok(fits.then_some(whole))
}

fn credential(json: &[u8], names: &Names) -> Result<Credential, StoreError> {
    let wrong = "it holds no credential";
    let json = std::str::from_utf8(json).map_err(|_| corrupt(&names.shown, wrong))?;
    Credential::from_json(json).map_err(|_| corrupt(&names.shown, wrong))
}

/// Writes a credential. The caller excludes other writers of it.
pub(crate) fn save(
    ring: &dyn Ring,
    names: &Names,
    key: &CredentialKey,
    credential: &Credential,
) -> Result<(), StoreError> {
    let old = found(ring, names)?;
    let json = credential.to_secret_json();
    let json = json.map_err(|_| corrupt(&names.shown, "it can't be written as JSON"))?;
    let json = json.expose_secret().as_bytes();
    let mut head = Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        provider: key.provider().to_string(),
        account: key.account().to_owned(),
        parts: None,
    };
    let whole = entry(&head, json, names)?;
    if whole.len() <= ring.most_bytes() {
        ring.set(&names.head(), &whole)?;
    } else {
        let half = old.half().map_or(Half::A, Half::other);
        let mut count = 0;
        for part in json.chunks(ring.most_bytes()) {
            ring.set(&names.part(half.letter(), count), part)?;
            count = count.saturating_add(1);
        }
        let sha256 = Sha256::digest(json).into();
        head.parts = Some(Parts { half, count, sha256 });
        ring.set(&names.head(), &entry(&head, &[], names)?)?;
    }
    // The credential is saved; what can't be removed now is removed by the next save.
    if let Err(error) = tidy(ring, names, &old, head.parts) {
        let credential = &names.shown;
        tracing::warn!(%credential, %error, "old parts of {credential} stay in the keyring until the next save: {error}");
    }
    Ok(())
}

fn entry(head: &Head, rest: &[u8], names: &Names) -> Result<Secret, StoreError> {
    let head = serde_json::to_vec(head);
    let head = head.map_err(|_| corrupt(&names.shown, "it can't be written as JSON"))?;
    let length = head.len().saturating_add(rest.len()).saturating_add(1);
    let mut entry = Zeroizing::new(Vec::with_capacity(length));
    entry.extend_from_slice(&head);
    entry.push(END);
    entry.extend_from_slice(rest);
    Ok(entry)
}

/// What is there before a change.
enum Old {
    Nothing,
    Whole,
    InParts(Half),
    /// Nobody can read it, so it may be replaced.
    Unreadable,
}

impl Old {
    const fn half(&self) -> Option<Half> {
        match self {
            Self::InParts(half) => Some(*half),
            Self::Nothing | Self::Whole | Self::Unreadable => None,
        }
    }
}

fn found(ring: &dyn Ring, names: &Names) -> Result<Old, StoreError> {
    let read = match ring.get(&names.head()) {
        Ok(None) => return Ok(Old::Nothing),
        Ok(Some(bytes)) => parse(&bytes, names).map(|(head, _)| head.parts),
        Err(error) => Err(error),
    };
    match read {
        Ok(Some(parts)) => Ok(Old::InParts(parts.half)),
        Ok(None) => Ok(Old::Whole),
        Err(StoreError::Corrupt { .. }) => Ok(Old::Unreadable),
        Err(error) => Err(error),
    }
}

/// Deletes a credential with all its parts. The caller excludes other writers of it.
pub(crate) fn delete(ring: &dyn Ring, names: &Names) -> Result<bool, StoreError> {
    let old = found(ring, names)?;
    let was_there = ring.remove(&names.head())?;
    tidy(ring, names, &old, None)?;
    Ok(was_there)
}

/// Removes all parts but those in use. Where entries hold everything, only a head that isn't whole may have left any.
fn tidy(ring: &dyn Ring, names: &Names, old: &Old, in_use: Option<Parts>) -> Result<(), StoreError> {
    if ring.most_bytes() == usize::MAX && matches!(old, Old::Nothing | Old::Whole) {
        return Ok(());
    }
    for half in [Half::A, Half::B] {
        let first = match in_use {
            Some(parts) if parts.half.letter() == half.letter() => parts.count,
            _ => 0,
        };
        let mut end = first;
        while ring.get(&names.part(half.letter(), end))?.is_some() {
            end = end.saturating_add(1);
        }
        for number in (first..end).rev() {
            ring.remove(&names.part(half.letter(), number))?;
        }
    }
    Ok(())
}
