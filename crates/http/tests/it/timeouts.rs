//! T05: each wait ends; a stream has no end of its own.

use crate::support::{RawServer, SOON, authorized, client_with, read_head, url};
use gatepass_core::{AccessToken, BackendError, Phase, StaticTokenSource};
use gatepass_http::{AuthorizedClient, HttpClient, HttpError, HttpOptions, HttpRequest};
use gatepass_testkit::{Answer, ModelServer};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn hasty() -> HttpClient {
    client_with(
        HttpOptions::default()
            .with_first_byte_timeout(SOON)
            .with_idle_timeout(SOON),
    )
}

fn timed_out(error: &HttpError, expected: Phase) {
    assert!(
        matches!(error, HttpError::Network { phase, .. } if *phase == expected),
        "{error:?}"
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = ModelServer::start().await;
    server.push(Answer::hang());
    let began = Instant::now();
    let request = HttpRequest::get(url(&server.base_url()));
    timed_out(&hasty().send(request).await.unwrap_err(), Phase::FirstByte);
    assert!(began.elapsed() < SOON * 5, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_tls_server_that_never_shakes_hands_is_given_up() {
    let silent = RawServer::start(|mut stream| {
        _ = stream.read_to_end(&mut Vec::new());
    });
    let mut options = HttpOptions::default();
    options.connect_timeout = SOON;
    let request = HttpRequest::get(url(&format!("https://{}/", silent.address())));
    timed_out(
        &client_with(options).send(request).await.unwrap_err(),
        Phase::Connect,
    );
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up() {
    let server = ModelServer::start().await;
    server.push(Answer::sse(["data: 1\n\n"]).then_hang());
    let request = HttpRequest::get(url(&server.base_url()));
    let mut response = hasty().send(request).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "data: 1\n\n");
    timed_out(&response.chunk().await.unwrap_err(), Phase::Idle);
}

#[tokio::test]
async fn a_stream_that_keeps_coming_is_never_cut() {
    let server = ModelServer::start().await;
    let chunks = vec!["data: x\n\n"; 8];
    server.push(Answer::slow_sse(chunks, SOON / 4));
    let request = HttpRequest::get(url(&server.base_url()));
    let began = Instant::now();
    let mut response = hasty().send(request).await.unwrap();
    let mut count = 0;
    while response.chunk().await.unwrap().is_some() {
        count += 1;
    }
    assert!(
        count == 8 && began.elapsed() > SOON,
        "{count} in {:?}",
        began.elapsed()
    );
}

/// T05
#[tokio::test]
async fn a_body_that_drips_is_given_up_when_the_time_for_a_whole_one_is_over() {
    let server = ModelServer::start().await;
    server.push(Answer::drip("x".repeat(10_000), SOON / 10));
    let request = HttpRequest::get(url(&server.base_url()));
    let mut response = hasty().send(request).await.unwrap();
    let began = Instant::now();
    timed_out(&response.read(1 << 20).await.unwrap_err(), Phase::Idle);
    assert!(began.elapsed() < SOON * 5, "{:?}", began.elapsed());
}

/// T05
#[tokio::test]
async fn an_error_body_that_drips_or_stops_ends_in_time_and_keeps_its_status() {
    let dripping = RawServer::start(|mut stream| {
        read_head(&mut stream);
        _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(SOON / 10);
        }
    });
    let stopping = RawServer::start(|mut stream| {
        read_head(&mut stream);
        _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 5000\r\n\r\nhalf");
        _ = stream.read_to_end(&mut Vec::new());
    });
    for server in [dripping, stopping] {
        let source = Arc::new(StaticTokenSource::new(AccessToken::bearer("t").unwrap()));
        let client = AuthorizedClient::new(hasty(), server.url(), source, |_, _| {});
        let began = Instant::now();
        let error = client.get("models").await.unwrap_err();
        assert!(
            matches!(&error, BackendError::Provider(error) if error.status == 400),
            "{error:?}"
        );
        assert!(began.elapsed() < SOON * 5, "{:?}", began.elapsed());
    }
}

/// A caller that leaves takes the connection along: nothing goes on in the background.
#[tokio::test]
async fn a_dropped_call_closes_the_connection() {
    let server = ModelServer::start().await;
    server.always(Answer::hang());
    let client = authorized(&server.base_url());
    let call = tokio::time::timeout(Duration::from_millis(50), client.get("models"));
    assert!(call.await.is_err());
    gatepass_testkit::eventually("the connection is closed", || server.open_connections() == 0).await;
    server.always(Answer::sse(["data: 1\n\n"]).then_hang());
    let mut response = client.get("models").await.unwrap();
    response.chunk().await.unwrap();
    drop(response);
    gatepass_testkit::eventually("the stream is closed", || server.open_connections() == 0).await;
}
