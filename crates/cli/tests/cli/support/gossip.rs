//! A server that repeats what it is told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Answers each request with all the secrets that it carries, in the way that the path asks for: `/WAY/STATUS/…`. It is
/// a proxy, too.
pub(crate) struct Gossip {
    authority: String,
    heard: Arc<Mutex<String>>,
    serving: JoinHandle<()>,
}

impl Gossip {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&heard);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&told)));
            }
        });
        Self {
            authority,
            heard,
            serving,
        }
    }

    /// `way`: how it answers, and with which status, as `oauth/401`.
    pub(crate) fn url(&self, way: &str) -> String {
        format!("http://{}/{way}", self.authority)
    }

    /// The address without a scheme: that of a port which speaks no TLS, of a proxy.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// All that it was told.
    pub(crate) fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Gossip {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One request a connection.
async fn serve(mut stream: TcpStream, told: Arc<Mutex<String>>) -> Option<()> {
    let mut request = Vec::new();
    let head = loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break String::from_utf8_lossy(request.get(..end)?).into_owned();
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    };
    let length = header(&head, "content-length").and_then(|length| length.parse().ok());
    while request.len() < head.len() + 4 + length.unwrap_or(0) {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            break;
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let gossip = secrets_of(&head, &request[head.len() + 4..]);
    told.lock().unwrap().push_str(&gossip);
    let target = head.split(' ').nth(1)?;
    let path = target
        .strip_prefix("http://")
        .map_or(target, |rest| &rest[rest.find('/').unwrap_or(0)..]);
    let mut words = path.trim_start_matches('/').split('/');
    let (way, status) = (words.next()?, words.next().unwrap_or("407"));
    let answer = answer(way, status, &gossip);
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// What a chatty server might quote: the values of the form, the client's proof and the token first, as they are meant;
/// then everything, as it came.
fn secrets_of(head: &str, body: &str) -> String {
    let mut said: Vec<String> = form_urlencoded::parse(body.as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect();
    for name in [
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "x-goog-api-key",
    ] {
        let Some(value) = header(head, name) else { continue };
        let value = value.split_once(' ').map_or(value, |(_, value)| value);
        let pair = STANDARD
            .decode(value)
            .ok()
            .and_then(|pair| String::from_utf8(pair).ok());
        if let Some((id, secret)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
            let decoded = form_urlencoded::parse(format!("x={secret}").as_bytes())
                .next()
                .unwrap()
                .1
                .into_owned();
            said.extend([decoded, format!("{id}:{secret}")]);
        }
        said.push(value.to_owned());
    }
    format!("{} {head} {body}", said.join(" "))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find_map(|(field, value)| field.eq_ignore_ascii_case(name).then_some(value))
}

fn answer(way: &str, status: &str, gossip: &str) -> String {
    let line = gossip.replace(|c: char| c.is_control(), " ");
    let json = |body: serde_json::Value| ("application/json", String::new(), body.to_string());
    let (kind, headers, body) = match way {
        "oauth" => json(json!({ "error": "invalid_grant", "error_description": gossip })),
        "oauth-client" => json(json!({ "error": "invalid_client", "error_description": gossip })),
        "word" => json(json!({ "error": gossip })),
        "members" => json(json!({ "access_token": "at-in-vain", "token_type": gossip, "scope": gossip })),
        "expiry" => {
            json(json!({ "access_token": "at-in-vain", "token_type": "Bearer", "expires_in": gossip }))
        }
        "metadata" => {
            json(json!({ "issuer": gossip, "token_endpoint": gossip, "authorization_endpoint": gossip }))
        }
        "openai" => {
            json(json!({ "error": { "message": gossip, "code": gossip, "type": gossip, "param": gossip } }))
        }
        "google" => json(json!({ "error": { "code": 400, "message": gossip, "status": gossip } })),
        "anthropic" => json(
            json!({ "type": "error", "error": { "type": gossip, "message": gossip }, "request_id": gossip }),
        ),
        "broken" => (
            "application/json",
            String::new(),
            format!("{{\"access_token\": {gossip}"),
        ),
        "html" => (
            "text/html",
            String::new(),
            format!("<html><title>{gossip}</title></html>"),
        ),
        "stream" => {
            let event = json!({ "error": { "message": gossip, "code": gossip } });
            ("text/event-stream", String::new(), format!("data: {event}\n\n"))
        }
        "headers" => {
            let all = [
                "x-request-id",
                "request-id",
                "www-authenticate",
                "retry-after",
                "date",
                "content-encoding",
            ];
            let all = all.map(|name| format!("{name}: {line}\r\n"));
            ("application/json", all.concat(), "{}".into())
        }
        "location" => {
            let secrets: String = form_urlencoded::byte_serialize(gossip.as_bytes()).collect();
            (
                "text/plain",
                format!("location: http://127.0.0.1:9/?all={secrets}\r\n"),
                String::new(),
            )
        }
        _ => ("text/plain", String::new(), gossip.to_owned()),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status} {line}\r\n{headers}content-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
