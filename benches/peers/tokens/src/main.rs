//! Cached tokens and stampedes of gatepass and its peers, side by side. `cargo xtask bench --peers` runs it.

mod sources;
mod stampede;

use gatepass_benches::{Run, Stub, hit, runtime};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    if Stub::serves()? {
        return Ok(());
    }
    _ = rustls::crypto::ring::default_provider().install_default();
    let stub = Stub::start()?;
    let run = Run::from_arguments("peers")?;
    if run.wants("hit") {
        let runtime = runtime()?;
        let peers = runtime.block_on(sources::hits(&stub))?;
        hit::compare(&run, &runtime, peers)?;
    }
    if run.wants("stampede") {
        stampede::compare(&run, &stub)?;
    }
    Ok(())
}
