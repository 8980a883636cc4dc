//! TLS, made from what the file says and the files that it names.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

use super::{
    client_cert::Verifier,
    file::{Http2, Source, TlsSettings, read},
    go::{ClientAuth, Version},
};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{what} {path:?} cannot be read: {error}")]
    Read {
        /// Which of them.
        what: &'static str,
        /// Where it should be.
        path: String,
        /// Why not.
        error: io::Error,
    },
    /// What should be a certificate or key is none.
    #[error("{what} holds no PEM of one: {error}")]
    Pem {
        /// Which of them.
        what: &'static str,
        /// What was found instead.
        error: pem::Error,
    },
    /// There are no certificates in it.
    #[error("{what} holds no certificate: put one in, as PEM")]
    Empty {
        /// Which of them.
        what: &'static str,
    },
    /// What is given does not make a whole.
    #[error("TLS cannot be had with this certificate and key: {0}")]
    Unfit(#[from] rustls::Error),
    /// The client CA does not do.
    #[error("certificates cannot be verified with this client_ca: {0}")]
    ClientCa(String),
}

/// The PEM texts that TLS is made from.
pub(super) struct Texts {
    pub(super) cert: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) client_ca: Option<Vec<u8>>,
}

impl Texts {
    /// Reads the files that are named.
    pub(super) fn read(settings: &TlsSettings) -> Result<Self, TlsError> {
        Ok(Self {
            cert: text(&settings.cert, "cert_file")?,
            key: text(&settings.key, "key_file")?,
            client_ca: match &settings.client_ca {
                Some(source) => Some(text(source, "client_ca_file")?),
                None => None,
            },
        })
    }
}

/// Makes TLS.
pub(super) fn make(
    settings: &TlsSettings,
    texts: &Texts,
    http2: Http2,
) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&texts.cert, "cert_file")?;
    let key = PrivateKeyDer::from_pem_slice(&texts.key);
    let key = key.map_err(|error| TlsError::Pem { what: "key_file", error })?;
    let provider = Arc::new(provider(settings));
    let versions = versions(settings);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)?;
    let builder = match verifier(settings, texts, &provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.ignore_client_order = settings.prefers_own_order;
    config.alpn_protocols = match http2 {
        Http2::Offered => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Http2::Off => vec![b"http/1.1".to_vec()],
    };
    if settings.client_auth != ClientAuth::None {
        // A session that goes on would not be asked for its certificate again, and that may have expired.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

fn provider(settings: &TlsSettings) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(suites) = &settings.suites {
        // Those of TLS 1.3 are not chosen among.
        provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        provider.cipher_suites.extend(suites);
    }
    if let Some(curves) = &settings.curves {
        provider.kx_groups.clone_from(curves);
    }
    provider
}

fn versions(settings: &TlsSettings) -> Vec<&'static SupportedProtocolVersion> {
    let is_asked_for = |version: Version| settings.min <= version && version <= settings.max;
    let of = |version: &&&'static SupportedProtocolVersion| match version.version {
        version if version == TLS12.version => is_asked_for(Version::Tls12),
        version if version == TLS13.version => is_asked_for(Version::Tls13),
        _ => false,
    };
    ALL_VERSIONS.iter().filter(of).copied().collect()
}

fn verifier(
    settings: &TlsSettings,
    texts: &Texts,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    if settings.client_auth == ClientAuth::None {
        return Ok(None);
    }
    let mut trusted = Vec::new();
    let mut chains = None;
    if let Some(text) = texts.client_ca.as_ref().filter(|_| settings.client_auth.verifies()) {
        trusted = certificates(text, "client_ca_file")?;
        let mut roots = RootCertStore::empty();
        for certificate in &trusted {
            roots.add(certificate.clone())?;
        }
        let made =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        chains = Some(made.build().map_err(|error| TlsError::ClientCa(error.to_string()))?);
    }
    Ok(Some(Arc::new(Verifier {
        policy: settings.client_auth,
        chains,
        trusted,
        allowed_sans: settings.allowed_sans.clone(),
        algorithms: provider.signature_verification_algorithms,
    })))
}

fn text(source: &Source, what: &'static str) -> Result<Vec<u8>, TlsError> {
    match source {
        Source::Inline(text) => Ok(text.as_bytes().to_vec()),
        Source::File(path) => read(path).map_err(|error| {
            let path = Path::display(path).to_string();
            TlsError::Read { what, path, error }
        }),
    }
}

fn certificates(text: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let read = read.map_err(|error| TlsError::Pem { what, error })?;
    if read.is_empty() { Err(TlsError::Empty { what }) } else { Ok(read) }
}
