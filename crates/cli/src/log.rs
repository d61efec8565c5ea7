//! What the libraries tell about their work, on stderr.

use crate::args::Form;
use crate::report::{self, WARNING};
use crate::spinner;
use gatepass::printable;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, layer};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Warnings, or what `RUST_LOG` asks for. Without `RUST_LOG`, JSON has stderr to itself: its warnings are kept for the
/// answer.
pub(crate) fn start(form: Form) {
    let lines = layer().with_writer(anstream::stderr).with_ansi(false);
    let registry = tracing_subscriber::registry();
    // It fails where there is one already: this is the only one.
    _ = match (wanted(), form) {
        (Some(targets), _) => registry
            .with(lines.with_filter(targets))
            .with(Kept.with_filter(for_a_person()))
            .try_init(),
        (None, Form::Text) => registry
            .with(lines.event_format(Warning))
            .with(for_a_person())
            .try_init(),
        (None, Form::Json) => registry.with(Kept).with(for_a_person()).try_init(),
    };
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line reads the variable that its help names"
)]
fn wanted() -> Option<Targets> {
    let text = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty())?;
    let targets = text.parse();
    if targets.is_err() {
        report::note("RUST_LOG can't be understood: write a level, or TARGET=LEVEL,TARGET=LEVEL");
    }
    targets.ok()
}

/// Warnings, but not those of what the command itself tells: the cache's, of what it ends with; a login's.
fn for_a_person() -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("gatepass_core::cache", LevelFilter::OFF)
        .with_target("gatepass_oauth2::login", LevelFilter::OFF)
}

/// `warning: what happened`. Our own messages are whole sentences, and say what their fields do; others' don't.
struct Warning;

impl<S, N> FormatEvent<S, N> for Warning
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        spinner::make_room();
        write!(line, "{WARNING}warning:{WARNING:#} ")?;
        if event.metadata().target().starts_with("gatepass") {
            line.write_str(&message(event))?;
        } else {
            context.format_fields(line.by_ref(), event)?;
        }
        writeln!(line)
    }
}

/// Keeps our own messages for the answer.
struct Kept;

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("gatepass") {
            report::keep(message(event));
        }
    }
}

fn message(event: &Event<'_>) -> String {
    let mut message = Message::default();
    event.record(&mut message);
    printable(&message.0)
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
