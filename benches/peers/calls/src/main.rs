//! Calls and streams of gatepass and its peers, side by side. `cargo xtask bench --peers` runs it.

mod calls;
mod streams;

use gatepass_benches::{Run, Stub};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    if Stub::serves()? {
        return Ok(());
    }
    _ = rustls::crypto::ring::default_provider().install_default();
    let stub = Stub::start()?;
    let run = Run::from_arguments("peers")?;
    if run.wants("calls") {
        gatepass_benches::calls::compare(&run, &stub, calls::jobs)?;
    }
    if run.wants("streams") {
        gatepass_benches::streams::compare(&run, &stub, streams::jobs)?;
    }
    Ok(())
}
