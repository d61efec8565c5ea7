use crate::alarm::{Alarm, after};
use crate::client::HttpOptions;
use crate::conceal::Concealer;
use crate::error::HttpError;
use crate::private::is_private_address;
use crate::server_url::ServerUrl;
use bytes::{Bytes, BytesMut};
use gatepass_core::Phase;
use http::{HeaderMap, StatusCode, header};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// The most bytes that an answer's head may have.
const HEAD_LIMIT: usize = 64 << 10;

/// An answer whose head is there and whose body may still be coming. Dropping it closes the connection.
pub struct HttpResponse {
    inner: reqwest::Response,
    alarm: Alarm,
    /// The alarm is set for the chunk that is being waited for.
    waiting: bool,
    /// When a body that is read whole has to be there.
    end: End,
    idle_timeout: Duration,
    /// For a body that is read whole.
    whole_timeout: Duration,
    /// What had come of a body that was to be read whole and broke off.
    come: Bytes,
    concealer: Concealer,
}

impl HttpResponse {
    pub(crate) fn new(
        inner: reqwest::Response,
        alarm: Alarm,
        options: &HttpOptions,
    ) -> Result<Self, HttpError> {
        let head: usize = inner
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if head > HEAD_LIMIT {
            let host = ServerUrl::host_of(inner.url());
            let what = "its headers are larger than 64 KiB";
            return Err(HttpError::unreadable(host, what, inner.headers()));
        }
        let response = Self {
            inner,
            alarm,
            waiting: false,
            end: End::Open,
            idle_timeout: options.idle_timeout,
            whole_timeout: options.first_byte_timeout,
            come: Bytes::new(),
            concealer: Concealer::default(),
        };
        // The status of an error tells enough, even where its body can't be read.
        if response.status().is_success() {
            response.check_encoding()?;
        }
        Ok(response)
    }

    pub(crate) fn with_concealer(mut self, concealer: Concealer) -> Self {
        self.concealer = concealer;
        self
    }

    /// Hides the secrets that this is the answer to, should the server quote them.
    #[must_use]
    pub const fn concealer(&self) -> &Concealer {
        &self.concealer
    }

    /// Takes out of it what hides the token.
    pub fn take_concealer(&mut self) -> Concealer {
        std::mem::take(&mut self.concealer)
    }

