//! L08, L10: requests that no browser sends which follows a redirect.

use crate::person::{Asked, flow, log_in, send_raw};
use gatepass_testkit::{AuthorizationServer, visit};

/// Requests and the statuses they may get; `HOST` and `STATE` stand for the real ones.
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

/// L08, L10
#[tokio::test]
async fn hostile_requests_get_an_error_and_the_login_goes_on() {
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
        // More than 8 KiB are too much for an address, 20 KiB for a head, 200 lines for a header.
        for (request, expected) in [
            (
                format!(
                    "GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n",
                    "x".repeat((8 << 10) - 1)
                ),
                404,
            ),
            (
                format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n", "x".repeat(8 << 10)),
                414,
            ),
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
