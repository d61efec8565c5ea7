//! L09: a login among five hundred sockets that never end their heads.

use crate::support::World;
use gatepass_testkit::visit;
use rustix::process::{Pid, Signal, kill_process};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::task::JoinSet;

const LOGIN: [&str; 3] = ["auth", "login", "--no-browser"];
const SOCKETS: usize = 500;

/// A login that waits for its person.
struct Waiting {
    world: World,
    child: Child,
    /// The address to open.
    url: String,
    /// `127.0.0.1:PORT`, where it listens.
    listener: String,
}

impl Waiting {
    async fn begin(more: &[&str]) -> Self {
        let mut world = World::new().await;
        world.give_client_secrets();
        let mut child = world.command(&[&LOGIN[..], more].concat()).spawn().unwrap();
        let url = world.printed_address(&mut child).await;
        let (_, query) = url.split_once('?').unwrap();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, redirect_uri) = pairs.find(|(name, _)| name == "redirect_uri").unwrap();
        let listener = redirect_uri.split('/').nth(2).unwrap().to_owned();
        Self {
            world,
            child,
            url,
            listener,
        }
    }

    async fn half_heads(&self) -> Vec<TcpStream> {
        let mut sockets = Vec::new();
        for _ in 0..SOCKETS {
            let Ok(mut socket) = TcpStream::connect(&self.listener).await else {
                break; // its time is over
            };
            // It may be closed already: the oldest ones go.
            _ = socket.write_all(b"GET /?code=x HTTP/1.1\r\nHost: ").await;
            sockets.push(socket);
        }
        sockets
    }

    /// The memory that the program has, in KiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().unwrap().try_into().unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Its exit code, and what it said at the end. Then nobody listens any more.
    async fn end(self) -> (Option<i32>, String) {
        let outcome = self.world.outcome(self.child).await;
        assert!(
            TcpStream::connect(&self.listener).await.is_err(),
            "somebody listens"
        );
        (outcome.code, outcome.stderr)
    }
}

#[tokio::test]
async fn five_hundred_half_heads_delay_no_login_and_take_no_memory() {
    let waiting = Waiting::begin(&[]).await;
    let before = waiting.memory();
    let sockets = waiting.half_heads().await;
    assert_eq!(sockets.len(), SOCKETS);
    let growth = waiting.memory().saturating_sub(before);
    let begin = Instant::now();
    let page = visit(&waiting.url).await.unwrap();
    assert!(page.body.contains("You are logged in"), "{page:?}");
    let (code, said) = waiting.end().await;
    let took = begin.elapsed();
    assert_eq!(code, Some(0), "{said}");
    println!("{SOCKETS} half heads: the login took {took:?}, and {growth} KiB more");
    assert!(took <= Duration::from_secs(2), "{took:?}");
    assert!(growth < 20 << 10, "{growth} KiB");
    drop(sockets);
}

#[tokio::test]
async fn half_heads_are_closed_and_nobody_listens_after_an_interruption() {
    let waiting = Waiting::begin(&[]).await;
    let sockets = waiting.half_heads().await;
    assert_eq!(sockets.len(), SOCKETS);
    let begin = Instant::now();
    let mut closing = JoinSet::new();
    for mut socket in sockets {
        closing.spawn(async move { _ = socket.read_to_end(&mut Vec::new()).await });
    }
    let all = tokio::time::timeout(Duration::from_secs(11), closing.join_all()).await;
    all.expect("some are still open");
    println!("{SOCKETS} half heads: all closed after {:?}", begin.elapsed());
    waiting.signal(Signal::INT);
    assert_eq!(waiting.end().await, (Some(130), "interrupted\n".into()));
}

#[tokio::test]
async fn nobody_listens_after_the_time_of_a_login() {
    let waiting = Waiting::begin(&["--timeout", "1"]).await;
    let _sockets = waiting.half_heads().await;
    let (code, said) = waiting.end().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nobody has logged in within 1s"), "{said}");
}
