//! T05: nothing that a server sends can fill the memory, or be inflated.

use crate::support::{RawServer, authorized, client, read_head, url};
use gatepass_core::{BackendError, Phase};
use gatepass_http::{HttpClient, HttpError, HttpRequest, HttpResponse};
use gatepass_testkit::{Answer, ModelServer};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const MIB: usize = 1 << 20;

async fn get(client: &HttpClient, server: &ModelServer) -> Result<HttpResponse, HttpError> {
    client.send(HttpRequest::get(url(&server.base_url()))).await
}

fn unreadable(error: &HttpError, what: &str) {
    match error {
        HttpError::Unreadable { what: said, .. } => assert!(said.contains(what), "{said}"),
        other => panic!("{other:?}"),
    }
    assert!(!error.is_transient(), "it would be the same again");
}

/// T05
#[tokio::test]
async fn headers_of_more_than_64_kib_are_refused() {
    let server = ModelServer::start().await;
    let client = client();
    server.push(Answer::text(200, "hello").with_huge_header(60 << 10));
    assert_eq!(
        get(&client, &server).await.unwrap().read(MIB).await.unwrap(),
        "hello"
    );
    server.push(Answer::text(200, "hello").with_huge_header(65 << 10));
    unreadable(&get(&client, &server).await.unwrap_err(), "64 KiB");
    server.push(Answer::text(401, "hello").with_huge_header(65 << 10));
    unreadable(&get(&client, &server).await.unwrap_err(), "64 KiB");
}

/// T05
#[tokio::test]
async fn headers_without_end_are_given_up_long_before_they_hurt() {
    let sent = Arc::new(AtomicUsize::new(0));
    let server = endless("HTTP/1.1 200 OK\r\n", b"x-header: and another one\r\n", &sent);
    let error = client().send(HttpRequest::get(server.url())).await.unwrap_err();
    assert!(
        matches!(
            error,
            HttpError::Network {
                phase: Phase::Send,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(sent.load(Ordering::SeqCst) < 16 * MIB, "{sent:?}");
}

/// T05
#[tokio::test]
async fn a_body_is_read_up_to_the_limit_and_not_one_byte_further() {
    let server = ModelServer::start().await;
    let client = client();
    server.always(Answer::text(200, "x".repeat(1000)));
    assert_eq!(
        get(&client, &server)
            .await
            .unwrap()
            .read(1000)
            .await
            .unwrap()
            .len(),
        1000
    );
    let error = get(&client, &server).await.unwrap().read(999).await.unwrap_err();
    unreadable(&error, "larger than 999 bytes");
    server.always(Answer::sse(["x".repeat(600), "x".repeat(400)]));
    assert_eq!(
        get(&client, &server)
            .await
            .unwrap()
            .read(1000)
            .await
            .unwrap()
            .len(),
        1000
    );
    let error = get(&client, &server).await.unwrap().read(999).await.unwrap_err();
    unreadable(&error, "larger than 999 bytes");
}

/// T05
#[tokio::test]
async fn a_body_without_end_is_given_up_at_the_limit() {
    let sent = Arc::new(AtomicUsize::new(0));
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1000000000\r\n",
    ] {
        let server = endless(head, &[b'x'; 16 << 10], &sent);
        let mut response = client().send(HttpRequest::get(server.url())).await.unwrap();
        unreadable(
            &response.read(MIB).await.unwrap_err(),
            "larger than 1048576 bytes",
        );
        drop(response);
    }
    // What lies in the system's socket buffers has been sent, too.
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent < 3 * 16 * MIB, "{sent}");
}

/// T05
#[tokio::test]
async fn an_error_body_without_end_is_given_up_too() {
    let sent = Arc::new(AtomicUsize::new(0));
    let server = endless("HTTP/1.1 400 No\r\n\r\n", &[b'x'; 16 << 10], &sent);
    let base_url = format!("http://{}", server.address());
    let error = authorized(&base_url).get("models").await.unwrap_err();
    assert!(
        matches!(&error, BackendError::Provider(error) if error.status == 400),
        "{error:?}"
    );
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent < 16 * MIB, "{sent}");
}

/// T05
#[tokio::test]
async fn a_gzip_bomb_is_refused_and_nothing_is_inflated() {
    let server = ModelServer::start().await;
    server.push(Answer::gzip_bomb());
    let error = get(&client(), &server).await.unwrap_err();
    unreadable(&error, "content encoding that nobody asked for");
    assert_eq!(server.requests()[0].header("accept-encoding"), None);
    for encoding in ["br", "deflate", "zstd", "gzip, gzip", "identity, gzip"] {
        server.push(Answer::text(200, "x").with_header("content-encoding", encoding));
        unreadable(&get(&client(), &server).await.unwrap_err(), "content encoding");
    }
    server.push(Answer::text(200, "x").with_header("content-encoding", "Identity"));
    assert_eq!(get(&client(), &server).await.unwrap().read(1).await.unwrap(), "x");
}

/// A status tells enough, even where its body can't be read: a busy proxy packs its error pages without being asked.
#[tokio::test]
async fn an_error_answer_in_an_unknown_encoding_keeps_its_status() {
    let server = ModelServer::start().await;
    server.push(Answer::text(503, "\u{1f}").with_header("content-encoding", "gzip"));
    server.push(Answer::text(200, "x"));
    let client = authorized(&server.base_url());
    assert!(
        client.get("models").await.unwrap().status().is_success(),
        "tried again"
    );
    server.push(Answer::text(403, "\u{1f}").with_header("content-encoding", "gzip"));
    let error = client.get("models").await.unwrap_err();
    assert!(
        matches!(&error, BackendError::Provider(error) if error.status == 403),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_not_half_an_answer() {
    let server = ModelServer::start().await;
    for answer in [
        Answer::truncated(r#"{"a":1}"#),
        Answer::sse([r#"{"a":1}"#]).then_close_abruptly(),
    ] {
        server.push(answer);
        let mut response = get(&client(), &server).await.unwrap();
        let error = response.read(MIB).await.unwrap_err();
        assert!(
            matches!(
                error,
                HttpError::Network {
                    phase: Phase::Body,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_a_broken_one() {
    let server = ModelServer::start().await;
    server.push(Answer::close());
    let error = get(&client(), &server).await.unwrap_err();
    assert!(
        matches!(
            error,
            HttpError::Network {
                phase: Phase::Send,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn what_is_no_http_is_an_error() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "<html>",
    ] {
        let server = RawServer::start(move |mut stream| {
            read_head(&mut stream);
            _ = stream.write_all(garbage.as_bytes());
        });
        let error = client().send(HttpRequest::get(server.url())).await.unwrap_err();
        assert!(
            matches!(
                error,
                HttpError::Network {
                    phase: Phase::Send,
                    ..
                }
            ),
            "{garbage:?}: {error:?}"
        );
    }
}

/// Sends `head`, then `chunk` until nobody wants it any more (or 1 GiB), and counts.
fn endless(head: &'static str, chunk: &'static [u8], sent: &Arc<AtomicUsize>) -> RawServer {
    let sent = Arc::clone(sent);
    RawServer::start(move |mut stream: TcpStream| {
        read_head(&mut stream);
        _ = stream.write_all(head.as_bytes());
        for _ in 0..(1 << 30) / chunk.len() {
            if stream.write_all(chunk).is_err() {
                return;
            }
            sent.fetch_add(chunk.len(), Ordering::SeqCst);
        }
    })
}
