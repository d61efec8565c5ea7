//! The servers, seen from a socket; the contract suites, run against what core offers.

mod answers;
mod authorization;
mod client;
mod model;
