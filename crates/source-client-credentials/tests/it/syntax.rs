//! C3: what is no JSON and no TOML has a line and a column, and is never quoted.

use crate::support::{Directory, in_full, nothing, of_problem};
use gatepass_client_credentials::{Environment, Providers, ProvidersFile};
use gatepass_core::ConfigError;
use gatepass_testkit::hostile;
use std::path::Path;

const JSON: &str = r#"{
  "model_list": [1, 2.5, null],
  "oauth2_providers": {
    "corp": {
      "client_id": "id",
      "client_secret": "canary-4711-secret",
      "token_url": "https://as.example/t",
      "refresh_token": "canary-4711-refresh",
      "headers": {"x-key": "canary-4711-key"},
      "timeout": 5
    }
  }
}"#;
const TOML: &str = r#"# comment
title = 1979-05-27T07:32:00Z
[oauth2_providers.corp]
client_id = "id"
client_secret = "canary-4711-secret"
token_url = 'https://as.example/t'
refresh_token = """canary-4711-refresh"""
headers = { x-key = "canary-4711-key" }
timeout = 5
"#;

fn parse(name: &str, bytes: &[u8]) -> Result<ProvidersFile, ConfigError> {
    ProvidersFile::parse(Path::new(name), bytes)
}

fn utf16(text: &str, to_bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(to_bytes).collect()
}

/// C3
#[test]
fn what_is_wrong_with_the_text_has_its_place() {
    for (name, text, place, what) in [
        ("c.json", "{\n  \"a\": 1,\n}", "c.json:3:1", "trailing comma"),
        ("c.json", "", "c.json:1:1", ""),
        (
            "config.yaml",
            "oauth2_providers:\n  corp:\n",
            "config.yaml:1:1",
            "YAML isn't read",
        ),
        ("c.json", "{\"a\": 1} x", "c.json:1:10", "trailing characters"),
        (
            "c.json",
            "{\n\"oauth2_providers\": {\"p\": {\n\"scope\": \"a\",\n\"scope\": \"b\"}}}",
            "c.json:4:7",
            "'scope' is there twice",
        ),
        (
            "c.json",
            "{\"p\": 1, \"p\": 1}",
            "c.json:1:12",
            "'p' is there twice",
        ),
        ("c.json", "{\"a\": 1e999}", "c.json:1:", "number out of range"),
        ("c.json", "{'a': 1}", "c.json:1:2", ""),
        ("c.json", "// comment\n{}", "c.json:1:1", ""),
        ("c.toml", "a = 1\nb = = 2\n", "c.toml:2:5", ""),
        ("c.toml", "a = 1\na = 2\n", "c.toml:2:1", "duplicate"),
        ("c.toml", "[a]\nx = 1\n[a]\n", "c.toml:3:", ""),
        ("c.toml", "ä = \"x", "c.toml:1:1", ""),
        ("c.toml", "{\"oauth2_providers\": {}}", "c.toml:1:1", ""),
    ] {
        let error = parse(name, text.as_bytes()).unwrap_err();
        assert!(matches!(error, ConfigError::Syntax { .. }), "{text:?}: {error:?}");
        let shown = error.to_string();
        assert!(
            shown.starts_with(place) && shown.contains(what),
            "{text:?}: {shown}"
        );
    }
}

/// C3
#[test]
fn a_byte_order_mark_does_no_harm_and_utf_16_is_named() {
    for (name, text) in [("c.json", JSON), ("c.toml", TOML)] {
        let marked = format!("\u{feff}{text}");
        let file = parse(name, marked.as_bytes()).unwrap();
        assert!(file.provider("corp", &nothing()).unwrap().is_some());
        for bytes in [utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)] {
            let error = parse(name, &bytes).unwrap_err();
            assert!(error.to_string().contains("UTF-16; save it as UTF-8"), "{error}");
        }
        let latin1: Vec<u8> = text
            .bytes()
            .map(|byte| if byte == b'x' { 0xe4 } else { byte })
            .collect();
        let error = parse(name, &latin1).unwrap_err();
        assert!(error.to_string().contains("not UTF-8"), "{error}");
        assert!(!in_full(&error).contains("canary"));
    }
}

