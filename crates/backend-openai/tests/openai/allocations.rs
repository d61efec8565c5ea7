//! What a call costs in memory.

use crate::{backend, question};
use gatepass_core::LlmBackend;
use gatepass_testkit::ModelServer;
use std::sync::mpsc;

/// A chat costs about as many allocations as the HTTP client and the parser need by themselves.
const LIMIT: u64 = 80;

#[test]
fn a_call_allocates_little() {
    // The server has a thread of its own: allocations are counted by thread.
    let (started, server) = mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        runtime().block_on(async {
            started.send(ModelServer::start().await).unwrap();
            _ = ended.await;
        });
    });
    let server = server.recv().unwrap();
    let backend = backend(&server);
    let runtime = runtime();
    let ask = || runtime.block_on(async { backend.chat(question()).await.unwrap() });
    for _ in 0..20 {
        drop(ask());
    }
    const CALLS: u64 = 50;
    let measured = allocation_counter::measure(|| {
        for _ in 0..CALLS {
            drop(ask());
        }
    });
    let each = measured.count_total / CALLS;
    println!("{each} allocations a call");
    assert!(each <= LIMIT, "{each} allocations");
    end.send(()).unwrap();
    thread.join().unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
