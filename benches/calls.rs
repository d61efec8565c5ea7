//! What a call and a stream cost beside the network.

use gatepass_benches::{Run, Stub, calls, streams};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    if Stub::serves()? {
        return Ok(());
    }
    let run = Run::from_arguments("calls")?;
    let stub = Stub::start()?;
    calls::compare(&run, &stub, |_| Ok(Vec::new()))?;
    streams::compare(&run, &stub, |_| Ok(Vec::new()))
}
