pub(crate) mod canaries;
pub(crate) mod golden;
pub(crate) mod terminal;
pub(crate) mod world;

pub(crate) use golden::{golden, golden_in};
pub(crate) use world::{Outcome, World};
