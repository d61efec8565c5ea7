//! A configuration file: TOML if it begins with `[`, JSON otherwise.
#![no_main]

use gatepass_client_credentials::{Environment, ProvidersFile};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

/// What a variable holds, and nothing may show.
const CANARY: &str = "canary-4711";

fuzz_target!(|text: &[u8]| {
    if String::from_utf8_lossy(text).contains(CANARY) {
        return; // then it is no secret
    }
    let name = if text.starts_with(b"[") {
        "c.toml"
    } else {
        "c.json"
    };
    match ProvidersFile::parse(Path::new(name), text) {
        Ok(file) => {
            let environment = Environment::of([("X", CANARY)]);
            for problem in file.check(&environment) {
                assert!(!problem.to_string().contains(CANARY));
            }
            for name in file.names() {
                _ = file.provider(name, &environment);
            }
        }
        Err(error) => assert!(!error.to_string().contains('\u{1b}')),
    }
});
