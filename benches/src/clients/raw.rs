use super::{KEY, MODEL, PROMPT, SYSTEM};
use crate::Job;
use crate::stub::{TEXT, stream_bytes, streamed_bytes};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// reqwest and serde_json by themselves: typed, no retry, no timeout, no limit, errors as zero bytes.
#[derive(Clone)]
pub(crate) struct Raw {
    client: Client,
    url: Arc<str>,
}

impl Raw {
    pub(crate) fn new(base_url: &str) -> Result<Self, Box<dyn Error>> {
        // Only the first of them counts.
        _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: builder().build()?,
            url: format!("{base_url}/chat/completions").into(),
        })
    }

    /// As [`new`](Self::new), with the limit that reqwest has for the time between two reads.
    pub(crate) fn patient(base_url: &str, patience: Duration) -> Result<Self, Box<dyn Error>> {
        let mut raw = Self::new(base_url)?;
        raw.client = builder().read_timeout(patience).build()?;
        Ok(raw)
    }

    pub(crate) fn call(self) -> Job {
        self.call_as("reference: reqwest + serde_json, typed")
    }

    pub(crate) fn call_as(self, name: &str) -> Job {
        Job::new(name, TEXT.len(), move || {
            let raw = self.clone();
            async move { raw.ask().await.unwrap_or(0) }
        })
    }

    pub(crate) fn stream(self) -> Job {
        let name = "reference: reqwest + lines split by hand + serde_json, typed";
        self.stream_of::<Chunk>(name)
    }

    pub(crate) fn borrowed_stream(self) -> Job {
        let name = "the same, strings borrowed";
        self.stream_of::<Borrowed>(name)
    }

    /// The least that a stream costs on this HTTP client: nobody looks at the bytes.
    pub(crate) fn counted_stream(self) -> Job {
        Job::new("reqwest alone, its bytes counted", streamed_bytes(), move || {
            let raw = self.clone();
            async move { raw.count().await.unwrap_or(0) }
        })
    }

    fn stream_of<K: Kind>(self, name: &str) -> Job {
        Job::new(name, stream_bytes(), move || {
            let raw = self.clone();
            async move { raw.read::<K>().await.unwrap_or(0) }
        })
    }

    async fn ask(&self) -> Result<usize, Box<dyn Error + Send + Sync>> {
        let body = self.send(false).await?.bytes().await?;
        let reply: Reply = serde_json::from_slice(&body)?;
        let first = reply.choices.into_iter().next().ok_or("no choice")?;
        Ok(first.message.content.map_or(0, |text| text.len()))
    }

    async fn read<K: Kind>(&self) -> Result<usize, Box<dyn Error + Send + Sync>> {
        let mut response = self.send(true).await?;
        let mut lines = Lines::default();
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await? {
            lines.feed(&chunk, |line| {
                let Some(data) = line.strip_prefix(b"data: ").filter(|&data| data != b"[DONE]") else {
                    return Ok(());
                };
                bytes += K::text(data)?;
                Ok::<_, serde_json::Error>(())
            })?;
        }
        Ok(bytes)
    }

    async fn count(&self) -> Result<usize, Box<dyn Error + Send + Sync>> {
        let mut response = self.send(true).await?;
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await? {
            bytes += chunk.len();
        }
        Ok(bytes)
    }

    async fn send(&self, stream: bool) -> Result<Response, Box<dyn Error + Send + Sync>> {
        let body = Request {
            model: MODEL,
            messages: [("system", SYSTEM), ("user", PROMPT)].map(|(role, content)| Asked { role, content }),
            stream,
        };
        let request = self
            .client
            .post(&*self.url)
            .header(AUTHORIZATION, format!("Bearer {KEY}"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(serde_json::to_vec(&body)?);
        Ok(request.send().await?.error_for_status()?)
    }
}

/// Lines out of chunks; one that lies whole in a chunk is not copied.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn feed<E>(&mut self, chunk: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut rest = chunk;
        while let Some((line, after)) = memchr::memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end))
        {
            if self.0.is_empty() {
                each(line)?;
            } else {
                self.0.extend_from_slice(line);
                each(&self.0)?;
                self.0.clear();
            }
            rest = after.get(1..).unwrap_or_default();
        }
        self.0.extend_from_slice(rest);
        Ok(())
    }
}

/// As gatepass has it: what an API asks for and a key deserves.
#[expect(clippy::disallowed_methods, reason = "the reference is reqwest by itself")]
fn builder() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .user_agent("gatepass-benches/1")
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: [Asked<'a>; 2],
    stream: bool,
}

#[derive(Serialize)]
struct Asked<'a> {
    role: &'a str,
    content: &'a str,
}

/// What gatepass hands on of the stub's answer.
#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct Reply {
    id: String,
    created: u64,
    model: String,
    choices: Vec<Choice>,
    usage: Option<Usage>,
    service_tier: Option<String>,
    system_fingerprint: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: Option<Details>,
    completion_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct Details {
    cached_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Text {
    content: Option<String>,
}

/// A kind of chunk, and the text in it.
trait Kind: 'static {
    fn text(data: &[u8]) -> Result<usize, serde_json::Error>;
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct Chunk {
    id: String,
    model: String,
    choices: Vec<Piece>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct Piece {
    index: u32,
    delta: Text,
    finish_reason: Option<String>,
}

impl Kind for Chunk {
    fn text(data: &[u8]) -> Result<usize, serde_json::Error> {
        let chunk: Self = serde_json::from_slice(data)?;
        let texts = chunk.choices.into_iter().filter_map(|piece| piece.delta.content);
        Ok(texts.map(|text| text.len()).sum())
    }
}

struct Borrowed;

#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct BorrowedChunk<'a> {
    id: &'a str,
    model: &'a str,
    #[serde(borrow)]
    choices: Vec<BorrowedPiece<'a>>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "a client reads all that it may be asked for")]
struct BorrowedPiece<'a> {
    index: u32,
    #[serde(borrow)]
    delta: BorrowedText<'a>,
    finish_reason: Option<&'a str>,
}

#[derive(Deserialize)]
struct BorrowedText<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
}

impl Kind for Borrowed {
    fn text(data: &[u8]) -> Result<usize, serde_json::Error> {
        let chunk: BorrowedChunk<'_> = serde_json::from_slice(data)?;
        let texts = chunk.choices.into_iter().filter_map(|piece| piece.delta.content);
        Ok(texts.map(|text| text.len()).sum())
    }
}
