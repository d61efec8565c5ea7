//! What a credentials file decrypts to; and, after a byte `!`, what it is encrypted as.
#![no_main]

use gatepass_file_store::hostile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match bytes.strip_prefix(b"!") {
    Some(token) => hostile::encrypted(token),
    None => hostile::document(bytes),
});
