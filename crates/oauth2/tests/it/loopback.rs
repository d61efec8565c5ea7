//! Where a login listens: one socket of this machine, bound once, whatever the machine's network is like.

#![cfg(target_os = "linux")]

use crate::parts::{self, is_missing, left_out};
use crate::person::{Asked, Person, flow, flow_at, log_in};
use crate::sockets::listening;
use gatepass_http::{ServerUrl, Transport};
use gatepass_oauth2::{Browser, Metadata};
use gatepass_testkit::{AuthorizationServer, visit};
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::Duration;

/// A part that fails must not wait for a person.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many logins: as a variable says, or a few.
#[expect(clippy::disallowed_methods, reason = "a person may want more of them")]
fn logins(usually: usize) -> usize {
    let wanted = std::env::var("GATEPASS_TEST_LOGINS").ok();
    wanted.map_or(usually, |number| number.parse().expect("a number of logins"))
}

/// L02
#[tokio::test]
async fn an_answer_that_comes_at_once_is_never_too_early() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    let count = logins(100);
    for number in 0..count {
        let (login, page) = log_in(&flow, |asked| async move { visit(&asked.url).await }).await;
        assert!(login.is_ok(), "login {number}: {login:?}");
        assert!(page.unwrap().body.contains("You are logged in"), "login {number}");
    }
    assert_eq!(server.token_requests(), count);
    eprintln!("{count} of {count} logins whose answer came at once");
}

/// L02
#[tokio::test]
async fn a_browser_that_calls_back_at_once_is_never_too_early() {
    if is_missing("curl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let browser = directory.path().join("browser");
    let script = "#!/bin/sh\nexec curl --silent --location --output /dev/null \"$1\"\n";
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    let count = logins(10);
    for number in 0..count {
        let login = flow.run(&Browser::only([browser.clone().into_os_string()])).await;
        assert!(login.is_ok(), "login {number}: {login:?}");
    }
    assert_eq!(server.token_requests(), count);
    eprintln!("{count} of {count} logins by a program as the browser");
}

/// L02: as the system has seen it.
#[test]
fn a_login_binds_one_socket_once() {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace");
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-e", "trace=bind,listen", "-o"])
        .arg(&trace);
    // What other programs take an address from changes nothing (L01).
    for name in ["OAUTH_CALLBACK_HOST", "OAUTH_CALLBACK_PORT", "HOST", "PORT"] {
        strace.env(name, "0.0.0.0");
    }
    let Some(_) = this_test_binary(strace, "three_logins") else {
        return;
    };
    let trace = std::fs::read_to_string(trace).unwrap();
    let calls = |name: &str| {
        let lines = trace.lines().filter(|line| line.contains(&format!(" {name}(")));
        lines
            .filter(|line| name != "bind" || line.contains("AF_INET"))
            .collect::<Vec<_>>()
    };
    let binds = calls("bind");
    // The authorization server is in there, too.
    assert_eq!((binds.len(), calls("listen").len()), (1 + 3, 1 + 3), "{trace}");
    for bind in binds {
        assert!(
            bind.contains("sin_port=htons(0)") && bind.contains("\"127.0.0.1\""),
            "{bind}"
        );
    }
}

/// L01
#[tokio::test]
async fn only_loopback_addresses_are_listened_on_and_another_port_each_time() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    let mut ports = HashSet::new();
    for _ in 0..50 {
        let (login, (sockets, ours)) = log_in(&flow, |asked: Asked| async move {
            let sockets = listening();
            visit(&asked.url).await.unwrap();
            (sockets, asked.authority().parse::<SocketAddr>().unwrap())
        })
        .await;
        login.unwrap();
        assert!(sockets.contains(&ours), "{ours} is not among {sockets:?}");
        for socket in sockets {
            assert!(socket.ip().is_loopback(), "{socket}");
        }
        ports.insert(ours.port());
    }
    assert!(ports.len() >= 45, "{} ports", ports.len());
}

/// L01
#[test]
fn a_login_needs_only_one_of_the_two_protocols() {
    for (what, without) in [
        ("IPv6", "ip addr del ::1/128 dev lo"),
        ("IPv4 loopback", "ip addr del 127.0.0.1/8 dev lo"),
    ] {
        let mut network = Command::new("unshare");
        let script = format!("ip link set lo up && {without} && exec \"$@\"");
        network.args(["--map-root-user", "--net", "sh", "-c", &script, "sh"]);
        let Some(output) = this_test_binary(network, "a_login_on_what_there_is") else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr);
        let at = if what == "IPv6" {
            "logged in at 127.0.0.1:"
        } else {
            "logged in at [::1]:"
        };
        assert!(said.contains(at), "without {what}: {said}");
    }
}

