//! How else a token could be kept: the least code for each way, without refresh.

use super::{SECRET, leak};
use crate::Operation;
use arc_swap::ArcSwap;
use gatepass_core::http::HeaderValue;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, RwLock};

/// What all others are compared with.
pub(crate) const REFERENCE: &str = "reference: arc-swap guard + Instant";

struct Token {
    header: HeaderValue,
    expires: Instant,
    #[cfg(target_os = "linux")]
    expires_coarse: i64,
}

impl Token {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            header: HeaderValue::from_static(SECRET),
            expires: Instant::now() + Duration::from_secs(3600),
            #[cfg(target_os = "linux")]
            expires_coarse: coarse_seconds() + 3600,
        })
    }

    fn is_valid(&self) -> bool {
        Instant::now() < self.expires
    }
}

#[cfg(target_os = "linux")]
fn coarse_seconds() -> i64 {
    use rustix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::MonotonicCoarse).tv_sec
}

pub(crate) fn operations() -> Vec<Operation> {
    let swap = leak(ArcSwap::new(Token::new()));
    let mutex = leak(Mutex::new(Some(Token::new())));
    let lock = leak(RwLock::new(Some(Token::new())));
    vec![
        Operation::new(REFERENCE, || async {
            let token = swap.load();
            token.is_valid().then(|| token.header.len())
        }),
        #[cfg(target_os = "linux")]
        Operation::new("arc-swap guard + coarse clock", || async {
            let token = swap.load();
            (coarse_seconds() < token.expires_coarse).then(|| token.header.len())
        }),
        Operation::new("arc-swap load_full + Instant", || async {
            let token = swap.load_full();
            token.is_valid().then(|| token.header.len())
        }),
        Operation::new("tokio Mutex + Instant", || async {
            let token = mutex.lock().await.clone();
            token
                .filter(|token| token.is_valid())
                .map(|token| token.header.len())
        }),
        Operation::new("tokio RwLock + Instant", || async {
            let token = lock.read().await.clone();
            token
                .filter(|token| token.is_valid())
                .map(|token| token.header.len())
        }),
        Operation::new("clock: Instant::now", || async { Instant::now() }),
    ]
}
