//! How many reads of one store run at once in this process.

use crate::error::unavailable;
use crate::lock::{blocking, without_traces};
use gatepass_core::StoreError;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// More at once would each need a thread of its own, and all of them would take longer than one after the other.
const AT_ONCE: usize = 16;
/// A file system or a vault that hangs keeps those who wait no longer than that: then they go ahead all the same.
const PATIENCE: Duration = Duration::from_secs(1);

static ALL: Mutex<BTreeMap<PathBuf, Weak<Mutex<Queue>>>> = Mutex::new(BTreeMap::new());

/// Shared by all handles of a directory, and by nothing else: a network directory that hangs holds up no other store.
#[derive(Debug)]
pub(crate) struct Readers(Arc<Mutex<Queue>>);

/// Reads that nobody has begun, and how many threads take them.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Box<dyn Job>>,
    threads: usize,
}

/// One read, and who waits for it.
trait Job: Send {
    /// Whether somebody still waits for it here.
    fn is_wanted(&self) -> bool;

    fn run(self: Box<Self>);
}

struct Read<T, W> {
    /// Gone when who waited long enough has taken it along.
    work: Arc<Mutex<Option<W>>>,
    done: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, W: FnOnce() -> Result<T, StoreError> + Send> Job for Read<T, W> {
    fn is_wanted(&self) -> bool {
        !self.done.is_closed() && locked(&self.work).is_some()
    }

    fn run(self: Box<Self>) {
        let work = locked(&self.work).take();
        if let Some(work) = work.filter(|_| !self.done.is_closed()) {
            _ = self.done.send(without_traces(work));
        }
    }
}

impl Readers {
    pub(crate) fn of(directory: &Path) -> Self {
        let mut all = locked(&ALL);
        if let Some(known) = all.get(directory).and_then(Weak::upgrade) {
            return Self(known);
        }
        all.retain(|_, readers| readers.strong_count() > 0);
        let queue = Arc::default();
        all.insert(directory.to_owned(), Arc::downgrade(&queue));
        Self(queue)
    }

    /// Reads in turn, off the async threads: a thread that has read goes on with the next who waits, so that a thousand
    /// need no thousand wake-ups.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, mut outcome) = oneshot::channel();
        let work = Arc::new(Mutex::new(Some(work)));
        let read = Read {
            work: Arc::clone(&work),
            done,
        };
        self.queue(Box::new(read));
        let outcome = match timeout(PATIENCE, &mut outcome).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let work = locked(&work).take();
                match work {
                    Some(work) => return blocking(work).await,
                    None => outcome.await,
                }
            }
        };
        outcome.unwrap_or_else(|gone| Err(unavailable("the runtime is shutting down", gone)))
    }

    fn queue(&self, job: Box<dyn Job>) {
        let mut queue = locked(&self.0);
        // Behind reads that hang, those of callers who have gone would pile up.
        if queue.waiting.len() == queue.waiting.capacity() {
            queue.waiting.retain(|job| job.is_wanted());
        }
        queue.waiting.push_back(job);
        if queue.threads < AT_ONCE {
            queue.threads += 1;
            drop(queue);
            let mut thread = Thread(Some(Arc::clone(&self.0)));
            tokio::task::spawn_blocking(move || thread.run());
        }
    }
}

/// One of those that read. It is counted until it ends, or until its runtime drops it before it has begun.
struct Thread(Option<Arc<Mutex<Queue>>>);

impl Thread {
    fn run(&mut self) {
        while let Some(job) = self.next() {
            // What a read panics with is told to who waits for it, and to nobody else.
            _ = catch_unwind(AssertUnwindSafe(|| job.run()));
        }
    }

    /// The next read; with the last one it ends, under the same lock, so that nobody counts on it who comes after.
    fn next(&mut self) -> Option<Box<dyn Job>> {
        let queue = self.0.as_ref()?;
        let mut found = locked(queue);
        let job = found.waiting.pop_front();
        if job.is_none() {
            found.threads -= 1;
            drop(found);
            self.0 = None;
        }
        job
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            locked(queue).threads -= 1;
        }
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::Sender;

