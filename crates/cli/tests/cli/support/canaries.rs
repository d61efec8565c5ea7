//! Secrets, and the shapes in which they could leak.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A secret in all the shapes that it could have on its way: as it is, percent-encoded, base64 of both, and its first
/// bytes as text, hexadecimal and numbers.
#[derive(Debug, Clone)]
pub(crate) struct Canary(Vec<String>);

impl Canary {
    pub(crate) fn new(secret: &str) -> Self {
        assert!(secret.len() >= 8, "too short to be told from other text");
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let mut shapes = vec![
            secret.to_owned(),
            form.clone(),
            form.replace('+', "%20"),
            form.to_lowercase(),
        ];
        shapes.push(secret.escape_debug().to_string());
        for text in [secret, &form] {
            shapes.extend((0..3).flat_map(|offset| base64_at(text, offset)));
        }
        let beginning: String = secret.chars().take(8).collect();
        let bytes = beginning.as_bytes();
        shapes.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        shapes.push(format!("{bytes:?}").trim_matches(['[', ']']).to_owned());
        shapes.push(beginning);
        Self(shapes)
    }

    pub(crate) fn assert_absent(&self, place: &str, text: &str) {
        if let Some(shape) = self.0.iter().find(|shape| text.contains(*shape)) {
            panic!("{place} shows the secret {:?} as {shape:?}:\n{text}", self.0[0]);
        }
    }
}

/// Base64 of a text that begins `offset` bytes after a boundary, without the characters that its neighbours share.
fn base64_at(text: &str, offset: usize) -> [String; 2] {
    let bytes = [&b"xx"[..offset], text.as_bytes()].concat();
    let begin = (offset * 4).div_ceil(3);
    let end = bytes.len() * 4 / 3;
    [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
        .map(|encoded| encoded[begin..end].to_owned())
}

/// Reads a process's arguments, and the arguments and the environment of all that it starts, until it is stopped;
/// panics at a secret.
pub(crate) fn watch_processes(pid: u32, secrets: Vec<Canary>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            assert_absent_in(pid, "cmdline", &secrets);
            for child in descendants(pid) {
                assert_absent_in(child, "cmdline", &secrets);
                // Until it is another program it has our environment, as it has our memory.
                if read(child, "cmdline") != read(pid, "cmdline") {
                    assert_absent_in(child, "environ", &secrets);
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

fn assert_absent_in(pid: u32, file: &str, secrets: &[Canary]) {
    let content = read(pid, file);
    let content = String::from_utf8_lossy(&content);
    secrets
        .iter()
        .for_each(|secret| secret.assert_absent(&format!("/proc/PID/{file}"), &content));
}

fn read(pid: u32, file: &str) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

/// What a process has started, on whichever thread, and what that has.
fn descendants(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let children: Vec<u32> = threads
        .flat_map(|thread| {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            children
                .split_whitespace()
                .filter_map(|child| child.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect();
    let grandchildren: Vec<u32> = children.iter().flat_map(|child| descendants(*child)).collect();
    [children, grandchildren].concat()
}

#[test]
fn a_canary_is_found_in_every_shape() {
    let canary = Canary::new("s3cret:+/é-long");
    let form: String = form_urlencoded::byte_serialize("s3cret:+/é-long".as_bytes()).collect();
    for leak in [
        "before s3cret:+/é-long after".to_owned(),
        format!("client_secret={form}&x"),
        STANDARD_NO_PAD.encode("client:s3cret:+/é-long"),
        STANDARD_NO_PAD.encode("clien:s3cret:+/é-long!"),
        URL_SAFE_NO_PAD.encode(format!("id:{form}?")),
        "s3cret:+…".to_owned(),
        "[115, 51, 99, 114, 101, 116, 58, 43]".to_owned(),
    ] {
        let found = std::panic::catch_unwind(|| canary.assert_absent("a test", &leak));
        assert!(found.is_err(), "{leak}");
    }
    canary.assert_absent("a test", "something else");
}
