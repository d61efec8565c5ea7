//! T02: this machine is never reached through a proxy, whatever the environment says.
//!
//! The environment can't be changed within a process that has threads, so these tests run this binary again.

use crate::support::{RawServer, authorized, client, read_head, url};
use gatepass_http::{HttpClient, HttpOptions, HttpRequest, ServerUrl, Transport};
use gatepass_testkit::ModelServer;
use std::io::Write;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Tells the second process where the server is.
const SERVER: &str = "GATEPASS_TEST_SERVER";

/// T02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loopback_requests_never_go_to_the_systems_proxy() {
    let server = ModelServer::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let proxy = proxy(Arc::clone(&seen));
    let address = format!("http://canary-user:canary-password@{}", proxy.address());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "proxy::in_a_process_with_a_proxy", "--ignored"]);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        child.env(name, &address);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    child.env(SERVER, server.base_url());
    // Some systems forbid HTTP_PROXY to whatever looks like a CGI script.
    child.env_remove("REQUEST_METHOD");
    let output = tokio::task::spawn_blocking(move || child.output())
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(server.requests().len(), 4, "directly");
    assert_eq!(
        *seen.lock().unwrap(),
        ["GET http://elsewhere.example/x HTTP/1.1"],
        "the proxy is there, and used for other machines"
    );
}

#[tokio::test]
#[ignore = "run by the test above, with a proxy in its environment"]
async fn in_a_process_with_a_proxy() {
    let base_url = variable(SERVER);
    let port = base_url.rsplit(':').next().unwrap();
    let client = client();
    for host in ["127.0.0.1", "localhost"] {
        let address = url(&format!("http://{host}:{port}/models"));
        let response = client.send(HttpRequest::get(address)).await.unwrap();
        assert!(response.status().is_success());
    }
    let authorized = authorized(&base_url);
    authorized.get("models").await.unwrap();
    authorized
        .post_json("embeddings", r#"{"model":"m","input":"x"}"#)
        .await
        .unwrap();

    let elsewhere = ServerUrl::parse("http://elsewhere.example/x", "url", Transport::PlainAllowed).unwrap();
    let response = client.send(HttpRequest::get(elsewhere.clone())).await.unwrap();
    assert_eq!(response.status().as_u16(), 418);
    // H02: the proxy's password is a secret as well.
    for text in [
        format!("{client:?}"),
        format!("{response:?}"),
        format!("{authorized:?}"),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
    no_debug_shows_the_password(&client);
}

fn no_debug_shows_the_password(client: &HttpClient) {
    let text = format!("{client:?} {:?}", HttpOptions::default());
    for encoded in ["canary", "Y2FuYXJ5"] {
        assert!(!text.contains(encoded), "{text}");
    }
}

/// Notes the first line of each request and answers 418.
fn proxy(seen: Arc<Mutex<Vec<String>>>) -> RawServer {
    RawServer::start(move |mut stream| {
        let head = read_head(&mut stream);
        seen.lock()
            .unwrap()
            .push(head.lines().next().unwrap_or_default().to_owned());
        _ = stream.write_all(b"HTTP/1.1 418 I am a proxy\r\ncontent-length: 0\r\n\r\n");
    })
}

#[expect(clippy::disallowed_methods, reason = "one process tells the other")]
fn variable(name: &str) -> String {
    std::env::var(name).expect("set by the first process")
}
