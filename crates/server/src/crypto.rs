//! One provider of cryptography for everything in the process.

/// Chooses the provider; must come before the first TLS connection and the first token. Choosing again changes nothing.
pub(crate) fn choose() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
