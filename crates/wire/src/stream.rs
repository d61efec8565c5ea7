use crate::answer::error_within;
use crate::array::Array;
use crate::origin::Origin;
use crate::surrogate::mended;
use futures_core::Stream;
use gatepass_core::{BackendError, ChatEvent};
use gatepass_http::{Bytes, HttpError, HttpResponse, SseDecoder, SseError, SseEvent};
use serde_json::Value;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// How long the end of a connection is waited for after the end of the answer.
const DRAIN: Duration = Duration::from_millis(100);

/// Turns the events that one wire sends into ours.
pub trait StreamDecoder: Send + Unpin + 'static {
    /// Reads one event: its name, empty if it has none, and its data. An event named `error` and the data
    /// `[DONE]` don't come here.
    ///
    /// # Errors
    /// See [`Fault`]; the stream then ends, after the events that were told until then. An event that is
    /// [unreadable](Fault::Unreadable) has told nothing: it may be read once more, mended.
    fn read(&mut self, name: &str, data: &str) -> Result<Progress, Fault>;

    /// Where the events are that have been told and not taken yet.
    fn events(&mut self) -> &mut VecDeque<ChatEvent>;

    /// Whether the server has said why the answer ended: an end of the connection is then no fault.
    fn has_finished(&self) -> bool;

    /// Tells what is left at the end of a complete answer.
    fn end(&mut self);

    /// Tells what is left when the answer breaks off; a tool call that isn't whole stays untold.
    fn break_off(&mut self);
}

/// Whether more events are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an answer goes on, or it doesn't")]
pub enum Progress {
    /// The answer may go on.
    More,
    /// It is complete.
    Done,
}

/// Why an event ends the stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// It can't be read.
    Unreadable(serde_json::Error),
    /// It tells of an error.
    Told(Value),
    /// More would have to be held back until the end than anyone wants; says what.
    TooLarge(&'static str),
}

/// The events of a streamed answer, read as they come. Dropping it closes the connection.
pub(crate) struct Events<D> {
    origin: Origin,
    sse: SseDecoder,
    /// For a stream that isn't one of events.
    array: Option<Array>,
    decoder: D,
    state: State,
    /// Told after the events that came before it.
    failure: Option<BackendError>,
    /// Whether there was any event at all.
    begun: bool,
}

#[expect(clippy::large_enum_variant, reason = "there is one for each stream")]
enum State {
    /// What has come is being read, and more waited for.
    Reading(HttpResponse),
    /// The last that has come is being read.
    Finishing,
    /// The answer is complete. Its connection can be used again if that ends here, too.
    Draining(Pin<Box<dyn Future<Output = ()> + Send>>),
    Over,
}

/// What was read.
enum Read {
    Event,
    Done,
    /// Nothing whole.
    Nothing,
}

impl<D: StreamDecoder> Events<D> {
    /// Goes on after the first chunk.
    pub(crate) fn new(
        response: HttpResponse,
        chunk: &[u8],
        origin: Origin,
        decoder: D,
    ) -> Result<Self, BackendError> {
        let mut this = Self {
            origin,
            sse: SseDecoder::default(),
            array: Array::begins(chunk).then(Array::default),
            decoder,
            state: State::Reading(response),
            failure: None,
            begun: false,
        };
        this.push(chunk)
            .map_err(|error| this.origin.unreadable(error.to_string()))?;
        Ok(this)
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), SseError> {
        match &mut self.array {
            None => self.sse.push(chunk),
            Some(array) => self.sse.push(&array.events(chunk)),
        }
    }

