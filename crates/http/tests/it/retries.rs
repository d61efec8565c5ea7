//! What is tried again, when, and what never is.

use crate::support::{authorized, client, quick, url};
use gatepass_core::{AccessToken, BackendError, StaticTokenSource};
use gatepass_http::{AuthorizedClient, RetryPolicy};
use gatepass_testkit::{Answer, ModelServer};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
    for (status, requests) in [
        (400, 1),
        (402, 1),
        (403, 1),
        (404, 1),
        (408, 3),
        (409, 3),
        (413, 1),
        (422, 1),
        (429, 3),
        (500, 3),
        (501, 1),
        (502, 3),
        (503, 3),
        (504, 3),
        (529, 3),
    ] {
        let server = ModelServer::start().await;
        server.always(Answer::text(status, "no"));
        let error = authorized(&server.base_url())
            .post_json("x", "{}")
            .await
            .unwrap_err();
        assert!(
            matches!(&error, BackendError::Provider(error) if error.status == status),
            "{error:?}"
        );
        assert_eq!(server.requests().len(), requests, "{status}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_with_the_same_body() {
    let server = ModelServer::start().await;
    server.push(Answer::close());
    server.push(Answer::text(200, "ok"));
    let body = r#"{"a":1}"#;
    let mut response = authorized(&server.base_url()).post_json("x", body).await.unwrap();
    assert_eq!(response.read(10).await.unwrap(), "ok");
    let bodies: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.body.clone())
        .collect();
    assert_eq!(bodies, [body, body]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let gone = crate::support::Trap::new().address();
    let began = Instant::now();
    let source = Arc::new(StaticTokenSource::new(AccessToken::bearer("t").unwrap()));
    let policy = RetryPolicy::models().with_first_pause(Duration::from_millis(30));
    let client = AuthorizedClient::new(client(), url(&format!("http://{gone}")), source, |_, _| {});
    let error = client.with_retry(policy).get("x").await.unwrap_err();
    assert!(matches!(error, BackendError::Network { .. }), "{error:?}");
    assert!(
        began.elapsed() >= Duration::from_millis(90),
        "30 and 60 ms of pause"
    );
}

#[tokio::test]
async fn a_servers_pause_is_honoured() {
    for (name, value, at_least) in [("retry-after", "1", 1000), ("retry-after-ms", "150", 150)] {
        let server = ModelServer::start().await;
        server.push(Answer::text(503, "busy").with_header(name, value));
        authorized(&server.base_url()).get("models").await.unwrap();
        let requests = server.requests();
        let pause = requests[1].at - requests[0].at;
        assert!(pause >= Duration::from_millis(at_least), "{name}: {pause:?}");
    }
}

#[tokio::test]
async fn a_pause_that_is_too_long_is_the_callers_to_decide() {
    for (value, at_least) in [("3600", 3600), ("Fri, 31 Dec 2100 23:59:59 GMT", 86_400)] {
        let server = ModelServer::start().await;
        server.always(Answer::text(429, "no").with_header("retry-after", value));
        let error = authorized(&server.base_url()).get("models").await.unwrap_err();
        let BackendError::Provider(error) = error else {
            panic!("{error:?}")
        };
        assert!(
            error.retry_after.unwrap() >= Duration::from_secs(at_least),
            "{error:?}"
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_servers_own_word_on_trying_again_is_the_last() {
    for (status, word, requests) in [
        (503, "false", 1),
        (400, "true", 3),
        (400, "maybe", 1),
        (503, "", 3),
    ] {
        let server = ModelServer::start().await;
        server.always(Answer::text(status, "no").with_header("x-should-retry", word));
        authorized(&server.base_url()).get("models").await.unwrap_err();
        assert_eq!(server.requests().len(), requests, "{status} {word:?}");
    }
}

#[tokio::test]
async fn nothing_is_asked_for_again_once_an_answer_has_begun() {
    let server = ModelServer::start().await;
    for broken in [
        Answer::sse(["data: 1\n\n"]).then_close_abruptly(),
        Answer::truncated("{"),
    ] {
        server.push(broken);
        let before = server.requests().len();
        let mut response = authorized(&server.base_url()).get("models").await.unwrap();
        while let Ok(Some(_)) = response.chunk().await {}
        assert!(response.chunk().await.is_err() || response.chunk().await.unwrap().is_none());
        assert_eq!(server.requests().len(), before + 1);
    }
}

#[tokio::test]
async fn each_retry_is_logged_with_its_number_and_why() {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || lines.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let server = ModelServer::start().await;
    server.push(Answer::text(503, "busy"));
    server.push(Answer::close());
    authorized(&server.base_url()).get("models").await.unwrap();
    drop(guard);
    let text = log.text();
    let retries: Vec<_> = text
        .lines()
        .filter(|line| line.contains("trying again"))
        .collect();
    for (line, (number, why)) in retries.iter().zip([(1, "answered 503"), (2, "127.0.0.1")]) {
        assert!(line.contains("WARN") && line.contains("model call"), "{line}");
        assert!(
            line.contains(&format!("attempt={number}")) && line.contains(why),
            "{line}"
        );
    }
    assert_eq!(retries.len(), 2, "{text}");
}

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_retry_means_one_request() {
    let server = ModelServer::start().await;
    server.always(Answer::text(503, "no"));
    let client = authorized(&server.base_url()).with_retry(RetryPolicy::never());
    client.get("models").await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    let client = authorized(&server.base_url()).with_retry(quick().with_retries(4));
    client.get("models").await.unwrap_err();
    assert_eq!(server.requests().len(), 6);
}
