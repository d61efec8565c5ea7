use crate::client::form;
use gatepass_testkit::{Answer, AuthorizationServer, eventually};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

async fn reply_to(answer: Answer) -> Option<crate::client::Reply> {
    let server = AuthorizationServer::start().await;
    server.push(answer);
    form(&server.token_url(), &[], "").try_send().await
}

#[tokio::test]
async fn a_canned_answer_comes_as_it_was_written() {
    let answer = Answer::text(418, "short and stout").with_header("x-pot", "tea");
    let reply = reply_to(answer).await.unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (418, "short and stout"));
    assert_eq!(reply.header("x-pot"), Some("tea"));
    assert_eq!(reply.header("content-length"), Some("15"));
    assert_eq!(reply.header("x-request-id"), Some("req-1"));
    let moved = reply_to(Answer::redirect(307, "http://evil.example/"))
        .await
        .unwrap();
    assert_eq!(
        (moved.status, moved.header("location")),
        (307, Some("http://evil.example/"))
    );
    let named = reply_to(Answer::new(500).with_header("x-request-id", "mine"))
        .await
        .unwrap();
    assert_eq!(named.header("x-request-id"), Some("mine"));
}

#[tokio::test]
async fn a_closing_server_says_nothing() {
    assert!(reply_to(Answer::close()).await.is_none());
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_announced() {
    let reply = reply_to(Answer::truncated("{\"access_token\":")).await.unwrap();
    assert_eq!(reply.header("content-length"), Some("1016"));
    assert_eq!(reply.text(), "{\"access_token\":");
}

#[tokio::test]
async fn an_abrupt_end_lacks_the_last_chunk() {
    let events = [b"data: 1\n".as_slice(), b"\ndata: \xff"];
    let whole = reply_to(Answer::sse(events)).await.unwrap();
    assert_eq!(whole.body, b"8\r\ndata: 1\n\r\n8\r\n\ndata: \xff\r\n0\r\n\r\n");
    let torn = reply_to(Answer::sse(events).then_close_abruptly()).await.unwrap();
    assert_eq!(torn.body, b"8\r\ndata: 1\n\r\n8\r\n\ndata: \xff\r\n");
}

#[tokio::test]
async fn chunks_leave_one_by_one() {
    let server = AuthorizationServer::start().await;
    server.push(Answer::sse(["one", "two"]).then_hang());
    let request = form(&server.token_url(), &[], "");
    let mut stream = request.open().await;
    let mut seen = Vec::new();
    while !seen.ends_with(b"3\r\ntwo\r\n") {
        stream.read_buf(&mut seen).await.unwrap();
    }
    assert_eq!(server.open_connections(), 1);
    drop(stream);
    eventually("the server sees that the client left", || {
        server.open_connections() == 0
    })
    .await;
}

#[tokio::test]
async fn a_hanging_server_notices_when_the_client_leaves() {
    let server = AuthorizationServer::start().await;
    server.push(Answer::hang());
    let request = form(&server.token_url(), &[], "");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), request.send())
            .await
            .is_err()
    );
    eventually("the connection is closed", || server.open_connections() == 0).await;
}

#[tokio::test]
async fn delays_and_drops_take_their_time() {
    let start = Instant::now();
    let reply = reply_to(Answer::drip("abcde", Duration::from_millis(20)).after(Duration::from_millis(50)));
    assert_eq!(reply.await.unwrap().text(), "abcde");
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn huge_things_come_without_being_held_in_memory() {
    let header = reply_to(Answer::new(200).with_huge_header(100_000))
        .await
        .unwrap();
    assert_eq!(header.header("x-huge").unwrap().len(), 100_000);
    let bomb = reply_to(Answer::gzip_bomb()).await.unwrap();
    assert_eq!(bomb.header("content-encoding"), Some("gzip"));
    assert_eq!(
        bomb.header("content-length"),
        Some(bomb.body.len().to_string().as_str())
    );

    let server = AuthorizationServer::start().await;
    server.push(Answer::endless("x".repeat(8192)));
    let mut stream = form(&server.token_url(), &[], "").open().await;
    let mut buffer = vec![0; 1 << 20];
    let mut seen = 0;
    while seen < 20 << 20 {
        seen += stream.read(&mut buffer).await.unwrap();
    }
    drop(stream);
    eventually("the flood ends with the connection", || {
        server.open_connections() == 0
    })
    .await;
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let server = AuthorizationServer::start().await;
    let request = form(&server.token_url(), &[], "");
    server.push(Answer::hang());
    let waiting = tokio::spawn(async move { request.try_send().await.is_none() });
    eventually("the request has come", || server.token_requests() == 1).await;
    drop(server);
    assert!(waiting.await.unwrap());
}
