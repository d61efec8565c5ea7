//! An event stream, read whole and in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|stream: &[u8]| gatepass_http::hostile::event_stream(stream));
