//! `std::fs`, with errors that name the file.

use std::{fs, io, path::Path};

use crate::stop::{Done, Stop};

pub(crate) fn read(path: &Path) -> Result<String, Stop> {
    fs::read_to_string(path).map_err(|error| named(path, &error))
}

pub(crate) fn write(path: &Path, text: &str) -> Done {
    fs::write(path, text).map_err(|error| named(path, &error))
}

pub(crate) fn copy(from: &Path, to: &Path) -> Done {
    fs::copy(from, to).map(drop).map_err(|error| named(from, &error))
}

pub(crate) fn create_dir(path: &Path) -> Done {
    fs::create_dir_all(path).map_err(|error| named(path, &error))
}

pub(crate) fn remove_dir(path: &Path) -> Done {
    unless_missing(path, fs::remove_dir_all(path))
}

pub(crate) fn remove(path: &Path) -> Done {
    unless_missing(path, fs::remove_file(path))
}

fn unless_missing(path: &Path, result: io::Result<()>) -> Done {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, &error)),
        _ => Ok(()),
    }
}

fn named(path: &Path, error: &io::Error) -> Stop {
    Stop::Failed(format!("{}: {error}", path.display()))
}
