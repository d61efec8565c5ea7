//! The credential goes into its header, and nowhere else.

use crate::answer::Answer;
use crate::contract::llm_backend::sure::question;
use crate::contract::within;
use crate::model::ModelServer;
use crate::outcome::shown;
use gatepass_core::{BackendError, LlmBackend};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

pub(super) async fn suite<B: LlmBackend + std::fmt::Debug>(backend: &B, server: &ModelServer, secret: &str) {
    let asked = server.requests().len();
    let mut seen = format!("{backend:?}");
    for answer in telling(secret) {
        server.always(answer);
        seen += &shown(&failure(backend.chat(question())).await);
        seen += &match within("chat_stream()", backend.chat_stream(question())).await {
            Ok(events) => shown(&failure(events.collect()).await),
            Err(error) => shown(&error),
        };
    }
    server.always(Answer::hang());
    let hanging = timeout(Duration::from_millis(50), backend.chat(question()));
    assert!(hanging.await.is_err(), "a server that hangs must be waited for");
    server.normal();
    assert!(
        !seen.contains(secret),
        "a secret must show in no error, and in no `Debug`: {seen}"
    );
    for request in server.requests().split_off(asked) {
        let address = format!("{} {:?}", request.path, request.query);
        assert!(
            !address.contains(secret),
            "a secret must not be in an address: {address}"
        );
        let credentials = request.headers.values();
        let credentials = credentials.filter(|value| value.to_str().is_ok_and(|text| text.contains(secret)));
        assert_eq!(credentials.count(), 1, "a request must carry one credential");
    }
}

/// Answers that tell the secret, and some that break in other ways.
fn telling(secret: &str) -> Vec<Answer> {
    let error = json!({
        "type": "error",
        "error": { "message": format!("Incorrect API key: {secret}"), "type": secret, "code": secret, "status": secret },
    });
    let plain = format!("{secret} is unknown");
    vec![
        Answer::json(401, &error),
        Answer::json(400, &error),
        Answer::json(200, &error),
        Answer::text(400, plain).with_header("x-request-id", secret),
        Answer::text(500, "<html>"),
        Answer::text(200, "nonsense"),
        Answer::text(200, "x").with_header("content-type", format!("text/{secret}")),
        Answer::close(),
        Answer::truncated("{"),
        Answer::redirect(307, &format!("http://127.0.0.1:9/{secret}")),
        Answer::sse([format!("event: error\ndata: {error}\n\n")]),
        Answer::sse([format!("data: {error}\n\n")]),
        Answer::sse(["data: nonsense\n\n"]),
    ]
}

/// The error of a call that can't succeed.
pub(super) async fn failure<T>(call: impl Future<Output = Result<T, BackendError>>) -> BackendError {
    match within("a call that can't succeed", call).await {
        Err(error) => error,
        Ok(_) => panic!("a call that can't succeed must fail"),
    }
}
