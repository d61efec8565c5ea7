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
pub(crate) fn system() -> ClientConfig {
    static SYSTEM: OnceLock<ClientConfig> = OnceLock::new();
    SYSTEM.get_or_init(|| build(Vec::new())).clone()
}

/// As [`system`], and trusting the certificates of a PEM file as well.
pub(crate) fn with_ca_file(path: &Path) -> Result<ClientConfig, ConfigError> {
    let unusable = |what: &str| {
        ConfigError::invalid(
            "ca_file",
            format!("{} {what}", path.display()),
            "give the path of a PEM file with the certificates of your authority",
        )
    };
    let extra: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|_| unusable("cannot be read as PEM"))?;
    if extra.is_empty() {
        return Err(unusable("holds no certificate"));
    }
    Ok(build(extra))
}

fn build(extra: Vec<CertificateDer<'static>>) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let config = match config.with_protocol_versions(rustls::ALL_VERSIONS) {
        Ok(config) => config,
        // ring speaks both versions; the library's own default is the same.
        Err(_) => ClientConfig::builder(),
    };
    let mut config = match verifier(extra, &provider) {
        Ok(verifier) => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "this system has no certificates: https won't work; set ca_file, or install them");
            config
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth()
        }
    }
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
