//! The listener among everything else that knocks.

use crate::person::{Asked, flow, log_in, send_raw};
use gatepass_testkit::{AuthorizationServer, visit};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Each but the status is a request; `HOST` and `STATE` stand for the real ones.
const HOSTILE: &[(&str, &[u16])] = &[
    // Strays (L08)
    ("GET /favicon.ico HTTP/1.1\r\nHost: HOST\r\n\r\n", &[404]),
    ("GET / HTTP/1.1\r\nHost: HOST\r\n\r\n", &[404]),
    ("HEAD / HTTP/1.1\r\nHost: HOST\r\n\r\n", &[405]),
    ("HEAD /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n", &[405]),
    ("GET /cancel HTTP/1.1\r\nHost: HOST\r\n\r\n", &[404]),
    ("GET /result HTTP/1.1\r\nHost: HOST\r\n\r\n", &[404]),
    (
        "GET /result?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[404],
    ),
    (
        "GET /.well-known/appspecific/com.chrome.devtools.json HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[404],
    ),
    // Another path (L10)
    (
        "GET /callback?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[404],
    ),
    ("GET //?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n", &[404]),
    (
        "GET /./?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[404],
    ),
    (
        "GET /%2f?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[404],
    ),
    ("GET /;?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n", &[404]),
    // Another host: DNS rebinding
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST.evil.example\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: evil@HOST\r\n\r\n",
        &[400],
    ),
    ("GET /?code=x&state=STATE HTTP/1.1\r\n\r\n", &[400]),
    ("GET /?code=x&state=STATE HTTP/1.1\r\nHost:\r\n\r\n", &[400]),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
        &[400],
    ),
    ("GET /?code=x&state=STATE HTTP/1.0\r\n\r\n", &[400]),
    (
        "GET http://HOST/?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[400],
    ),
    (
        "GET http://evil.example/?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[400],
    ),
    // Another method
    (
        "POST /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n",
        &[405],
    ),
    (
        "POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 18\r\n\r\ncode=x&state=STATE",
        &[405],
    ),
    ("PUT /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n", &[405]),
    (
        "OPTIONS /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[405],
    ),
    ("OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n", &[405]),
    (
        "DELETE /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[405],
    ),
    (
        "TRACE /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[405],
    ),
    ("CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\n", &[400, 405, 414]),
    ("get /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n", &[405]),
    // A page's script, and a body
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nOrigin: https://evil.example\r\n\r\n",
        &[403],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nOrigin: null\r\n\r\n",
        &[403],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    // Parameters
    ("GET /?code=x&state=wrong HTTP/1.1\r\nHost: HOST\r\n\r\n", &[400]),
    (
        "GET /?code=x&code=y&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE&iss=a&iss=a HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=%00&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[400],
    ),
    ("GET /?error=access_denied HTTP/1.1\r\nHost: HOST\r\n\r\n", &[400]),
    ("GET /? HTTP/1.1\r\nHost: HOST\r\n\r\n", &[400]),
    // No HTTP
    ("GET /?code=x&state=STATE\r\n\r\n", &[400]),
    (
        "GET /\u{1}?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
        &[400],
    ),
    (
        "GET /?code=x&state=STATE HTTP/9.9\r\nHost: HOST\r\n\r\n",
        &[400, 505],
    ),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[400, 0]),
    ("\u{16}\u{3}\u{1}\u{2}\0\u{1}", &[400, 0]),
    ("\r\n\r\n\r\n\r\nnonsense\r\n\r\n", &[400]),
    (
        "GET /?code=x&state=STATE HTTP/1.1\r\nHost: HOST\r\nBad Header: x\r\n\r\n",
        &[400],
    ),
];

fn status(reply: &str) -> u16 {
    reply
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0)
}

