//! A sign of life on stderr while nothing else is to be seen.

use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Waits for `work`; after a second a spinner turns on stderr, if that is a terminal.
pub(crate) async fn during<T>(work: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    let mut work = pin!(work);
    let mut spinner = Spinner::default();
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            () = sleep(spinner.pause()) => spinner.turn(),
        }
    }
}

/// Lets no spinner turn from now on: a person is about to type.
pub(crate) fn stop() {
    STOPPED.store(true, Ordering::Relaxed);
}

/// Erases the line that a spinner may have drawn, for another one to be written there.
pub(crate) fn make_room() {
    if io::stderr().is_terminal() {
        draw(ERASE_LINE);
    }
}

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Erases itself when it is dropped, on Ctrl-C too.
#[derive(Default)]
struct Spinner {
    turns: usize,
}

const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Back to the beginning of the line, and erase it.
const ERASE_LINE: &str = "\r\x1b[2K";

impl Spinner {
    const fn pause(&self) -> Duration {
        Duration::from_millis(if self.turns == 0 { 1000 } else { 100 })
    }

    fn turn(&mut self) {
        if STOPPED.load(Ordering::Relaxed) {
            return;
        }
        let frame = FRAMES.iter().cycle().nth(self.turns % FRAMES.len());
        self.turns += 1;
        draw(&format!("{ERASE_LINE}{} waiting", frame.unwrap_or(&' ')));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if self.turns > 0 && !STOPPED.load(Ordering::Relaxed) {
            draw(ERASE_LINE);
        }
    }
}

/// A terminal that is gone needs no spinner.
fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
