//! The query that a browser brings back to the loopback listener.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &[u8]| gatepass_oauth2::hostile::callback(query));