    /// One step; what it brings is in `decoder.events()` and `failure`.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.state {
            State::Reading(_) | State::Finishing => match self.read() {
                Ok(Read::Event) => {}
                Ok(Read::Done) => self.complete(),
                Ok(Read::Nothing) => ready!(self.go_on(cx)),
                Err(error) => self.fail(error),
            },
            State::Draining(draining) => {
                ready!(draining.as_mut().poll(cx));
                self.state = State::Over;
            }
            State::Over => {}
        }
        Poll::Ready(())
    }

    /// Reads the next event of what has come.
    fn read(&mut self) -> Result<Read, BackendError> {
        let is_last = matches!(self.state, State::Finishing);
        let event = match self.sse.next() {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(Read::Nothing),
            Err(_) if is_last => return Ok(Read::Nothing),
            Err(error) => return Err(self.origin.unreadable(error.to_string())),
        };
        self.begun = true;
        match read_event(&mut self.decoder, &event) {
            Ok(Progress::More) => Ok(Read::Event),
            Ok(Progress::Done) => Ok(Read::Done),
            // The connection ended within it.
            Err(Fault::Unreadable(_)) if is_last => Ok(Read::Nothing),
            Err(fault) => Err(self.origin.faulty(fault)),
        }
    }

    /// Waits for more, or ends if no more will come.
    fn go_on(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.state {
            State::Reading(response) => {
                let chunk = ready!(response.poll_chunk(cx));
                self.take(chunk);
            }
            _ if self.decoder.has_finished() => self.complete(),
            _ => {
                let error = self.too_early();
                self.fail(error);
            }
        }
        Poll::Ready(())
    }

    fn take(&mut self, chunk: Result<Option<Bytes>, HttpError>) {
        match chunk {
            Ok(Some(chunk)) => {
                if let Err(error) = self.push(&chunk) {
                    self.fail(self.origin.unreadable(error.to_string()));
                }
            }
            Ok(None) => {
                self.sse.finish();
                self.state = State::Finishing;
            }
            // All that is missing is the end of the connection.
            Err(_) if self.decoder.has_finished() => {
                self.state = State::Over;
                self.complete();
            }
            Err(error) => self.fail(self.origin.broken(error)),
        }
    }

    fn complete(&mut self) {
        self.decoder.end();
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Reading(response) => State::Draining(Box::pin(drain(response))),
            _ => State::Over,
        };
    }

    fn fail(&mut self, error: BackendError) {
        self.decoder.break_off();
        self.failure = Some(error);
        self.state = State::Over;
    }

    fn too_early(&self) -> BackendError {
        if let Some(told) = error_beside_events(&self.sse) {
            return self.origin.told(&told);
        }
        let content_type = self.origin.content_type();
        if self.begun || content_type.starts_with("text/event-stream") {
            self.origin.cut_off()
        } else {
            self.origin
                .unreadable(format!("it is no event stream ({content_type})"))
        }
    }
}

/// Some servers, Google's among them, break a stream off with an error that no event wraps.
pub(crate) fn error_beside_events(sse: &SseDecoder) -> Option<Value> {
    error_within(sse.stray())
}

/// Reads what events of all wires may be, and with `decoder` what this one's are.
pub(crate) fn read_event<D: StreamDecoder>(decoder: &mut D, event: &SseEvent<'_>) -> Result<Progress, Fault> {
    match event.data.trim_ascii() {
        "[DONE]" => return Ok(Progress::Done),
        // A sign of life.
        "" => return Ok(Progress::More),
        _ => {}
    }
    if event.name == "error" {
        let told = serde_json::from_str(event.data);
        return Err(Fault::Told(told.unwrap_or_else(|_| Value::from(event.data))));
    }
    match decoder.read(event.name, event.data) {
        Err(Fault::Unreadable(error)) => match mended(event.data) {
            Some(data) => decoder.read(event.name, &data),
            None => Err(Fault::Unreadable(error)),
        },
        read => read,
    }
}

async fn drain(mut response: HttpResponse) {
    let end = async { while let Ok(Some(_)) = response.chunk().await {} };
    _ = tokio::time::timeout(DRAIN, end).await;
}

impl<D: StreamDecoder> Stream for Events<D> {
    type Item = Result<ChatEvent, BackendError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(event) = this.decoder.events().pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            if let Some(error) = this.failure.take() {
                return Poll::Ready(Some(Err(error)));
            }
            if matches!(this.state, State::Over) {
                return Poll::Ready(None);
            }
            ready!(this.step(cx));
        }
    }
}