    /// We never ask for an encoding, so nothing is ever inflated, and a bomb stays as small as it came.
    fn check_encoding(&self) -> Result<(), HttpError> {
        match self.headers().get(header::CONTENT_ENCODING) {
            Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
                let what = "it has a content encoding that nobody asked for";
                Err(HttpError::unreadable(self.host(), what, self.headers()))
            }
            _ => Ok(()),
        }
    }

    /// Host and port of the server, for people.
    #[must_use]
    pub fn host(&self) -> &str {
        ServerUrl::host_of(self.inner.url())
    }

    /// Whether who we are connected to, which may be a proxy, is this machine or in a private network.
    #[must_use]
    pub fn is_from_inside(&self) -> bool {
        let peer = self.inner.remote_addr();
        peer.is_some_and(|peer| is_private_address(peer.ip()))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// When the server says it answered (`Date`, RFC 9110 §6.6.1), in whole seconds.
    #[must_use]
    pub fn date(&self) -> Option<SystemTime> {
        let date = self.headers().get(header::DATE)?.to_str().ok()?;
        httpdate::parse_http_date(date).ok()
    }

    /// Takes the headers out of it.
    pub fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(self.inner.headers_mut())
    }

    /// Waits for the next chunk of the body; `None` at its end.
    ///
    /// # Errors
    /// [`HttpError::Network`] when the connection breaks, or is silent for longer than the idle timeout.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        self.end = End::Open;
        self.next().await
    }

    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        self.waiting = false;
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// As [`chunk`](Self::chunk), for who is polled.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk).
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, HttpError>> {
        // All that is known of the body lies in the answer: the future can be made anew each time.
        let polled = pin!(self.inner.chunk()).poll(cx);
        if let Poll::Ready(next) = polled {
            self.waiting = false;
            return Poll::Ready(next.map_err(|error| HttpError::of(self.host(), error, Phase::Body)));
        }
        ready!(self.poll_patience(cx));
        Poll::Ready(Err(HttpError::timeout(self.host(), Phase::Idle)))
    }

    /// Ready when there has been nothing for too long. A chunk that is there already needs no clock, and most of a
    /// fast stream's are.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.waiting {
            let now = Instant::now();
            let idle = after(now, self.idle_timeout);
            let deadline = match self.end.moment(now) {
                // Asked of the clock, too: no timer rings in a task that has used up its turn with each poll.
                Some(end) if end <= now => return Poll::Ready(()),
                Some(end) => end.min(idle),
                None => idle,
            };
            self.alarm.set(deadline);
            self.waiting = true;
        }
        self.alarm.poll(cx)
    }

    /// Reads the whole body, if it has no more than `limit` bytes and comes within the time that an answer may
    /// take to begin.
    ///
    /// # Errors
    /// [`HttpError::Unreadable`] as soon as there is more; [`HttpError::Network`] as for [`chunk`](Self::chunk), and
    /// what had come until then is kept: see [`take_come`](Self::take_come).
    pub async fn read(&mut self, limit: usize) -> Result<Bytes, HttpError> {
        self.check_encoding()?;
        let announced = self.inner.content_length().unwrap_or_default();
        if usize::try_from(announced).is_ok_and(|announced| announced > limit) {
            return Err(self.too_large(limit));
        }
        self.end = End::After(self.whole_timeout);
        let Some(mut body) = self.next().await? else {
            return Ok(Bytes::new());
        };
        loop {
            let chunk = match self.next().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => {
                    self.come = body;
                    return Err(error);
                }
            };
            if body.len() + chunk.len() > limit {
                return Err(self.too_large(limit));
            }
            // One chunk is the rule; a second one makes it a buffer that grows.
            let mut buffer = BytesMut::from(body);
            buffer.extend_from_slice(&chunk);
            body = buffer.freeze();
        }
        if body.len() > limit {
            Err(self.too_large(limit))
        } else {
            Ok(body)
        }
    }

    /// Takes what had come of the body that [`read`](Self::read) couldn't read to its end.
    pub fn take_come(&mut self) -> Bytes {
        std::mem::take(&mut self.come)
    }

    /// What an error answer says: the first 64 KiB of its body, as far as they come within 10 s (or the time that
    /// an answer may take to begin, if that is shorter). Its status tells enough if nothing comes.
    pub async fn read_some(&mut self) -> Vec<u8> {
        const ENOUGH: usize = 64 << 10;
        const PATIENCE: Duration = Duration::from_secs(10);
        let mut body = Vec::new();
        if self.check_encoding().is_err() {
            return body;
        }
        let patience = PATIENCE.min(self.whole_timeout);
        let reading = async {
            while let Ok(Some(chunk)) = self.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() >= ENOUGH {
                    break;
                }
            }
        };
        _ = tokio::time::timeout(patience, reading).await;
        body.truncate(ENOUGH);
        body
    }

    fn too_large(&self, limit: usize) -> HttpError {
        let what = format!("its body is larger than {limit} bytes");
        HttpError::unreadable(self.host(), what, self.headers())
    }
}

/// When a body has to be there.
enum End {
    /// Whenever it comes: a stream's.
    Open,
    /// So long after the first wait for it.
    After(Duration),
    At(Instant),
}

impl End {
    /// The moment of a wait that begins `now`.
    fn moment(&mut self, now: Instant) -> Option<Instant> {
        if let Self::After(patience) = *self {
            *self = Self::At(after(now, patience));
        }
        match *self {
            Self::At(end) => Some(end),
            _ => None,
        }
    }
}

/// Without the address and the headers: a query or a cookie may be a secret.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("host", &self.host())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
