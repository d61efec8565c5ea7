mod body;
mod constructors;
mod gzip_bomb;
mod script;

pub(crate) use body::{AnswerBody, Closed};
pub(crate) use script::Script;

use crate::server::Exchange;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use std::time::Duration;

/// A canned HTTP answer, kind or hostile, for either server.
///
/// ```
/// use gatepass_testkit::Answer;
/// use std::time::Duration;
///
/// let busy = Answer::text(503, "come back later").with_header("retry-after", "2");
/// let late = Answer::text(200, "at last").after(Duration::from_secs(3));
/// let torn = Answer::sse([b"data: {\"cho".as_slice(), b"ices\":"]).then_close_abruptly();
/// # drop((busy, late, torn));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Answer {
    delay: Duration,
    opening: Opening,
    status: StatusCode,
    headers: HeaderMap,
    steps: Vec<Step>,
}

/// How an answer begins, if it does.
#[derive(Debug, Clone, Copy)]
enum Opening {
    Head,
    Silence,
    Close,
}

/// What happens to the body, one after the other.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Goes out on its own, before the next step begins.
    Send(Bytes),
    Repeat {
        chunk: Bytes,
        left: u64,
    },
    Wait(Duration),
    Hang,
    CloseAbruptly,
}

impl Answer {
    /// An answer without a body. See the other constructors for the more talkative ones.
    ///
    /// # Panics
    /// If `status` is not between 100 and 999.
    pub fn new(status: u16) -> Self {
        let Ok(status) = StatusCode::from_u16(status) else {
            panic!("{status} is no HTTP status")
        };
        Self {
            delay: Duration::ZERO,
            opening: Opening::Head,
            status,
            headers: HeaderMap::new(),
            steps: Vec::new(),
        }
    }

    /// Sets a header, in place of one of the same name.
    ///
    /// # Panics
    /// If HTTP doesn't allow such a name or value.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_ref()),
        ) else {
            panic!("no header can be named {name:?} and carry that value")
        };
        self.headers.insert(name, value);
        self
    }

    /// Adds a header of `bytes` bytes.
    pub fn with_huge_header(self, bytes: usize) -> Self {
        self.with_header("x-huge", "h".repeat(bytes))
    }

    /// Sets the body, and its `Content-Length`.
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        self.steps = vec![Step::Send(body)];
        self
    }

    /// Waits before the first byte of the answer.
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Closes the connection after what has been sent, as a server does that crashes: a chunked body has no end.
    pub fn then_close_abruptly(self) -> Self {
        self.then(Step::CloseAbruptly)
    }

    /// Keeps the connection open after what has been sent, and says nothing more.
    pub fn then_hang(self) -> Self {
        self.then(Step::Hang)
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sets a header that the script doesn't set.
    pub(crate) fn with_default_header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if self.headers.contains_key(name) {
            return self;
        }
        self.with_header(name, value)
    }

    /// Begins to answer; the body does the rest.
    pub(crate) async fn deliver(self, mut exchange: Exchange) -> Result<Response<AnswerBody>, Closed> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        match self.opening {
            Opening::Head => {}
            Opening::Silence => std::future::pending().await,
            Opening::Close => {
                exchange.finish();
                return Err(Closed);
            }
        }
        let mut response = Response::new(AnswerBody::new(self.steps, exchange));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        Ok(response)
    }
}
