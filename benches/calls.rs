//! What a call and a stream cost beside the network.

use gatepass_benches::{Run, Stub, alone, calls, streams};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    if Stub::serves()? {
        return Ok(());
    }
    let stub = Stub::start()?;
    if alone::runs(&stub)? {
        return Ok(());
    }
    let run = Run::from_arguments("calls")?;
    calls::compare(&run, &stub, |_| Ok(Vec::new()))?;
    streams::compare(&run, &stub, |_| Ok(Vec::new()))
}
