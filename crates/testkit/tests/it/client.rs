//! The smallest HTTP client that a server can be tested with: it shows the bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A reply; `body` is what came after the head, still framed.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .next()
    }
}

/// A request, whole.
#[derive(Clone)]
pub(crate) struct Request {
    host: String,
    text: String,
}

impl Request {
    /// Sends it and reads until the server closes; `None` if it does so without a byte.
    pub(crate) async fn try_send(&self) -> Option<Reply> {
        let mut bytes = Vec::new();
        _ = self.open().await.read_to_end(&mut bytes).await;
        parse(&bytes)
    }

    pub(crate) async fn send(&self) -> Reply {
        self.try_send().await.expect("a reply")
    }

    /// Sends it; the reply is the caller's to read.
    pub(crate) async fn open(&self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.host).await.expect("a listening server");
        stream.write_all(self.text.as_bytes()).await.unwrap();
        stream
    }
}

pub(crate) fn get(url: &str, headers: &[&str]) -> Request {
    request("GET", url, headers, "")
}

pub(crate) fn post(url: &str, headers: &[&str], body: &str) -> Request {
    request("POST", url, headers, body)
}

pub(crate) fn form(url: &str, headers: &[&str], body: &str) -> Request {
    let form = ["content-type: application/x-www-form-urlencoded"];
    post(url, &[&form, headers].concat(), body)
}

pub(crate) fn json(url: &str, headers: &[&str], body: &Value) -> Request {
    post(
        url,
        &[&["content-type: application/json"], headers].concat(),
        &body.to_string(),
    )
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!(
        "authorization: Basic {}",
        STANDARD.encode(format!("{id}:{secret}"))
    )
}

fn request(method: &str, url: &str, headers: &[&str], body: &str) -> Request {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = format!("content-length: {}", body.len());
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{length}\r\n{headers}\r\n{body}"
    );
    Request {
        host: host.to_owned(),
        text,
    }
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    Some(Reply {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head,
        body: bytes[end + 4..].to_vec(),
    })
}
