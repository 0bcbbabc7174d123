//! The HTTP client of webhooks: bounded in time, and sure of whom it speaks to.
//!
//! The machine's own root certificates are read anew for each request: a bundle that is renewed, or installed late,
//! counts at once, and a message is rare enough for the few milliseconds. There is no bundle in the program: what it
//! was compiled with would be out of date by the years, and unknown to whoever runs a certificate authority of their own.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls_native_certs::{CertificateResult, load_native_certs};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::error::NoRoots;

/// Whether a server's certificate is asked for.
fn is_secure(url: &str) -> bool {
    url.starts_with("https:")
}

/// A client for one request to an address.
pub(super) fn client(url: &str, limit: Duration) -> Result<Agent, NoRoots> {
    let roots = if is_secure(url) { roots()? } else { Vec::new() };
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::from(roots))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build();
    let config = Agent::config_builder().timeout_global(Some(limit)).max_redirects(0).tls_config(tls).build();
    Ok(Agent::new_with_config(config))
}

/// Whether this machine could tell whom it speaks to at an address.
///
/// # Errors
/// Where the address is `https` and there is no root certificate.
pub fn can_check(url: &str) -> Result<(), NoRoots> {
    if is_secure(url) { roots().map(drop) } else { Ok(()) }
}

/// The root certificates of this machine: those of `SSL_CERT_FILE` and `SSL_CERT_DIR` where either is set, else those
/// of the system.
fn roots() -> Result<Vec<Certificate<'static>>, NoRoots> {
    let CertificateResult { certs, errors, .. } = load_native_certs();
    if certs.is_empty() {
        return Err(NoRoots { why: errors.into_iter().next().map(Box::new) });
    }
    Ok(certs.iter().map(|root| Certificate::from_der(root).to_owned()).collect())
}
