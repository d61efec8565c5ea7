//! What is only looked at asks no server and reads no certificate.

use crate::support::{By, World};
use std::process::Stdio;

const TRACED: &str = "trace=%network,openat,open";

/// All system calls of a command that open a file or touch a socket.
async fn traced(world: &World, args: &[&str]) -> String {
    let log = world.path("strace");
    let command = world.command(args);
    let command = command.as_std();
    let mut strace = std::process::Command::new("strace");
    strace
        .args(["-f", "-e", TRACED, "-o"])
        .arg(&log)
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(world.directory())
        .env("HOME", world.directory())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    strace.status().unwrap();
    std::fs::read_to_string(log).unwrap()
}

#[tokio::test]
async fn a_status_a_list_and_a_check_touch_no_socket_and_no_certificate() {
    let works = std::process::Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("LEFT OUT: system calls: strace is not here, or may not trace");
        return;
    }
    let mut world = World::new().await;
    world.give_client_secrets();
    let login = ["auth", "login", "--provider", "google"];
    assert_eq!(world.log_in(&login, By::Browser).await.code, Some(0));
    for args in [
        &["auth", "status"][..],
        &["auth", "status", "--json"],
        &["auth", "list"],
        &["config", "check"],
    ] {
        let calls = traced(&world, args).await;
        assert!(calls.contains("exited with 0"), "{args:?}: {calls}");
        for one in calls.lines() {
            // The signal handler's own pair of sockets goes nowhere.
            let harmless =
                one.contains("socketpair(AF_UNIX") || one.contains("recvfrom(") || one.contains("sendto(");
            let network = one.contains("AF_INET") || one.contains("connect(") || one.contains("socket(");
            assert!(harmless || !network, "{args:?}: {one}");
            assert!(
                !one.contains(".pem") && !one.contains("/certs"),
                "{args:?}: {one}"
            );
        }
    }
    assert!(
        traced(&world, &["token", "--provider", "corp"])
            .await
            .contains("AF_INET"),
        "it would have been seen"
    );
}
