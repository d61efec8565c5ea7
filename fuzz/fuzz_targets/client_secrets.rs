//! A `client_secrets.json`, from wherever the person has it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| gatepass_google::hostile::client_secrets(text));