/// C3
#[test]
fn windows_line_ends_are_fine() {
    for (name, text) in [("c.json", JSON), ("c.toml", TOML)] {
        let file = parse(name, text.replace('\n', "\r\n").as_bytes()).unwrap();
        assert!(file.provider("corp", &nothing()).unwrap().is_some());
    }
}

/// C3
#[test]
fn a_depth_that_no_stack_holds_is_an_error() {
    for (name, text) in [
        ("c.json", "[".repeat(1_000_000)),
        ("c.json", "{\"a\":".repeat(1_000_000)),
        ("c.toml", format!("a = {}", "[".repeat(100_000))),
        ("c.toml", format!("a = {}", "{b=".repeat(100_000))),
        ("c.toml", format!("[{}a]", "a.".repeat(100_000))),
        ("c.toml", format!("{}a = 1", "a.".repeat(100_000))),
    ] {
        if let Err(error) = parse(name, text.as_bytes()) {
            assert!(error.to_string().len() < 500, "{}", error.to_string().len());
        }
    }
}

/// H01: thirty thousand broken files, in no complaint of which a secret appears.
#[test]
fn no_complaint_about_a_broken_file_shows_a_secret() {
    const PIECES: [&str; 20] = [
        "\"",
        "'",
        "\"\"\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "=",
        "\n",
        "#",
        "\\",
        "\\u00",
        "\0",
        "null",
        "1e999",
        "[[",
        "os.environ/X",
        "\u{1b}[2J",
    ];
    let mut rng = fastrand::Rng::with_seed(9);
    let environment = Environment::of([("X", "canary-4711-variable")]);
    let mut broken = 0;
    for round in 0..30_000 {
        let (name, seed) = if round % 2 == 0 {
            ("c.json", JSON)
        } else {
            ("c.toml", TOML)
        };
        let mut text = seed.as_bytes().to_vec();
        for _ in 0..rng.usize(1..=3) {
            let at = rng.usize(0..=text.len());
            let end = rng.usize(at..=text.len().min(at + 30));
            match rng.u8(0..4) {
                0 => text.truncate(at),
                1 => drop(text.drain(at..end)),
                2 => drop(text.splice(at..end, rng.choice(PIECES).unwrap().bytes())),
                _ => drop(text.splice(at..at, text[at..end].to_vec())),
            }
        }
        let shown = match parse(name, &text) {
            Ok(file) => file.check(&environment).iter().map(of_problem).collect(),
            Err(error) => {
                broken += 1;
                in_full(&error)
            }
        };
        assert!(
            !shown.contains("canary-4711"),
            "{shown}\n{}",
            String::from_utf8_lossy(&text)
        );
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
    assert!(broken > 10_000, "{broken}");
}

/// H01: the fuzzer's corpus is read in the ordinary tests, too.
#[test]
fn nothing_of_the_corpus_shows_a_secret_or_drives_a_terminal() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/config_file");
    let environment = Environment::of([("X", "canary-4711-variable")]);
    hostile(corpus, |text| {
        let name = if text.starts_with(b"[") {
            "c.toml"
        } else {
            "c.json"
        };
        match parse(name, text) {
            Ok(file) => {
                let shown: String = file.check(&environment).iter().map(of_problem).collect();
                assert!(!shown.contains("canary-4711"), "{shown}");
                for name in file.names() {
                    _ = file.provider(name, &environment);
                }
            }
            Err(error) => assert!(!in_full(&error).contains('\u{1b}'), "{error}"),
        }
    });
}

/// C1
#[test]
fn a_file_is_toml_by_its_name_alone() {
    let directory = Directory::new()
        .with("config", JSON)
        .with("config.toml", TOML)
        .with("config.json.bak", JSON);
    for name in ["config", "config.toml", "config.json.bak"] {
        assert!(Providers::read(&directory.file(name)).is_ok(), "{name}");
    }
}
