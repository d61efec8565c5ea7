//! The bugs, by what they are in. Most of them were shipped by somebody.

mod cache;
mod file;
mod http;
mod login;
mod refresh;
mod secrets;

use super::Bug;

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Bug> {
    let lists = [
        cache::BUGS,
        secrets::BUGS,
        http::BUGS,
        login::BUGS,
        refresh::BUGS,
        file::BUGS,
    ];
    lists.into_iter().flatten()
}
