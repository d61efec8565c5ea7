//! T05: whatever a token endpoint sends, an error comes in bounded time and of bounded size.

use crate::support::{SOON, client, endpoint, grant, http, in_full, quick, raw_server, url};
use gatepass_core::TokenError;
use gatepass_http::{HttpClient, HttpOptions, RetryPolicy};
use gatepass_oauth2::TokenEndpoint;
use gatepass_testkit::{Answer, AuthorizationServer};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const TOKEN: &str = r#"{"access_token":"canary","token_type":"Bearer"}"#;

fn unavailable(error: &TokenError) {
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error:?}");
    assert!(!in_full(error).contains("canary"));
}

fn malformed(error: &TokenError, what: &str) {
    assert!(matches!(error, TokenError::Malformed { .. }), "{error:?}");
    assert!(error.to_string().contains(what), "{error}");
    assert!(!in_full(error).contains("canary"));
}

/// T05
#[tokio::test]
async fn a_server_that_hangs_or_drips_is_given_up_in_time() {
    for answer in [
        Answer::hang(),
        Answer::text(200, TOKEN).after(Duration::from_secs(60)),
        Answer::drip(TOKEN, SOON / 10),
        Answer::text(200, TOKEN)
            .with_header("content-length", "500")
            .then_hang(),
    ] {
        let server = AuthorizationServer::start().await;
        server.always(answer);
        let began = Instant::now();
        let endpoint = endpoint(&server.token_url()).with_timeout(SOON);
        let error = endpoint.request(&grant()).await.unwrap_err();
        unavailable(&error);
        assert!(error.to_string().contains("no answer within 300ms"), "{error}");
        assert!(began.elapsed() < SOON * 3, "{:?}", began.elapsed());
        gatepass_testkit::eventually("the connection is closed", || server.open_connections() == 0).await;
    }
}

/// T05: a slow attempt leaves time for another one, where the client is told to be less patient.
#[tokio::test]
async fn a_server_that_hangs_once_is_asked_again() {
    let server = AuthorizationServer::start().await;
    server.push(Answer::hang());
    let http = HttpClient::new(HttpOptions::default().with_first_byte_timeout(SOON)).unwrap();
    let endpoint = TokenEndpoint::new(http, url(&server.token_url()), client()).with_retry(quick());
    endpoint.request(&grant()).await.unwrap();
    assert_eq!(server.token_requests(), 2);
}

/// T05
#[test]
fn the_limits_are_those_of_the_documentation() {
    let endpoint = TokenEndpoint::new(http(), url("https://as.example/token"), client());
    let text = format!("{endpoint:?}");
    for limit in [
        "timeout: 30s",
        "retries: 3",
        "first_pause: 1s",
        "longest_wait: 30s",
    ] {
        assert!(text.contains(limit), "{limit} in {text}");
    }
}

/// T05
#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    for (answer, what) in [
        (Answer::endless(vec![b'x'; 16 << 10]), "larger than 1048576 bytes"),
        (
            Answer::endless("{\"access_token\":".repeat(1000)),
            "larger than 1048576 bytes",
        ),
        (
            Answer::text(200, " ".repeat((1 << 20) + 1)),
            "larger than 1048576 bytes",
        ),
        (
            Answer::text(200, TOKEN).with_huge_header(65 << 10),
            "headers are larger than 64 KiB",
        ),
        (Answer::gzip_bomb(), "content encoding that nobody asked for"),
    ] {
        let server = AuthorizationServer::start().await;
        server.always(answer);
        let error = endpoint(&server.token_url()).request(&grant()).await.unwrap_err();
        malformed(&error, what);
        assert_eq!(server.token_requests(), 1, "{what}: it would be the same again");
    }
}

/// T05
#[tokio::test]
async fn a_megabyte_of_padding_is_still_a_token() {
    let server = AuthorizationServer::start().await;
    let padding = " ".repeat((1 << 20) - TOKEN.len());
    server.push(Answer::text(200, format!("{TOKEN}{padding}")));
    endpoint(&server.token_url()).request(&grant()).await.unwrap();
    let long = format!(r#"{{"access_token":"{}"}}"#, "t".repeat(60_000));
    server.push(Answer::text(200, long));
    endpoint(&server.token_url()).request(&grant()).await.unwrap();
}

/// T05: the status of an error is its verdict, whatever its body does.
#[tokio::test]
async fn an_error_body_without_end_keeps_its_status() {
    for (status, verdict) in [(400, true), (503, false)] {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let token_url = raw_server(move |mut stream| {
            _ = write!(stream, "HTTP/1.1 {status} No\r\n\r\n");
            while count.load(Ordering::SeqCst) < 1 << 30 && stream.write_all(&[b'x'; 16 << 10]).is_ok() {
                count.fetch_add(16 << 10, Ordering::SeqCst);
            }
        });
        let endpoint = endpoint(&token_url).with_retry(RetryPolicy::never());
        let error = endpoint.request(&grant()).await.unwrap_err();
        assert_eq!(
            matches!(&error, TokenError::Refused(refusal) if refusal.status == status),
            verdict,
            "{error:?}"
        );
        assert_eq!(
            matches!(error, TokenError::Unavailable { .. }),
            !verdict,
            "{error:?}"
        );
        assert!(sent.load(Ordering::SeqCst) < 16 << 20, "{sent:?}");
    }
}

/// T05, T07
#[tokio::test]
async fn an_error_body_that_cannot_be_read_keeps_its_status() {
    for (status, requests) in [(400, 1), (503, 4)] {
        let server = AuthorizationServer::start().await;
        let packed = Answer::text(status, "\u{1f}\u{8b}").with_header("content-encoding", "gzip");
        let torn = Answer::text(status, "{\"error\":")
            .with_header("content-length", "5000")
            .then_close_abruptly();
        for answer in [packed, torn] {
            let before = server.token_requests();
            server.always(answer);
            let error = endpoint(&server.token_url()).request(&grant()).await.unwrap_err();
            assert!(error.to_string().contains(&format!("status {status}")), "{error}");
            assert_eq!(server.token_requests() - before, requests);
        }
    }
}

/// T05
#[tokio::test]
async fn an_error_body_that_drips_is_given_up_in_time() {
    let token_url = raw_server(|mut stream| {
        _ = stream.write_all(b"HTTP/1.1 400 No\r\ncontent-length: 100000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(SOON / 10);
        }
    });
    let began = Instant::now();
    let error = endpoint(&token_url)
        .with_timeout(SOON)
        .request(&grant())
        .await
        .unwrap_err();
    unavailable(&error);
    assert!(began.elapsed() < SOON * 3, "{:?}", began.elapsed());
}

/// T05
#[tokio::test]
async fn what_is_no_http_is_unavailable() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"",
        b"HTTP/1.1 2",
    ] {
        let token_url = raw_server(move |mut stream| {
            _ = stream.write_all(garbage);
        });
        unavailable(&endpoint(&token_url).request(&grant()).await.unwrap_err());
    }
    let headers = raw_server(|mut stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-header: and another one\r\n").is_ok() {}
    });
    unavailable(&endpoint(&headers).request(&grant()).await.unwrap_err());
}