    #[test]
    fn a_directory_has_its_own_turns_until_its_last_handle_is_gone() {
        let [here, there] = [Path::new("/here"), Path::new("/there")];
        let (one, other) = (Readers::of(here), Readers::of(here));
        assert!(Arc::ptr_eq(&one.0, &other.0));
        assert!(!Arc::ptr_eq(&one.0, &Readers::of(there).0));
        assert!(Arc::ptr_eq(&one.0, &Readers::of(here).0), "still the same");
        drop((one, other));
        let _there = Readers::of(there);
        assert!(!ALL.lock().unwrap().contains_key(here), "it takes no memory");
    }

    /// A read that nobody has to wait for.
    fn job(
        work: impl FnOnce() + Send + 'static,
    ) -> (Box<dyn Job>, oneshot::Receiver<Result<(), StoreError>>) {
        let (done, outcome) = oneshot::channel();
        let work = move || {
            work();
            Ok(())
        };
        let work = Arc::new(Mutex::new(Some(work)));
        (Box::new(Read { work, done }), outcome)
    }

    /// As many reads as run at once, until the other end is dropped.
    fn hang(readers: &Readers) -> (Sender<()>, Vec<oneshot::Receiver<Result<(), StoreError>>>) {
        let (end, ends) = std::sync::mpsc::channel();
        let ends = Arc::new(Mutex::new(ends));
        let hang = |_| {
            let ends = Arc::clone(&ends);
            let (job, outcome) = job(move || _ = locked(&ends).recv());
            readers.queue(job);
            outcome
        };
        (end, (0..AT_ONCE).map(hang).collect())
    }

    #[tokio::test]
    async fn no_more_than_sixteen_read_at_once() {
        let readers = Readers::of(Path::new("/many"));
        let (end, _hanging) = hang(&readers);
        let (another, _outcome) = job(|| ());
        readers.queue(another);
        assert_eq!(locked(&readers.0).threads, AT_ONCE);
        drop(end);
    }

    #[tokio::test]
    async fn behind_reads_that_hang_nothing_piles_up_of_who_goes_away() {
        let readers = Readers::of(Path::new("/hangs"));
        let (end, _hanging) = hang(&readers);
        let (kept, outcome) = job(|| ());
        readers.queue(kept);
        for _ in 0..10_000 {
            readers.queue(job(|| panic!("nobody waits for it")).0);
        }
        assert!(locked(&readers.0).waiting.len() < 100);
        drop(end);
        assert!(outcome.await.unwrap().is_ok(), "who waits is read for");
    }

    #[tokio::test]
    async fn a_read_that_panics_is_told_to_who_waits_for_it_alone() {
        let readers = Readers::of(Path::new("/panics"));
        for _ in 0..=AT_ONCE {
            let told = readers.read::<()>(|| panic!("no read")).await.unwrap_err();
            assert!(matches!(told, StoreError::Unavailable { .. }), "{told}");
        }
        assert_eq!(readers.read(|| Ok(7)).await.unwrap(), 7);
    }

    #[test]
    fn a_runtime_that_ends_takes_no_thread_of_the_next_one_along() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap()
        };
        let readers = Readers::of(Path::new("/ends"));
        for _ in 0..=AT_ONCE {
            let ends = runtime();
            // Nobody waits for it, and with its runtime it may end before it has begun.
            ends.block_on(async { readers.queue(job(|| ()).0) });
            ends.shutdown_background();
        }
        let reading = readers.read(|| Ok(7));
        assert_eq!(runtime().block_on(reading).unwrap(), 7);
        while locked(&readers.0).threads > 0 {
            std::thread::yield_now();
        }
        locked(&readers.0).threads += 1;
        drop(Thread(Some(Arc::clone(&readers.0)))); // before it has begun
        assert_eq!(locked(&readers.0).threads, 0);
        assert!(locked(&readers.0).waiting.is_empty());
    }
}
