pub(crate) mod canaries;
#[cfg(target_os = "linux")]
pub(crate) mod desktop;
pub(crate) mod golden;
pub(crate) mod gossip;
pub(crate) mod person;
pub(crate) mod terminal;
pub(crate) mod world;

pub(crate) use golden::{golden, golden_in};
pub(crate) use person::{By, golden_login, led_to};
pub(crate) use world::{Outcome, World};
