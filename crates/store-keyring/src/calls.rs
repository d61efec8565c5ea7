//! Calls that may never come back, each on a thread of its own.
//!
//! The thread is detached: a runtime that ends waits for the threads of `spawn_blocking`, so a locked keyring would
//! keep the process from ending.

use crate::error::{no_answer, unavailable};
use crate::ring::{Connect, Entry, Ring, Secret};
use gatepass_core::StoreError;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A keyring, asked from threads that nobody waits for longer than the deadline.
#[derive(Clone)]
pub(crate) struct Calls {
    keyring: Arc<dyn Connect>,
    slots: Arc<Slots>,
    pub(crate) deadline: Duration,
}

impl Calls {
    pub(crate) fn new(keyring: Arc<dyn Connect>, deadline: Duration) -> Self {
        Self {
            keyring,
            slots: Arc::default(),
            deadline,
        }
    }

    pub(crate) fn place(&self) -> &'static str {
        self.keyring.place()
    }

    /// Waits without keeping a thread of the runtime. A caller that goes away doesn't cut the work off.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Ring) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let given_up = self.start(work, move |done| _ = sender.send(done))?;
        match timeout(self.deadline, receiver).await {
            Ok(done) => done.unwrap_or_else(|_| Err(self.broke_off())),
            Err(_) => Err(self.give_up(&given_up)),
        }
    }

    /// Waits on this thread, which may block.
    pub(crate) fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Ring) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = mpsc::channel();
        let given_up = self.start(work, move |done| _ = sender.send(done))?;
        match receiver.recv_timeout(self.deadline) {
            Ok(done) => done,
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(self.broke_off()),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(self.give_up(&given_up)),
        }
    }

    fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Ring) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<Arc<AtomicBool>, StoreError> {
        let given_up = Arc::new(AtomicBool::new(false));
        let (calls, flag) = (self.clone(), Arc::clone(&given_up));
        std::thread::Builder::new()
            .name("gatepass-keyring".to_owned())
            .spawn(move || answer(calls.perform(work, flag)))
            .map_err(|error| unavailable("no thread can be started", Some(error)))?;
        Ok(given_up)
    }

    fn perform<T>(
        &self,
        work: impl FnOnce(&dyn Ring) -> Result<T, StoreError>,
        given_up: Arc<AtomicBool>,
    ) -> Result<T, StoreError> {
        let late = || no_answer(self.place(), self.deadline);
        let _slot = Slots::take(&self.slots, self.deadline).ok_or_else(late)?;
        let ring = Watched {
            ring: self.keyring.connect()?,
            given_up,
            late: &late,
        };
        work(&ring)
    }

    fn give_up(&self, given_up: &AtomicBool) -> StoreError {
        given_up.store(true, Ordering::Release);
        no_answer(self.place(), self.deadline)
    }

    fn broke_off(&self) -> StoreError {
        unavailable(format!("the library of {} broke off", self.place()), None::<&str>)
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("keyring", &self.keyring)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// Does nothing more once nobody waits: work in several steps must not be finished behind the back of a caller who
/// was told that it failed.
struct Watched<'a> {
    ring: Box<dyn Ring>,
    given_up: Arc<AtomicBool>,
    late: &'a dyn Fn() -> StoreError,
}

impl Watched<'_> {
    fn still(&self) -> Result<&dyn Ring, StoreError> {
        if self.given_up.load(Ordering::Acquire) {
            return Err((self.late)());
        }
        Ok(self.ring.as_ref())
    }
}

impl Ring for Watched<'_> {
    fn get(&self, entry: &Entry) -> Result<Option<Secret>, StoreError> {
        self.still()?.get(entry)
    }

    fn set(&self, entry: &Entry, secret: &[u8]) -> Result<(), StoreError> {
        self.still()?.set(entry, secret)
    }

    fn remove(&self, entry: &Entry) -> Result<bool, StoreError> {
        self.still()?.remove(entry)
    }

    fn users(&self, service: &str) -> Result<Vec<String>, StoreError> {
        self.still()?.users(service)
    }

    fn most_bytes(&self) -> usize {
        self.ring.most_bytes()
    }
}

/// How many calls are under way. Those that never come back keep theirs, so that a keyring that hangs costs a few
/// threads, and not one for each try.
#[derive(Default)]
struct Slots {
    taken: Mutex<usize>,
    freed: Condvar,
}

const MOST_AT_ONCE: usize = 4;

struct Slot(Arc<Slots>);

impl Slots {
    fn take(slots: &Arc<Self>, patience: Duration) -> Option<Slot> {
        let begin = Instant::now();
        let mut taken = slots.taken();
        while *taken >= MOST_AT_ONCE {
            let left = patience.checked_sub(begin.elapsed())?;
            taken = match slots.freed.wait_timeout(taken, left) {
                Ok((taken, _)) => taken,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *taken = taken.saturating_add(1);
        Some(Slot(Arc::clone(slots)))
    }

    fn taken(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.0.taken();
        *taken = taken.saturating_sub(1);
        drop(taken);
        self.0.freed.notify_one();
    }
}
