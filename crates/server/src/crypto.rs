//! The cryptography provider of the process.

/// Installs the provider; must run before the first TLS connection and the first token. Repeated calls have no effect.
pub(crate) fn choose() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
