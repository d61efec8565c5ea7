//! Credentials of Kagura AI, the system that gatepass succeeds.

use crate::error::{corrupt, io, refused, wrong_key};
use crate::fernet::{Key, Reject};
use crate::names::{CREDENTIALS, KEY};
use gatepass_core::{AccessToken, Credential, RefreshToken, Scopes, SecretString, StoreError};
use serde::Deserialize;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// What [`import_kagura`] found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Imported {
    /// The credential, for a store. Kagura AI knew no accounts, and no provider but Google.
    pub credential: Credential,
    /// The client's secret, which Kagura AI kept beside the tokens; gatepass takes it from `client_secrets.json`.
    pub client_secret: Option<SecretString>,
}

/// Reads the login that Kagura AI left in `directory`: `$KAGURA_CONFIG_DIR` or `~/.config/kagura`, before its version 4
/// `~/.kagura`. Changes nothing there. Blocks on the file system for a moment.
///
/// # Errors
/// [`StoreError::Unavailable`] where one of its two files is missing, [`StoreError::WrongKey`],
/// [`StoreError::Corrupt`].
pub fn import_kagura(directory: impl AsRef<Path>) -> Result<Imported, StoreError> {
    let directory = directory.as_ref();
    let (path, key_path) = (directory.join(CREDENTIALS), directory.join(KEY));
    let token = read(&path)?;
    let key = read(&key_path)?;
    let key = std::str::from_utf8(&key).ok().and_then(Key::parse);
    let key = key.ok_or_else(|| corrupt(&key_path, "it is not 44 characters of URL-safe base64"))?;
    let json = key.decrypt(&token).map_err(|reject| match reject {
        Reject::Signature => wrong_key(&path, "or it is damaged: its format can't tell"),
        _ => corrupt(&path, reject.to_string()),
    })?;
    let login: Login = serde_json::from_slice(&json)
        .map_err(|_| corrupt(&path, "it decrypts to something that is not its JSON"))?;
    login.import().map_err(|why| corrupt(&path, why))
}

/// Its files are tiny.
const MOST_BYTES: u64 = 1024 * 1024;

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    // Judged before it is opened: opening a FIFO would wait for whoever writes it.
    if !path.metadata().map_err(io("reading", path))?.is_file() {
        return Err(refused(
            path.display(),
            "it is not a file",
            "name Kagura's directory",
        ));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let file = std::fs::File::open(path).map_err(io("reading", path))?;
    let read = file.take(MOST_BYTES).read_to_end(&mut bytes);
    read.map_err(io("reading", path))?;
    Ok(bytes)
}

#[derive(Deserialize)]
struct Login {
    token: Option<SecretString>,
    refresh_token: Option<SecretString>,
    token_uri: String,
    client_id: String,
    client_secret: Option<SecretString>,
    scopes: Option<Vec<String>>,
    expiry: Option<String>,
}

impl Login {
    fn import(self) -> Result<Imported, String> {
        let mut credential = Credential::new(self.token_uri, self.client_id);
        if let Some(secret) = self.token {
            let mut token = AccessToken::bearer(secret).map_err(|error| error.to_string())?;
            if let Some(expiry) = self.expiry {
                token = token.with_expires_at(moment(&expiry).ok_or("its expiry is no date")?);
            }
            credential = credential.with_access_token(token);
        }
        if let Some(refresh_token) = self.refresh_token {
            credential = credential.with_refresh_token(RefreshToken::new(refresh_token));
        }
        if let Some(scopes) = self.scopes.filter(|scopes| !scopes.is_empty()) {
            let scopes = Scopes::parse(&scopes.join(" ")).map_err(|error| error.to_string())?;
            credential = credential.with_scopes(scopes);
        }
        Ok(Imported {
            credential,
            client_secret: self.client_secret,
        })
    }
}

/// Reads what Python's `datetime.isoformat` writes: `2025-10-13T15:30:00`, with or without a fraction, with an offset
/// or in UTC.
fn moment(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once(['T', ' '])?;
    let (time, offset) = match time.find(['+', '-', 'Z']) {
        Some(at) => time.split_at_checked(at)?,
        None => (time, "Z"),
    };
    let [year, month, day] = numbers(date, '-')?;
    let (time, _fraction) = time.split_once('.').unwrap_or((time, ""));
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !in_range {
        return None;
    }
    let seconds =
        days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - seconds_east(offset)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

fn seconds_east(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.split_at_checked(1)? {
        ("Z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let [hours, minutes] = numbers(rest, ':')?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let parts: Option<Vec<i64>> = text
        .split(separator)
        .map(|part| {
            let digits =
                !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok())?
        })
        .collect();
    parts?.try_into().ok()
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_dates_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00+00:00", 0),
            ("2025-10-13T15:30:00+00:00", 1_760_369_400),
            ("2025-10-13T15:30:00", 1_760_369_400),
            ("2025-10-13T15:30:00Z", 1_760_369_400),
            ("2025-10-13 17:30:00.123456+02:00", 1_760_369_400),
            ("2025-10-13T10:00:00-05:30", 1_760_369_400),
            ("2000-02-29T23:59:59+00:00", 951_868_799),
            ("2100-03-01T00:00:00+00:00", 4_107_542_400),
        ] {
            let read =
                moment(text).map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
            assert_eq!(read, Some(seconds), "{text}");
        }
        for bad in [
            "",
            "now",
            "2025-10-13",
            "2025-13-13T15:30:00",
            "2025-10-13T25:30:00",
            "2025-10-13T15:30",
            "1969-12-31T23:59:59",
            "2025-10-13T15:30:00+00",
            "2025-10-13T15:30:00+99:00",
            "99999999999999-10-13T15:30:00",
            "2025-+1-13T15:30:00",
            "2025-10-13T15:30:00é",
        ] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}
