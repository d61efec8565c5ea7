//! What it costs to read and to save a login.

use gatepass_benches::{Run, store};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let run = Run::from_arguments("store")?;
    if !run.wants("store") {
        return Ok(());
    }
    store::compare(&run)
}
