//! TLS as a remote's configuration asks for it: whom to trust, what to show.

use super::FetchError;
use super::validity::validity;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Where distributions keep the certificates that the whole system trusts.
const SYSTEM_BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
];

/// The `tls-*` keys of a remote.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// `tls-permissive`: any certificate chain will do; the host name is still checked.
    pub permissive: bool,
    /// `tls-ca-path`: the only certificates trusted, in place of the system's.
    pub ca_path: Option<PathBuf>,
    /// `tls-client-cert-path` and `tls-client-key-path`: what the client shows, as PEM files.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// The settings of rustls that these keys stand for.
    ///
    /// # Errors
    /// When a file that is named cannot be read.
    pub fn client_config(&self) -> Result<ClientConfig, FetchError> {
        let setup = |text: String| FetchError::Setup(text);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        if let Some(path) = &self.ca_path {
            // A configured file that is missing must fail now, not look like a bad server later.
            read_roots(path).map_err(setup)?;
        }
        let verifier = Arc::new(Verifier {
            provider: Arc::clone(&provider),
            permissive: self.permissive,
            ca_path: self.ca_path.clone(),
            webpki: OnceLock::new(),
        });
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| setup(format!("TLS: {e}")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let Some((cert, key)) = &self.client else {
            return Ok(builder.with_no_client_auth());
        };
        let failed = |path: &Path, e: &dyn std::fmt::Display| {
            setup(format!("reading {}: {e}", path.display()))
        };
        let certs: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
            .and_then(Iterator::collect)
            .map_err(|e| failed(cert, &e))?;
        let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| failed(key, &e))?;
        builder
            .with_client_auth_cert(certs, key_der)
            .map_err(|e| failed(cert, &e))
    }
}

fn read_roots(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let fail = |e: &dyn std::fmt::Display| format!("reading {}: {e}", path.display());
    let certs: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|e| fail(&e))?;
    let (added, _unusable) = roots.add_parsable_certificates(certs);
    if added == 0 {
        return Err(fail(&"no certificates in it"));
    }
    Ok(roots)
}

/// Reads the trusted certificates only when the first server shows one: most pulls over plain http never need them.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    permissive: bool,
    ca_path: Option<PathBuf>,
    webpki: OnceLock<Result<Arc<WebPkiServerVerifier>, String>>,
}

impl Verifier {
    fn webpki(&self) -> Result<&WebPkiServerVerifier, rustls::Error> {
        let built = self.webpki.get_or_init(|| {
            let path = match &self.ca_path {
                Some(path) => path.clone(),
                None => SYSTEM_BUNDLES
                    .iter()
                    .map(PathBuf::from)
                    .find(|p| p.exists())
                    .ok_or("no bundle of trusted certificates on this system")?,
            };
            WebPkiServerVerifier::builder_with_provider(
                Arc::new(read_roots(&path)?),
                Arc::clone(&self.provider),
            )
            .build()
            .map_err(|e| e.to_string())
        });
        built
            .as_deref()
            .map_err(|text| rustls::Error::General(text.clone()))
    }
}

impl Verifier {
    /// Whether the server shows the very certificate that `tls-ca-path` holds: one that was signed by itself, which is
    /// no authority's to vouch for. Its name and time are checked all the same.
    fn is_pinned(&self, shown: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> bool {
        let Some(path) = &self.ca_path else {
            return false;
        };
        let Ok(mut certs) = CertificateDer::pem_file_iter(path) else {
            return false;
        };
        let named = || {
            let cert = ParsedCertificate::try_from(shown).ok()?;
            rustls::client::verify_server_name(&cert, name).ok()
        };
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        certs.any(|cert| cert.is_ok_and(|cert| cert == *shown))
            && named().is_some()
            && validity(shown).is_some_and(|(from, to)| (from..=to).contains(&now))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if !self.permissive {
            let webpki = self.webpki()?;
            return match webpki.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ) {
                Err(_) if self.is_pinned(end_entity, server_name, now) => {
                    Ok(ServerCertVerified::assertion())
                }
                verdict => verdict,
            };
        }
        let cert = ParsedCertificate::try_from(end_entity)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        rustls::client::verify_server_name(&cert, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
