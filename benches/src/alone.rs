//! One client, so often, and nothing else: for a profiler that counts instructions.

use crate::calls::one_thread;
use crate::clients::{Ours, Raw};
use crate::job::{Job, cpu_time};
use crate::{Framing, Stub, runtime};
use std::error::Error;

const ASKED: &str = "--alone";

/// Does what the command line asks for by `--alone raw|ours call|block|chunks|flushed TIMES [AT_ONCE]`, and says whether
/// it did: on one thread, or on two if there are many at once.
///
/// Prints the CPU time of each. For a profiler, what a run of twice as many times takes more is the cost of the job without
/// that of the start.
///
/// # Errors
/// If it asks for something else, or the client can't be set up.
#[expect(clippy::print_stdout, reason = "the figure is what a benchmark is for")]
pub fn runs(stub: &Stub) -> Result<bool, Box<dyn Error>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != ASKED);
    if arguments.next().is_none() {
        return Ok(false);
    }
    let (Some(client), Some(what), Some(times)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("write --alone raw|ours call|block|chunks|flushed TIMES [AT_ONCE]".into());
    };
    let at_once = arguments.next().map_or(Ok(1), |at_once| at_once.parse())?;
    let runtime = if at_once == 1 { one_thread()? } else { runtime()? };
    let job = {
        let _guard = runtime.enter();
        job(stub, &client, &what)?
    };
    let times = times.parse()?;
    let before = cpu_time();
    job.repeat(&runtime, times, at_once);
    let cpu = cpu_time().saturating_sub(before);
    println!("{:.3} µs each", cpu.as_secs_f64() * 1e6 / times as f64);
    Ok(true)
}

fn job(stub: &Stub, client: &str, what: &str) -> Result<Job, Box<dyn Error>> {
    let framing = Framing::ALL
        .into_iter()
        .find(|framing| framing.path().strip_prefix('/') == Some(what));
    let base_url = stub.url(&format!("{}/v1", framing.map_or("", Framing::path)));
    Ok(match (client, framing.is_some(), what) {
        ("raw", false, "call") => Raw::new(&base_url)?.call(),
        ("raw", true, _) => Raw::new(&base_url)?.stream(),
        ("ours", false, "call") => Ours::new(&base_url)?.call(),
        ("ours", true, _) => Ours::new(&base_url)?.stream(),
        _ => return Err(format!("there is no {client} {what}").into()),
    })
}
