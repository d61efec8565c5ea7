use super::Step;
use crate::server::Exchange;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use std::collections::VecDeque;
use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::yield_now;
use tokio::time::sleep;

/// The body of an answer, played step by step.
pub(crate) struct AnswerBody {
    steps: VecDeque<Step>,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    exchange: Exchange,
}

/// Makes the HTTP layer close the connection at once.
#[derive(Debug)]
pub(crate) struct Closed;

impl AnswerBody {
    pub(super) fn new(steps: Vec<Step>, exchange: Exchange) -> Self {
        Self {
            steps: steps.into(),
            pause: None,
            exchange,
        }
    }

    fn pause(&mut self, pause: impl Future<Output = ()> + Send + 'static) {
        self.pause = Some(Box::pin(pause));
    }

    /// Ends this step's turn: what it sent is written out before the next one begins.
    fn flush(&mut self) {
        if !self.steps.is_empty() {
            self.pause(yield_now());
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let Some(step) = self.steps.pop_front() else {
                return Poll::Ready(None);
            };
            let bytes = match step {
                Step::Send(bytes) => {
                    self.flush();
                    bytes
                }
                Step::Repeat { chunk, left } => {
                    let Some(rest) = left.checked_sub(chunk.len() as u64).filter(|_| left > 0) else {
                        continue;
                    };
                    let again = chunk.clone();
                    self.steps.push_front(Step::Repeat { chunk, left: rest });
                    again
                }
                Step::Wait(time) => {
                    self.pause(sleep(time));
                    continue;
                }
                Step::Hang => {
                    self.pause(pending());
                    continue;
                }
                Step::CloseAbruptly => return Poll::Ready(Some(Err(Closed))),
            };
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.pause.is_none()
    }
}

/// What remains to be done when the connection lets go of it was given up by the client.
impl Drop for AnswerBody {
    fn drop(&mut self) {
        if self.is_end_stream() {
            self.exchange.finish();
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the script closes the connection here")
    }
}

impl std::error::Error for Closed {}
