//! The answer to a device login.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| gatepass_oauth2::hostile::device_authorization(body));
