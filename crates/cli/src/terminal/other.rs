use std::future::pending;
use std::sync::OnceLock;

/// Not there on this platform: a terminal shows what is typed.
pub(crate) enum Silence {}

impl Silence {
    pub(crate) async fn begin() -> Option<Self> {
        None
    }
}

/// Comes at once: the read waits.
pub(crate) async fn input() {}

/// Never ends: there is nothing to do.
pub(crate) async fn through_stops<T>(_: &OnceLock<Silence>) -> T {
    pending().await
}

/// Never comes: the system ends the program by itself.
pub(crate) async fn termination() {
    pending().await
}
