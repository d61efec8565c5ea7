//! A test that can't fail is worse than none: what is looked for is found.

use crate::support::World;
use crate::support::gossip::Gossip;
use crate::support::world::{CLIENT_SECRET, PROXY_PASSWORD, REFRESH_TOKEN, STORE_KEY};
use std::process::Stdio;
use tokio::process::Command;

/// Whether it is noticed when this shell script is what runs.
async fn is_noticed(script: &str) -> bool {
    let script = script.to_owned();
    let running = tokio::spawn(async move {
        let world = World::new().await;
        let before = super::files(world.directory());
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
            .env("SECRET", REFRESH_TOKEN)
            .current_dir(world.directory());
        world.outcome(command.spawn().unwrap()).await;
        super::look_at_files(&world, &before);
    });
    running.await.is_err_and(|error| error.is_panic())
}

#[tokio::test]
async fn a_leak_is_found_wherever_it_is() {
    for script in [
        "echo \"$SECRET\"",
        "echo \"$SECRET\" >&2",
        "echo $(echo \"$SECRET\" | base64) >&2",
        "printf '%.8s…' \"$SECRET\"",
        "echo \"$SECRET\" > a.log",
        "sh -c 'sleep 0.2; :' \"$SECRET\"",
        "sleep 0.2",
    ] {
        assert!(is_noticed(script).await, "{script}");
    }
    assert!(!is_noticed("unset SECRET; sleep 0.1; echo fine").await);
}

/// The gossip tells all of it, as it was meant, wherever it was.
#[tokio::test]
async fn the_gossip_has_every_secret_of_a_request() {
    let gossip = Gossip::start().await;
    for way in [
        "oauth/400",
        "word/401",
        "html/200",
        "headers/403",
        "openai/400",
        "location/307",
    ] {
        let mut stream = tokio::net::TcpStream::connect(gossip.authority()).await.unwrap();
        let form: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_secret", CLIENT_SECRET)
            .append_pair("refresh_token", REFRESH_TOKEN)
            .finish();
        let request = format!(
            "POST /{way} HTTP/1.1\r\nx-api-key: {STORE_KEY}\r\nauthorization: Bearer {PROXY_PASSWORD}\r\n\
             content-length: {}\r\n\r\n{form}",
            form.len()
        );
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        for secret in [REFRESH_TOKEN, STORE_KEY, PROXY_PASSWORD] {
            let found = std::panic::catch_unwind(|| {
                crate::support::canaries::Canary::new(secret).assert_absent("it", &answer);
            });
            assert!(found.is_err(), "{way} doesn't tell {secret}: {answer}");
        }
        assert!(gossip.heard().contains(CLIENT_SECRET));
    }
}