/// Two machines on one cable: the login is on this one, `$PEER` a process on the other one.
const TWO_MACHINES: &str = r#"
set -e
ip link set lo up
ip link add here type veth peer name there
unshare --net sleep 60 & PEER=$!
until [ "$(readlink /proc/$PEER/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link set there netns $PEER
ip addr add 10.77.0.1/24 dev here; ip link set here up
nsenter --target $PEER --net sh -c 'ip addr add 10.77.0.2/24 dev there; ip link set there up'
export PEER
"$@" && code=0 || code=$?
kill $PEER
exit $code
"#;

/// L01
#[test]
fn nobody_on_the_network_reaches_a_login() {
    let mut network = Command::new("unshare");
    network.args(["--map-root-user", "--net", "sh", "-c", TWO_MACHINES, "sh"]);
    if let Some(output) = this_test_binary(network, "a_login_with_a_neighbour") {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("the neighbour was refused"), "{said}");
    }
}

#[tokio::test]
#[ignore = "a part of another test"]
async fn three_logins() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    for _ in 0..3 {
        log_in(&flow, |asked| async move { visit(&asked.url).await })
            .await
            .0
            .unwrap();
    }
}

#[tokio::test]
#[ignore = "a part of another test"]
async fn a_login_on_what_there_is() {
    let socket = TcpListener::bind("127.0.0.1:0")
        .or_else(|_| TcpListener::bind("[::1]:0"))
        .unwrap();
    let server = format!("http://{}", socket.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in socket.incoming().flatten() {
            _ = stream.read(&mut [0; 8192]);
            let body = r#"{"access_token":"t","token_type":"Bearer","refresh_token":"r"}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    let url = |path: &str| ServerUrl::parse(&format!("{server}{path}"), "url", Transport::Encrypted).unwrap();
    let metadata = Metadata::new(url("/token")).with_authorization_endpoint(url("/authorize"));
    let (login, authority) = log_in(
        &flow_at(&metadata).with_timeout(PATIENCE),
        |asked: Asked| async move {
            visit(&asked.answer("code=x&state=STATE")).await.unwrap();
            asked.authority()
        },
    )
    .await;
    login.unwrap();
    eprintln!("logged in at {authority}");
}

#[tokio::test]
#[ignore = "a part of another test"]
async fn a_login_with_a_neighbour() {
    // What the neighbour does reach, else the refusals mean nothing.
    let open = TcpListener::bind("0.0.0.0:0").unwrap();
    knock(open.local_addr().unwrap().port()).expect("the neighbour is there");
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await.with_timeout(PATIENCE);
    let person = Person::new(|asked: Asked| async move {
        let port = asked.authority().parse::<SocketAddr>().unwrap().port();
        let refused = knock(port).unwrap_err();
        assert!(refused.contains("refused"), "{refused}");
        visit(&asked.url).await.unwrap();
    });
    flow.run(&person).await.unwrap();
    person.outcome().await;
    eprintln!("the neighbour was refused");
}

/// Connects from the other machine.
fn knock(port: u16) -> Result<(), String> {
    let script = format!("nsenter --target $PEER --net bash -c 'exec 3<>/dev/tcp/10.77.0.1/{port}'");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).to_lowercase())
}

/// Runs a part of this module by another program; `None`, loudly, where that one is not to be had or not allowed.
fn this_test_binary(by: Command, part: &str) -> Option<Output> {
    if by.get_program() == "unshare" && (is_missing("unshare") || !is_allowed()) {
        return None;
    }
    parts::run(by, &format!("loopback::{part}"))
}

/// Whether there may be a network of our own.
fn is_allowed() -> bool {
    let script = "ip link set lo up && ip link add here type veth peer name there";
    let tried = Command::new("unshare")
        .args(["--map-root-user", "--net", "sh", "-c", script])
        .output();
    let allowed = tried.is_ok_and(|output| output.status.success());
    if !allowed {
        left_out("a network namespace (unshare, ip)");
    }
    allowed
}