#[tokio::test]
async fn hostile_requests_get_an_error_and_the_login_goes_on() {
    // L08, L10
    let server = AuthorizationServer::start().await;
    let (login, asked) = log_in(&flow(&server).await, |asked: Asked| async move {
        let (host, state) = (asked.authority(), asked.parameter("state"));
        for (request, expected) in HOSTILE {
            let request = request.replace("HOST", &host).replace("STATE", &state);
            let reply = send_raw(&host, request.as_bytes()).await;
            assert!(expected.contains(&status(&reply)), "{request:?}: {reply}");
            assert!(
                !reply.to_ascii_lowercase().contains("location:"),
                "{request:?}: {reply}"
            );
        }
        // 9 KiB are too much for an address, 20 KiB for a head, 200 lines for a header.
        for (request, expected) in [
            (
                format!(
                    "GET /?code={}&state={state} HTTP/1.1\r\nHost: {host}\r\n\r\n",
                    "x".repeat(9 << 10)
                ),
                414,
            ),
            (
                format!(
                    "GET /?code=x&state={state} HTTP/1.1\r\nHost: {host}\r\nX: {}\r\n\r\n",
                    "x".repeat(20 << 10)
                ),
                431,
            ),
            (
                format!(
                    "GET /?code=x&state={state} HTTP/1.1\r\nHost: {host}\r\n{}\r\n",
                    "X: y\r\n".repeat(200)
                ),
                431,
            ),
        ] {
            let reply = send_raw(&host, request.as_bytes()).await;
            assert_eq!(status(&reply), expected, "{reply}");
        }
        visit(&asked.url).await.unwrap();
        asked
    })
    .await;
    login.unwrap();
    assert!(HOSTILE.len() >= 40 && !asked.url.is_empty());
    assert_eq!(server.token_requests(), 1);
}

#[tokio::test]
async fn silent_sockets_and_strays_do_not_hold_up_the_login() {
    // L08, L09: 500 half heads, 100 silent sockets, 200 strays, then the person.
    let server = AuthorizationServer::start().await;
    let (login, elapsed) = log_in(&flow(&server).await, |asked: Asked| async move {
        let host = asked.authority();
        let mut sockets = Vec::new();
        for number in 0..600 {
            let mut socket = TcpStream::connect(&host).await.unwrap();
            if number % 6 != 0 {
                _ = socket.write_all(b"GET /?code=x HTTP/1.1\r\nHost").await;
            }
            sockets.push(socket);
        }
        for number in 0..200 {
            let page = visit(&format!("http://{host}/{number}")).await.unwrap();
            assert_eq!(page.status, 404);
        }
        let start = Instant::now();
        let page = visit(&asked.url).await.unwrap();
        assert!(page.body.contains("You are logged in"));
        let elapsed = start.elapsed();
        let mut rest = [0; 1000];
        let open = sockets.iter().filter(|socket| {
            let error = socket.try_read(&mut rest).err();
            error.is_some_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
        });
        assert!(open.count() <= 64);
        elapsed
    })
    .await;
    login.unwrap();
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
}

#[tokio::test]
async fn half_a_head_is_closed_after_ten_seconds() {
    // L09
    let server = AuthorizationServer::start().await;
    let (login, ()) = log_in(&flow(&server).await, |asked: Asked| async move {
        let mut sockets = Vec::new();
        for head in [&b""[..], b"G", b"GET / HTTP/1.1\r\nHost: x\r\n"] {
            let mut socket = TcpStream::connect(asked.authority()).await.unwrap();
            socket.write_all(head).await.unwrap();
            sockets.push(socket);
        }
        for mut socket in sockets {
            let mut rest = Vec::new();
            let end = socket.read_to_end(&mut rest);
            tokio::time::timeout(Duration::from_secs(11), end)
                .await
                .expect("it is still open")
                .ok();
        }
        visit(&asked.url).await.unwrap();
    })
    .await;
    login.unwrap();
}

#[tokio::test]
async fn every_connection_ends_with_the_login() {
    // L07
    let server = AuthorizationServer::start().await;
    let (login, mut idle) = log_in(&flow(&server).await, |asked: Asked| async move {
        let idle = TcpStream::connect(asked.authority()).await.unwrap();
        let kept = send_raw(
            &asked.authority(),
            b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        )
        .await;
        assert!(kept.to_ascii_lowercase().contains("connection: close"), "{kept}");
        visit(&asked.url).await.unwrap();
        idle
    })
    .await;
    login.unwrap();
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(1), idle.read_to_end(&mut rest));
    end.await.expect("the socket is still open").ok();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_callback_whose_browser_leaves_at_once_still_logs_in() {
    let server = AuthorizationServer::start().await;
    server.set_delay(Duration::from_millis(100));
    let (login, ()) = log_in(&flow(&server).await, |asked: Asked| async move {
        let reply = send_raw_get(&asked.url).await;
        let landing = reply
            .lines()
            .find_map(|line| line.strip_prefix("location: "))
            .unwrap()
            .to_owned();
        let path = landing
            .strip_prefix(&format!("http://{}", asked.authority()))
            .unwrap();
        let mut socket = TcpStream::connect(asked.authority()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", asked.authority());
        socket.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    })
    .await;
    login.unwrap();
}

async fn send_raw_get(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let target = &url[url::Position::BeforePath..];
    let request = format!(
        "GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        url.authority()
    );
    send_raw(url.authority(), request.as_bytes()).await
}
