//! H02: `{:?}` of what can hold a secret shows none.

use crate::support::{authorized, client, url};
use gatepass_core::{AccessToken, StaticTokenSource};
use gatepass_http::{AuthorizedClient, HttpOptions, HttpRequest, SseDecoder};
use gatepass_testkit::http::{HeaderMap, HeaderValue};
use gatepass_testkit::{Answer, ModelServer};
use std::sync::Arc;

fn free_of_secrets(text: &str) {
    for form in ["canary", "Y2FuYXJ5", "99, 97, 110, 97"] {
        assert!(!text.contains(form), "{text}");
    }
}

/// H02
#[tokio::test]
async fn debug_shows_no_secret() {
    let server = ModelServer::start().await;
    let secret_url = url(&format!("{}/models?key=canary", server.base_url()));
    let mut sensitive = HeaderValue::from_static("Bearer canary");
    sensitive.set_sensitive(true);
    let request = HttpRequest::post_form(secret_url.clone(), "client_secret=canary")
        .with_header("authorization".parse().unwrap(), sensitive.clone());
    free_of_secrets(&format!("{request:?} {request:#?}"));
    free_of_secrets(&format!(
        "{:?}",
        HttpRequest::post_json(secret_url.clone(), "canary")
    ));
    free_of_secrets(&format!("{secret_url:?} {secret_url}"));

    let http = client();
    server.push(Answer::text(200, "canary").with_header("set-cookie", "session=canary"));
    let response = http.send(HttpRequest::get(secret_url.clone())).await.unwrap();
    free_of_secrets(&format!("{response:?} {response:#?}"));
    free_of_secrets(&format!("{http:?} {:?}", HttpOptions::default()));

    let mut headers = HeaderMap::new();
    headers.insert("x-key", sensitive);
    let token = AccessToken::bearer("canary").unwrap();
    let source = Arc::new(StaticTokenSource::new(token));
    let client = AuthorizedClient::new(http, secret_url, source, |_, _| {}).with_headers(headers);
    free_of_secrets(&format!("{client:?} {client:#?}"));
    free_of_secrets(&format!("{:?}", authorized(&server.base_url())));
}

/// H02: an event stream holds what a model says, which is nobody else's business either.
#[test]
fn a_decoder_shows_no_data() {
    let mut decoder = SseDecoder::default();
    decoder.push(b"data: canary\n").unwrap();
    free_of_secrets(&format!("{decoder:?}"));
}
