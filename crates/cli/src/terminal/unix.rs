use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use std::future::pending;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use tokio::signal::unix::{SignalKind, signal};

/// The terminal at stdin, which shows nothing of what is typed but the ends of lines until this is dropped.
pub(crate) struct Silence {
    before: Termios,
}

impl Silence {
    /// `None` where stdin is no terminal, or one that can't be silenced.
    pub(crate) fn begin() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let silence = Self { before };
        silence.impose().then_some(silence)
    }

    fn impose(&self) -> bool {
        let mut silent = self.before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent).is_ok()
    }

    /// What was typed and not read is dropped: a shell would show it, and remember it.
    fn lift(&self) {
        // Linux's `Flush` leaves what is still on its way from the keyboard.
        _ = tcflush(io::stdin(), QueueSelector::IFlush);
        _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.lift();
    }
}

/// Lets Ctrl-Z stop the program as ever, but gives the shell its terminal as it was. Never ends.
pub(crate) async fn through_stops<T>(silence: &OnceLock<Silence>) -> T {
    if io::stdin().is_terminal()
        && let Ok(mut stops) = signal(SignalKind::from_raw(Signal::TSTP.as_raw()))
    {
        while stops.recv().await.is_some() {
            silence.get().inspect(|silence| silence.lift());
            // Ctrl-Z's own signal is caught from now on. This one stops us too, and is ignored as that one is where
            // no shell could continue us.
            _ = kill_process(getpid(), Signal::TTIN);
            silence.get().inspect(|silence| _ = silence.impose());
        }
    }
    pending().await
}

/// Comes when the program is asked to end, and stdin is a terminal that may have to be left as it was. From the first
/// call on the program isn't ended otherwise; without a terminal the system ends it, as ever.
pub(crate) async fn termination() {
    if !io::stdin().is_terminal() {
        return pending().await;
    }
    let signals = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    let [Ok(mut terminate), Ok(mut hangup), Ok(mut quit)] = signals.map(signal) else {
        return pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
        _ = quit.recv() => {}
    }
}
