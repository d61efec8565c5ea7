//! Whoever else knocks at a login's listener while the person is still at their browser.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// They stay connected and say nothing more until this is dropped.
pub(crate) struct Silent(#[expect(dead_code, reason = "held open")] Vec<TcpStream>);

/// More than the listener keeps.
const SILENT: usize = 80;

/// Knocks in every way at `127.0.0.1:PORT`; how many requests that were, and the connections that stay open.
pub(crate) async fn knock(listener: &str) -> (usize, Silent) {
    let requests = requests(listener);
    for (request, expected) in &requests {
        let answer = answer(listener, request).await;
        let first = request.chars().take(60).collect::<String>();
        match expected {
            Some(status) => assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{first}: {answer}"
            ),
            // An error, or none: but nothing that tells of the login.
            None => assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
                "{first}: {answer}"
            ),
        }
    }
    let mut silent = Vec::new();
    for number in 0..SILENT {
        let mut stream = TcpStream::connect(listener).await.unwrap();
        if number % 2 == 0 {
            _ = stream.write_all(b"GET /?code=c HTTP/1.1\r\nHost: 127").await;
        }
        silent.push(stream);
    }
    (requests.len() + SILENT, Silent(silent))
}

fn requests(listener: &str) -> Vec<(String, Option<u16>)> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {listener}\r\n\r\n");
    let with = |line: &str, headers: &str| format!("{line} HTTP/1.1\r\n{headers}\r\n");
    let host = format!("Host: {listener}\r\n");
    let long = "a".repeat(9 << 10);
    vec![
        (get("/favicon.ico"), Some(404)),
        (get("/"), Some(404)),
        (get("/result"), Some(404)),
        (get("/robots.txt?code=c&state=s"), Some(404)),
        (get("/cancel"), Some(404)),
        (get("/?code=c&state=wrong"), Some(400)),
        (get("/?code=c&state="), Some(400)),
        (get("/?code=c"), Some(400)),
        (get("/?error=access_denied"), Some(400)),
        (get("/?error=access_denied&state=wrong"), Some(400)),
        (get(&format!("/?code=c&state={long}")), Some(414)),
        (with("HEAD /", &host), Some(405)),
        (
            with("POST /?code=c&state=s", &format!("{host}Content-Length: 0\r\n")),
            Some(405),
        ),
        (with("OPTIONS /", &host), Some(405)),
        (with("GET /?code=c&state=s", "Host: evil.example\r\n"), Some(400)),
        (with("GET /?code=c&state=s", ""), Some(400)),
        (with("GET /?code=c&state=s", &format!("{host}{host}")), Some(400)),
        (
            with(
                "GET /?code=c&state=s",
                &format!("{host}Origin: https://evil.example\r\n"),
            ),
            Some(403),
        ),
        (
            with("GET /", &format!("{host}X: {}\r\n", "a".repeat(64 << 10))),
            None,
        ),
        ("\u{16}\u{3}\u{1}\u{2} this is TLS\r\n\r\n".to_owned(), None),
        ("\r\n\r\n\r\n".to_owned(), None),
    ]
}

async fn answer(listener: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(listener).await.unwrap();
    // A listener that has heard enough hangs up.
    _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    // Who has said nothing that can be answered waits in vain.
    _ = timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}
