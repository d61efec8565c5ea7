//! The body of a token response, of success and of failure.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| gatepass_oauth2::hostile::token_response(body));
