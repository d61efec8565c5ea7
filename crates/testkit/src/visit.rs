use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What a browser shows in the end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// All addresses that it came by, the page's own last.
    pub addresses: Vec<String>,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

/// Opens an http address of this machine as a browser does, and follows where it leads: a person who logs in, for
/// tests of a login.
///
/// ```
/// use gatepass_testkit::{AuthorizationServer, visit};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = AuthorizationServer::start().await;
/// let page = visit(&server.authorization_url()).await.unwrap();
/// assert_eq!(page.status, 400); // it doesn't say which client it is
/// # }
/// ```
///
/// # Errors
/// What went wrong on the way, as a sentence.
pub async fn visit(url: &str) -> Result<Page, String> {
    const MOST_REDIRECTS: usize = 10;
    const PATIENCE: Duration = Duration::from_secs(60);
    let mut addresses = Vec::new();
    let mut next = url.to_owned();
    loop {
        let fetching = timeout(PATIENCE, fetch(&next));
        let (status, headers, body) = fetching.await.map_err(|_| format!("{next} doesn't answer"))??;
        let location = headers.get("location").and_then(|value| value.to_str().ok());
        let target = location.map(|location| absolute(&next, location));
        addresses.push(next);
        match target {
            Some(target) if (300..400).contains(&status) && addresses.len() < MOST_REDIRECTS => next = target,
            _ => {
                return Ok(Page {
                    addresses,
                    status,
                    headers,
                    body,
                });
            }
        }
    }
}

fn absolute(base: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let (authority, _) = split(base);
    format!("http://{authority}{location}")
}

/// Authority, and path with query.
fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let rest = rest.split('#').next().unwrap_or_default();
    match rest.find(['/', '?']) {
        Some(end) => rest.split_at(end),
        None => (rest, "/"),
    }
}

async fn fetch(url: &str) -> Result<(u16, HeaderMap, String), String> {
    let (authority, path) = split(url);
    let failed = |error: std::io::Error| format!("{authority}: {error}");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\naccept: text/html\r\nconnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(authority).await.map_err(failed)?;
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.map_err(failed)?;
    let reply = String::from_utf8_lossy(&reply);
    read(&reply).ok_or_else(|| format!("{authority} speaks no HTTP"))
}

fn read(reply: &str) -> Option<(u16, HeaderMap, String)> {
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let (status, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = status.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for field in fields.lines() {
        let (name, value) = field.split_once(':')?;
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).ok()?,
            HeaderValue::from_str(value.trim()).ok()?,
        );
    }
    Some((status, headers, body.to_owned()))
}
