//! gatepass and its peers, side by side in one run. `cargo xtask bench --peers` runs it.

mod calls;
mod stampede;
mod streams;
mod tokens;

use gatepass_benches::{Run, Stub, hit, runtime};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    if Stub::serves()? {
        return Ok(());
    }
    // Some peers find out at run time which cryptography they use; two are linked in.
    _ = rustls::crypto::ring::default_provider().install_default();
    let stub = Stub::start()?;
    let run = Run::from_arguments("peers")?;
    if run.wants("calls") {
        gatepass_benches::calls::compare(&run, &stub, calls::jobs)?;
    }
    if run.wants("streams") {
        gatepass_benches::streams::compare(&run, &stub, streams::jobs)?;
    }
    if run.wants("hit") {
        let runtime = runtime()?;
        let peers = runtime.block_on(tokens::hits(&stub))?;
        hit::compare(&run, &runtime, peers)?;
    }
    if run.wants("stampede") {
        stampede::compare(&run, &stub)?;
    }
    Ok(())
}
