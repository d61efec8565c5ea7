use super::*;
use secrecy::ExposeSecret;

/// The key of the specification's test vectors, <https://github.com/fernet/spec>.
const SPEC_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
/// `generate.json` and `verify.json`: "hello" at 1985-10-26T01:20:00-07:00 with the IV 00 01 … 0f.
const SPEC_TOKEN: &str =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

fn key() -> Key {
    Key::parse(SPEC_KEY).unwrap()
}

#[test]
fn the_specifications_token_is_generated() {
    let iv = std::array::from_fn(|at| u8::try_from(at).unwrap());
    assert_eq!(key().encrypt_with(b"hello", 499_162_800, iv), SPEC_TOKEN);
}

#[test]
fn the_specifications_token_opens() {
    assert_eq!(key().decrypt(SPEC_TOKEN.as_bytes()).unwrap().as_slice(), b"hello");
    let surrounded = format!(" {SPEC_TOKEN}\r\n");
    assert_eq!(key().decrypt(surrounded.as_bytes()).unwrap().as_slice(), b"hello");
}

/// `invalid.json`, but for "far-future TS" and "expired TTL": those are sound tokens whose time a store doesn't judge.
#[test]
fn the_specifications_invalid_tokens_are_rejected() {
    for (what, token, reject) in [
        (
            "incorrect mac",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
            Reject::Signature,
        ),
        (
            "too short",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==",
            Reject::Form,
        ),
        (
            "invalid base64",
            "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
            Reject::Form,
        ),
        (
            "payload size not multiple of block size",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
            Reject::Form,
        ),
        (
            "payload padding error",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
            Reject::Padding,
        ),
        (
            "incorrect IV (causes padding error)",
            "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
            Reject::Padding,
        ),
    ] {
        assert_eq!(key().decrypt(token.as_bytes()).unwrap_err(), reject, "{what}");
    }
    assert_eq!(key().decrypt(b" \n").unwrap_err(), Reject::Empty);
}

#[test]
fn any_length_comes_back_and_no_two_tokens_are_alike() {
    let key = Key::random().unwrap();
    for length in (0..70).chain([4096, 100_000]) {
        let plaintext = vec![b'x'; length];
        let (one, two) = (
            key.encrypt(&plaintext, 0).unwrap(),
            key.encrypt(&plaintext, 0).unwrap(),
        );
        assert_ne!(one, two);
        assert_eq!(*key.decrypt(one.as_bytes()).unwrap(), plaintext);
    }
}

/// S07: `GATEPASS_TEST_ENCRYPTIONS=1000000` for the full run.
#[test]
fn no_initialisation_vector_comes_twice() {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long run")]
    let asked = std::env::var("GATEPASS_TEST_ENCRYPTIONS").ok();
    let times = asked.map_or(10_000, |number| number.parse().unwrap());
    let mut seen = std::collections::HashSet::new();
    for _ in 0..times {
        let token = URL_SAFE.decode(key().encrypt(b"", 0).unwrap()).unwrap();
        // Behind the version and the time.
        assert!(seen.insert(<[u8; 16]>::try_from(&token[9..25]).unwrap()));
    }
    eprintln!("{times} encryptions: no vector twice");
}

#[test]
fn another_key_opens_nothing() {
    let other = Key::random().unwrap();
    assert_eq!(
        other.decrypt(SPEC_TOKEN.as_bytes()).unwrap_err(),
        Reject::Signature
    );
    assert_ne!(other.id(), key().id());
}

#[test]
fn a_key_is_44_characters() {
    let key = Key::random().unwrap();
    let text = key.to_text();
    assert_eq!(text.expose_secret().len(), 44);
    assert!(Key::parse(text.expose_secret()).unwrap() == key);
    assert!(Key::parse(&format!("{}\n", text.expose_secret())).unwrap() == key);
    for bad in [
        "",
        "short",
        &SPEC_KEY[1..],
        &SPEC_KEY.replace('-', "+"),
        &format!("{SPEC_KEY}A"),
        "ä",
    ] {
        assert!(Key::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn debug_does_not_print_the_key() {
    let shown = format!("{:?}", key());
    assert_eq!(shown, format!("Key({})", key().id()));
    assert_eq!(key().id().len(), 16);
}

/// Whoever has the key may still be another program.
#[test]
fn a_token_of_another_form_is_rejected_though_its_signature_matches() {
    let signed = |version: u8, body: usize| {
        let mut token = vec![version];
        token.extend([0; HEAD - 1]);
        token.extend(vec![0; body]);
        let signature = key().mac().chain_update(&token).finalize().into_bytes();
        token.extend(signature);
        key().decrypt(URL_SAFE.encode(token).as_bytes())
    };
    for (version, body) in [
        (VERSION + 1, BLOCK),
        (0, BLOCK),
        (VERSION, 0),
        (VERSION, BLOCK + 1),
    ] {
        assert_eq!(
            signed(version, body),
            Err(Reject::Form),
            "{version:#x}, {body} bytes"
        );
    }
    assert_eq!(signed(VERSION, BLOCK), Err(Reject::Padding));
}
