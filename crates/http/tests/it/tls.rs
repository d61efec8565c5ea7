//! T01: a server that can't prove who it is gets no byte of a request.

use crate::support::{RawServer, authorized, client_with, in_full, in_full_of, quick, read_head, url};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatepass_core::{AccessToken, Advice, BackendError, ErrorKind, Phase, StaticTokenSource};
use gatepass_http::{AuthorizedClient, HttpError, HttpOptions, HttpRequest};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::NamedTempFile;

/// What a server shows for itself.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

/// An authority that no system knows.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap();
        let mut file = NamedTempFile::new().unwrap();
        let text = STANDARD.encode(certificate.der());
        writeln!(
            file,
            "-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----"
        )
        .unwrap();
        Self {
            issuer: Issuer::new(params, key),
            file,
        }
    }

    fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            chain: vec![certificate.der().clone()],
            key,
        }
    }

    fn options(&self) -> HttpOptions {
        HttpOptions::default().with_ca_file(self.file.path())
    }
}

fn self_signed() -> Identity {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity {
        chain: vec![certificate.der().clone()],
        key,
    }
}

/// Answers 200 to whoever trusts it, and counts the bytes of requests.
fn serve(identity: Identity) -> (RawServer, Arc<AtomicUsize>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain, key)
        .unwrap();
    let config = Arc::new(config);
    let received = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&received);
    let server = RawServer::start(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        count.fetch_add(read_head(&mut stream).len(), Ordering::SeqCst);
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    (server, received)
}

fn address(server: &RawServer) -> String {
    format!("https://localhost:{}/", server.address().port())
}

fn request(server: &RawServer) -> HttpRequest {
    HttpRequest::post_form(url(&address(server)), "client_secret=canary")
}

/// T01
#[tokio::test]
async fn a_server_that_cannot_prove_who_it_is_gets_no_byte() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let expired = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    let not_yet = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2090, 1, 1);
        params.not_after = date_time_ymd(2091, 1, 1);
    };
    for (why, identity) in [
        ("self-signed", self_signed()),
        ("expired", authority.issue("localhost", expired)),
        ("not yet valid", authority.issue("localhost", not_yet)),
        ("another host's", authority.issue("localhost.example", |_| {})),
        ("of an unknown authority", stranger.issue("localhost", |_| {})),
    ] {
        let (server, received) = serve(identity);
        let client = client_with(authority.options());
        let error = client.send(request(&server)).await.unwrap_err();
        assert!(
            matches!(
                error,
                HttpError::Network {
                    phase: Phase::Tls,
                    ..
                }
            ),
            "{why}: {error:?}"
        );
        assert!(!error.is_transient(), "{why}");

        let token = AccessToken::bearer("canary").unwrap();
        let source = Arc::new(StaticTokenSource::new(token));
        let client = AuthorizedClient::new(client, url(&address(&server)), source, |_, _| {});
        let error = client.with_retry(quick()).get("x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{why}");
        assert_eq!(error.advice(), Advice::FixConfig, "{why}");
        assert!(error.fix().contains("ca_file"), "{why}");
        assert!(!in_full(&error).contains("canary"), "{why}: {error:?}");
        assert_eq!(server.connections(), 2, "{why}: not tried again");
        assert_eq!(received.load(Ordering::SeqCst), 0, "{why}");
    }
}

/// T01
#[tokio::test]
async fn a_server_of_the_authority_in_ca_file_is_trusted() {
    let authority = Authority::new();
    for name in ["localhost", "127.0.0.1"] {
        let (server, received) = serve(authority.issue(name, |_| {}));
        let address = format!("https://{name}:{}/", server.address().port());
        let request = HttpRequest::post_form(url(&address), "client_secret=canary");
        let mut response = client_with(authority.options()).send(request).await.unwrap();
        assert_eq!(response.read(10).await.unwrap(), "ok");
        assert!(received.load(Ordering::SeqCst) > 0);
    }
}

/// T01
#[tokio::test]
async fn without_ca_file_the_same_server_is_a_stranger() {
    let (server, received) = serve(Authority::new().issue("localhost", |_| {}));
    let error = authorized(&address(&server)).get("x").await.unwrap_err();
    assert!(
        matches!(
            error,
            BackendError::Network {
                phase: Phase::Tls,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(server.connections(), 1);
    assert_eq!(received.load(Ordering::SeqCst), 0);
}

/// T01: TLS 1.1 is no TLS any more (RFC 8996).
#[tokio::test]
async fn a_server_that_speaks_tls_1_1_alone_gets_no_byte() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&records);
    let server = RawServer::start(move |mut stream| {
        let mut header = [0; 5];
        while stream.read_exact(&mut header).is_ok() {
            let [kind, _, _, high, low] = header;
            seen.lock().unwrap().push(kind);
            let mut body = vec![0; usize::from(u16::from_be_bytes([high, low]))];
            _ = stream.read_exact(&mut body);
            _ = stream.write_all(&server_hello(0x0302));
        }
    });
    let client = client_with(HttpOptions::default());
    let error = client.send(request(&server)).await.unwrap_err();
    let HttpError::Network { phase, source, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(phase, Phase::Connect | Phase::Tls), "{error:?}");
    assert!(!in_full_of(source.as_ref()).contains("canary"));
    gatepass_testkit::eventually("the client says no", || records.lock().unwrap().len() > 1).await;
    assert_eq!(
        *records.lock().unwrap(),
        [HANDSHAKE, ALERT],
        "no application data"
    );
}

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

/// RFC 5246 §7.4.1.3: this version, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA.
fn server_hello(version: u16) -> Vec<u8> {
    let version = version.to_be_bytes();
    let mut hello = version.to_vec();
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x13, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![HANDSHAKE, version[0], version[1], 0, length + 4, 2, 0, 0, length];
    record.extend(hello);
    record
}

#[test]
fn a_ca_file_that_cannot_be_used_is_named() {
    let empty = NamedTempFile::new().unwrap();
    let mut junk = NamedTempFile::new().unwrap();
    writeln!(
        junk,
        "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----"
    )
    .unwrap();
    let mut no_certificate = NamedTempFile::new().unwrap();
    writeln!(
        no_certificate,
        "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----"
    )
    .unwrap();
    let missing = std::path::Path::new("/no/such/file.pem");
    for path in [
        empty.path(),
        junk.path(),
        no_certificate.path(),
        missing,
        std::env::temp_dir().as_path(),
    ] {
        let options = HttpOptions::default().with_ca_file(path);
        let error = gatepass_http::HttpClient::new(options).unwrap_err();
        assert!(error.to_string().contains("ca_file"), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(!in_full(&error).contains("canary"), "{error}");
    }
}
