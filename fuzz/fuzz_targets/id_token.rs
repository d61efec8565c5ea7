//! An ID token, as it stands or as header and claims.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| gatepass_oauth2::hostile::id_token(text));
