//! The servers, the gateway between them, the command line, and a folder for configurations.

mod authorization;
mod browser;
mod cli;
mod desktop;
mod gateway;
mod http;
mod kept;
mod model;
mod person;
mod postgres;
mod process;
mod prompt;
mod tools;
mod world;

pub(crate) use authorization::{AuthorizationServer, Hold};
pub(crate) use browser::Browser;
pub(crate) use cli::{Ran, chat, token};
pub(crate) use desktop::has_keyring;
pub(crate) use gateway::{Gateway, Verdict};
pub(crate) use kept::{Kept, Place, cached, key, mark, system_clock};
pub(crate) use model::{MODEL, ModelServer};
pub(crate) use person::Person;
pub(crate) use postgres::{Database, PostgresStore};
pub(crate) use prompt::Prompt;
pub(crate) use tools::{say, variable};
pub(crate) use world::{Setup, World};

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
