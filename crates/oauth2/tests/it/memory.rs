//! T05: how much memory an answer may cost, as the system tells.

#![cfg(target_os = "linux")]

use crate::parts;
use crate::support::{endpoint, grant};
use gatepass_http::RetryPolicy;
use gatepass_testkit::{Answer, AuthorizationServer};
use std::process::Command;
use std::time::Duration;

const URL: &str = "GATEPASS_TEST_TOKEN_URL";
const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer"}"#;
/// The most that may be added while such an answer is read.
const BOUND_KIB: u64 = 10 << 10;

/// T05: a gigabyte, one that is packed into a megabyte, one of an error, and one byte after the other. The server is
/// another process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_costs_ten_megabytes() {
    for (what, answer) in [
        ("1 GiB", Answer::endless(vec![b' '; 16 << 10])),
        ("1 GiB of a token", Answer::endless("{\"access_token\":")),
        ("1 GiB, gzip", Answer::gzip_bomb()),
        ("a drip", Answer::drip(TOKEN, Duration::from_secs(1))),
        (
            "a huge header",
            Answer::text(200, TOKEN).with_huge_header(16 << 20),
        ),
    ] {
        let server = AuthorizationServer::start().await;
        // The first answer is for what every request costs.
        server.push(Answer::text(200, TOKEN));
        server.always(answer);
        let mut part = Command::new("env");
        part.arg(format!("{URL}={}", server.token_url()));
        let run = tokio::task::spawn_blocking(|| parts::run(part, "memory::one_answer"));
        let output = run.await.unwrap().expect("every system has `env`");
        assert_eq!(server.token_requests(), 2);
        let said = String::from_utf8_lossy(&output.stderr);
        eprintln!("{what}: {}", said.trim());
    }
}

#[tokio::test]
#[ignore = "a part of another test"]
#[expect(clippy::disallowed_methods, reason = "how a test tells its part what to do")]
async fn one_answer() {
    let Ok(url) = std::env::var(URL) else {
        return; // somebody runs all ignored tests
    };
    let endpoint = endpoint(&url).with_retry(RetryPolicy::never());
    endpoint.request(&grant()).await.unwrap();
    let before = status("VmRSS:");
    // The peak is counted from here on (proc(5)).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    // Whoever drips is given up; the others are refused long before.
    let endpoint = endpoint.with_timeout(Duration::from_secs(5));
    endpoint.request(&grant()).await.unwrap_err();
    let more = status("VmHWM:").saturating_sub(before);
    assert!(more < BOUND_KIB, "{more} KiB more");
    eprintln!("{more} KiB more at most");
}

/// A line of `/proc/self/status`, in KiB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
