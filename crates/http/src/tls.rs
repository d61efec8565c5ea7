use gatepass_core::ConfigError;
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// TLS 1.2 and 1.3, certificates judged as the platform judges them. There is no way to accept others.
///
/// Read once and shared: the system's certificates take a while.
pub(crate) fn system() -> Result<ClientConfig, ConfigError> {
    static SYSTEM: OnceLock<Result<ClientConfig, rustls::Error>> = OnceLock::new();
    SYSTEM
        .get_or_init(|| build(Vec::new()))
        .clone()
        .map_err(|error| unusable(&error))
}

/// As [`system`], and trusting the certificates of a PEM file as well.
pub(crate) fn with_ca_file(path: &Path) -> Result<ClientConfig, ConfigError> {
    let bad_file = |what: &str| {
        ConfigError::invalid(
            "ca_file",
            format!("{} {what}", path.display()),
            "give the path of a PEM file with the certificates of your authority",
        )
    };
    let extra: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|_| bad_file("cannot be read as PEM"))?;
    if extra.is_empty() {
        return Err(bad_file("holds no certificate"));
    }
    build(extra).map_err(|error| bad_file(&format!("cannot be used: {error}")))
}

fn unusable(error: &rustls::Error) -> ConfigError {
    ConfigError::invalid(
        "TLS",
        format!("cannot be set up: {error}"),
        "check the system's certificates and ca_file",
    )
}

fn build(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    // Given by hand, so that no process-wide provider is needed, or minded.
    let provider = Arc::new(ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let from_file = !extra.is_empty();
    let mut config = match verifier(extra, &provider) {
        Ok(verifier) => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        Err(error) if from_file => return Err(error),
        // A small container may have no certificates at all; plain http to this machine needs none.
        Err(error) => {
            tracing::warn!(%error, "no certificates can be trusted, so https won't work: {error}; set ca_file, or install them");
            config
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    extra: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    if extra.is_empty() {
        return Verifier::new(Arc::clone(provider));
    }
    Verifier::new_with_extra_roots(extra, Arc::clone(provider))
}
