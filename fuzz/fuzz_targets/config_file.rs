//! A configuration file: TOML if it begins with `[`, JSON otherwise.
#![no_main]

use gatepass_client_credentials::{Environment, ProvidersFile};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &[u8]| {
    let name = if text.starts_with(b"[") {
        "c.toml"
    } else {
        "c.json"
    };
    match ProvidersFile::parse(Path::new(name), text) {
        Ok(file) => {
            let environment = Environment::of([("X", "canary-4711")]);
            for problem in file.check(&environment) {
                assert!(!problem.to_string().contains("canary-4711"));
            }
            for name in file.names() {
                _ = file.provider(name, &environment);
            }
        }
        Err(error) => assert!(!error.to_string().contains('\u{1b}')),
    }
});
