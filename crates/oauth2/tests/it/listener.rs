//! The listener among everything else that knocks.

use crate::person::{Asked, flow, log_in, send_raw};
use gatepass_testkit::{AuthorizationServer, visit};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// L08, L09: 500 half heads, 100 silent sockets, 200 strays, then the person.
#[tokio::test]
async fn silent_sockets_and_strays_do_not_hold_up_the_login() {
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

/// L08: a thousand requests for something else, and a hundred clients each that are silent or hang up on us with a
/// reset (RST), before their request, within it and after it.
#[tokio::test]
async fn a_thousand_strays_and_a_hundred_resets_do_not_hold_up_the_login() {
    const KNOWN: [&str; 8] = [
        "/favicon.ico",
        "/",
        "/cancel",
        "/result",
        "/robots.txt",
        "/callback",
        "/apple-touch-icon.png",
        "/.well-known/appspecific/com.chrome.devtools.json",
    ];
    let server = AuthorizationServer::start().await;
    let (login, elapsed) = log_in(&flow(&server).await, |asked: Asked| async move {
        let host = asked.authority();
        let mut silent = Vec::new();
        for number in 0..1000_usize {
            let random = format!("/{:x}", fastrand::u64(..));
            let path = KNOWN.get(number % 16).copied().unwrap_or(&random);
            let method = ["GET", "HEAD"][number % 3 / 2];
            let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let reply = send_raw(&host, request.as_bytes()).await;
            assert!(reply.starts_with("HTTP/1.1 40"), "{request}: {reply}");
            if number % 10 == 0 {
                silent.push(TcpStream::connect(&host).await.unwrap());
                let mut socket = TcpStream::connect(&host).await.unwrap();
                let part = request.len() * (number % 30 / 10) / 2;
                _ = socket.write_all(&request.as_bytes()[..part]).await;
                socket.set_zero_linger().unwrap();
            }
        }
        let start = Instant::now();
        let page = visit(&asked.url).await.unwrap();
        assert!(page.body.contains("You are logged in"));
        start.elapsed()
    })
    .await;
    login.unwrap();
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    eprintln!("logged in within {elapsed:?} after 1,000 strays and 100 resets, beside 100 silent sockets");
}

/// L09
#[tokio::test]
async fn half_a_head_is_closed_after_ten_seconds() {
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

/// L09: while the code is exchanged.
#[tokio::test]
async fn nobody_pushes_out_the_browser_that_waits_for_the_last_page() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    server.set_delay(Duration::from_millis(500));
    let (login, page) = log_in(&flow, |asked: Asked| async move {
        let knocking = async {
            let mut sockets = Vec::new();
            for _ in 0..300 {
                sockets.push(TcpStream::connect(asked.authority()).await);
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
            sockets
        };
        tokio::join!(visit(&asked.url), knocking).0
    })
    .await;
    login.unwrap();
    assert!(page.unwrap().body.contains("You are logged in"));
}

/// L07
#[tokio::test]
async fn every_connection_ends_with_the_login() {
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
