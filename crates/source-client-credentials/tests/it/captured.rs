use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use tracing_subscriber::filter::LevelFilter;

/// All that is logged on this thread by way of `tracing`, and in this process by way of `log`, down to TRACE.
pub(crate) struct Log {
    lines: Lines,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Log {
    pub(crate) fn begin() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            log::set_logger(&EVERYBODYS).expect("no other logger");
            log::set_max_level(log::LevelFilter::Trace);
        });
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    pub(crate) fn end(self) -> String {
        let mut text = String::from_utf8_lossy(&self.lines.lock()).into_owned();
        text.push_str(&EVERYBODYS.0.lock().unwrap_or_else(PoisonError::into_inner));
        text
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// reqwest and others speak to `log`.
struct Everybodys(Mutex<String>);

static EVERYBODYS: Everybodys = Everybodys(Mutex::new(String::new()));

impl log::Log for Everybodys {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        _ = writeln!(text, "{} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}
