//! M02: names in a metadata document, which lead outside or are not connected to.
//!
//! In a network of its own, with addresses outside and inside and a hosts file: by this test binary, started again.

use crate::support::{http, quick};
use gatepass_core::TokenError;
use gatepass_http::{ServerUrl, Transport};
use gatepass_oauth2::{Client, Discovery, Grant, Metadata, TokenResponse};
use gatepass_testkit::AuthorizationServer;
use serde_json::json;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};

const OUTSIDE: &str = "203.0.113.7";
const INSIDE: [&str; 5] = [
    "127.0.0.1",
    "10.9.8.7",
    "169.254.169.254",
    "100.100.100.200",
    "fd00:ec2::254",
];

const DONE: &str = "all names were tried";

const SCRIPT: &str = "\
ip link set lo up && ip address add 203.0.113.7/32 dev lo && ip address add 10.9.8.7/32 dev lo && \
ip address add 169.254.169.254/32 dev lo && ip address add 100.100.100.200/32 dev lo && \
ip address add fd00:ec2::254/128 dev lo nodad && mount --bind \"$0\" /etc/hosts && exec \"$@\"";

#[test]
fn a_name_of_a_metadata_document_leads_outside_or_nowhere() {
    let mut hosts = tempfile::NamedTempFile::new().unwrap();
    write_hosts(hosts.as_file_mut(), "127.0.0.1");
    let apart = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", SCRIPT])
        .arg(hosts.path())
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "names::the_part_in_a_network_of_its_own",
            "--ignored",
            "--nocapture",
        ])
        .output();
    let refused = |error: &[u8]| String::from_utf8_lossy(error).contains("unshare");
    match apart {
        Ok(ended) if ended.status.success() => {
            let said = String::from_utf8_lossy(&ended.stdout).into_owned();
            assert!(said.contains(DONE), "{said}");
            println!(
                "{} names that lead inside, and one that turned: 0 connections",
                INSIDE.len()
            );
        }
        Ok(ended) if !refused(&ended.stderr) => panic!(
            "{}{}",
            String::from_utf8_lossy(&ended.stdout),
            String::from_utf8_lossy(&ended.stderr)
        ),
        _ => eprintln!("\n*** LEFT OUT: names that lead inside: only root can make a network ***\n"),
    }
}

/// `turning.example` leads to `now`.
fn write_hosts(file: &mut std::fs::File, now: &str) {
    use std::io::{Seek, Write};
    let mut text = format!("{OUTSIDE} issuer.example\n{OUTSIDE} mixed.example\n{now} turning.example\n");
    for (number, inside) in INSIDE.iter().enumerate() {
        text.push_str(&format!(
            "{inside} inside{number}.example\n{inside} mixed.example\n"
        ));
    }
    file.set_len(0).unwrap();
    file.rewind().unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Passes connections on to `to`, and counts them.
async fn listen(at: &str, port: u16, to: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((at, port)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    (address, count)
}

async fn ask(server: &Metadata) -> Result<TokenResponse, TokenError> {
    let endpoint = server.endpoint(http(), Client::new("client", "secret"));
    let grant = Grant::ClientCredentials { scopes: None };
    endpoint.with_retry(quick()).request(&grant).await
}

#[tokio::test]
#[ignore = "a part of another test"]
async fn the_part_in_a_network_of_its_own() {
    // Somebody runs all ignored tests.
    let Ok(outside) = TcpListener::bind((OUTSIDE, 0)).await else {
        return;
    };
    let port = outside.local_addr().unwrap().port();
    drop(outside);
    let server = AuthorizationServer::start().await;
    listen(OUTSIDE, port, server.address()).await;
    let mut inside = Vec::new();
    for address in INSIDE {
        inside.push(listen(address, port, server.address()).await.1);
    }
    let visits = || {
        inside
            .iter()
            .map(|count| count.load(Ordering::SeqCst))
            .sum::<usize>()
    };
    // The server has not told its own address: all that it is asked has come by one of these.
    let discovered = async |issuer: &str, name: &str| {
        let issuer = format!("http://{issuer}:{port}");
        let at = |path: &str| format!("http://{name}:{port}{path}");
        server.set_metadata(json!({
            "issuer": issuer,
            "token_endpoint": at("/token"),
            "revocation_endpoint": at("/revoke"),
            "device_authorization_endpoint": at("/device_authorization"),
        }));
        let discovery = Discovery::new(http()).with_retry(quick());
        discovery
            .metadata(&issuer, Transport::PlainAllowed)
            .await
            .unwrap()
    };

    for number in 0..INSIDE.len() {
        let name = format!("inside{number}.example");
        let metadata = discovered("issuer.example", &name).await;
        let error = ask(&metadata).await.unwrap_err();
        assert!(matches!(error, TokenError::Config(_)), "{error:?}");
        let text = error.to_string();
        let what = "which the metadata document names, leads to this machine or into a private network";
        assert!(text.contains(&name) && text.contains(what), "{text}");
        assert!(error.fix().contains("token_url"));
    }
    assert_eq!((visits(), server.token_requests()), (0, 0));

    // A name with addresses of both kinds is asked outside; one that has turned inside isn't asked any more.
    ask(&discovered("issuer.example", "mixed.example").await)
        .await
        .unwrap();
    ask(&discovered("issuer.example", "issuer.example").await)
        .await
        .unwrap();
    assert_eq!((visits(), server.token_requests()), (0, 2));
    let mut hosts = std::fs::File::options().write(true).open("/etc/hosts").unwrap();
    write_hosts(&mut hosts, OUTSIDE);
    let turning = discovered("issuer.example", "turning.example").await;
    ask(&turning).await.unwrap();
    write_hosts(&mut hosts, "169.254.169.254");
    assert!(matches!(ask(&turning).await, Err(TokenError::Config(_))));
    assert_eq!((visits(), server.token_requests()), (0, 3));

    // What somebody has configured: the endpoint itself, or an issuer that is inside.
    let by_hand = format!("http://inside1.example:{port}/token");
    let by_hand = ServerUrl::parse(&by_hand, "token_url", Transport::PlainAllowed).unwrap();
    ask(&Metadata::new(by_hand)).await.unwrap();
    ask(&discovered("inside1.example", "inside0.example").await)
        .await
        .unwrap();
    assert_eq!(server.token_requests(), 5);
    assert!(visits() >= 3, "{}", visits());
    println!("{DONE}");
}
