//! The profile's directory and what lies in it: is it there, and may others read it?

use super::check::Check;
use crate::exit::Exit;
use gatepass::{Profile, StoreKind};
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::Path;

pub(super) fn checks(profile: &Profile) -> Vec<Check> {
    let directory = profile.directory();
    let mut checks = match std::fs::metadata(directory) {
        Ok(found) if found.is_dir() => vec![owned("directory", directory, &found)],
        Ok(_) => {
            let what = format!("{} is no directory", directory.display());
            return vec![Check::broken(
                "directory",
                what,
                "move it away, or set GATEPASS_CONFIG_DIR",
                Exit::StoredData,
            )];
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let what = format!("{} will be made at the first login", directory.display());
            vec![Check::skipped("directory", what)]
        }
        Err(error) => return vec![unreadable("directory", directory, &error)],
    };
    checks.push(client_secrets(profile));
    if profile.store_kind() == StoreKind::File {
        let files = ["credentials.json.enc", ".key"].map(|name| directory.join(name));
        checks.extend(files.iter().filter_map(|path| private(path)));
    }
    checks
}

/// A file of the store; nothing to say of one that isn't there. What is no file the store itself refuses: a `chmod` of
/// a link would change what it leads to.
fn private(path: &Path) -> Option<Check> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => None,
        Ok(found) => Some(owned("permissions", path, &found)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(unreadable("permissions", path, &error)),
    }
}

fn unreadable(subject: &'static str, path: &Path, error: &io::Error) -> Check {
    let what = format!("{} can't be read: {error}", path.display());
    Check::broken(subject, what, "make it readable for you", Exit::StoredData)
}

#[cfg(unix)]
fn owned(subject: &'static str, path: &Path, found: &Metadata) -> Check {
    use std::os::unix::fs::PermissionsExt;
    let mode = found.permissions().mode() & 0o777;
    let what = format!("{} ({mode:03o})", path.display());
    if mode & 0o077 == 0 {
        return Check::good(subject, what);
    }
    let private = if found.is_dir() { "700" } else { "600" };
    let fix = format!("run: chmod {private} '{}'", path.display());
    Check::doubtful(subject, format!("{what}: others may look into it"), fix)
}

#[cfg(not(unix))]
fn owned(subject: &'static str, path: &Path, _: &Metadata) -> Check {
    Check::good(subject, path.display().to_string())
}

/// Nobody needs them who doesn't log in with Google.
fn client_secrets(profile: &Profile) -> Check {
    const SUBJECT: &str = "client secrets";
    let path = profile.client_secrets_path();
    if !path.exists() {
        let what = format!("{}: not there; a login with Google needs it", path.display());
        return Check::skipped(SUBJECT, what);
    }
    match profile.client_secrets() {
        Err(error) => Check::failed(SUBJECT, None, error),
        Ok(secrets) => match secrets.readable_by_others() {
            Some(problem) => Check::doubtful(SUBJECT, problem.to_string(), problem.fix),
            None => Check::good(SUBJECT, path.display().to_string()),
        },
    }
}
