//! The body of a provider's error, `RetryInfo` included; and, after a byte `!`, the headers beside it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Some(lines) = body.strip_prefix(b"!") {
        gatepass_http::hostile::headers(lines);
    } else if let Ok(body) = serde_json::from_slice(body) {
        let error = gatepass_wire::told_error("llm.example", &body);
        assert!(!error.to_string().chars().any(char::is_control));
        assert!(error.message.len() < 5000);
    }
});
