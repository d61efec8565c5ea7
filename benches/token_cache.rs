//! What a token costs that is there already.

use gatepass_benches::{Run, hit, runtime};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let run = Run::from_arguments("token_cache")?;
    hit::compare(&run, &runtime()?, Vec::new())
}
