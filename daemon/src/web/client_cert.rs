//! Certificates of clients: which of them will do, and which names they bear.

use std::{fmt, net::IpAddr, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, time::ASN1Time,
};

use super::go::ClientAuth;

/// The names in a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The last common name of its subject.
    pub common_name: Option<String>,
    /// Its alternative names (DNS, e-mail, URI and IP), as text.
    pub alternative: Vec<String>,
}

impl Names {
    /// Those of a certificate, as far as it can be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let common_name = certificate.subject().iter_common_name().last();
        let common_name = common_name.and_then(|name| name.as_str().ok()).map(str::to_owned);
        let extension = certificate.subject_alternative_name().ok()?;
        let names = extension.map(|extension| &*extension.value.general_names).unwrap_or_default();
        Some(Self { common_name, alternative: names.iter().filter_map(text).collect() })
    }
}

fn text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            Some((*text).to_owned())
        }
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from).ok();
            let sixteen = || <[u8; 16]>::try_from(*bytes).map(IpAddr::from).ok();
            Some(four.or_else(sixteen)?.to_canonical().to_string())
        }
        GeneralName::OtherName(..)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => None,
    }
}

/// Takes or refuses certificates as a policy says.
pub(super) struct Verifier {
    pub(super) policy: ClientAuth,
    /// Verifies chains, where the policy wants that.
    pub(super) chains: Option<Arc<dyn ClientCertVerifier>>,
    /// The certificates of the CA file themselves.
    pub(super) trusted: Vec<CertificateDer<'static>>,
    pub(super) allowed_sans: Option<Vec<String>>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// None of a certificate's names is in `client_allowed_sans`.
#[derive(Debug, thiserror::Error)]
#[error("none of the certificate's alternative names is in client_allowed_sans")]
struct NotAllowed;

impl Verifier {
    fn check_names(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let Some(allowed) = &self.allowed_sans else { return Ok(()) };
        let names = Names::of(certificate).ok_or(CertificateError::BadEncoding)?;
        if names.alternative.iter().any(|name| allowed.contains(name)) {
            return Ok(());
        }
        Err(CertificateError::Other(OtherError(Arc::new(NotAllowed))).into())
    }

    /// Whether a certificate is itself one that is trusted, and good for a client now. Path validation
    /// refuses one that may also sign others, as most self-signed ones may; Go does not.
    fn is_trusted_itself(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
        if !self.trusted.contains(certificate) {
            return false;
        }
        let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return false };
        let now =
            i64::try_from(now.as_secs()).ok().and_then(|now| ASN1Time::from_timestamp(now).ok());
        let is_valid = now.is_some_and(|now| parsed.validity().is_valid_at(now));
        let usage = parsed.extended_key_usage();
        let is_for_clients = usage.is_ok_and(|usage| {
            usage.is_none_or(|usage| usage.value.client_auth || usage.value.any)
        });
        is_valid && is_for_clients
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.policy.requires()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.as_ref().map_or(&[], |chains| chains.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chains) = &self.chains {
            match chains.verify_client_cert(certificate, intermediates, now) {
                Ok(_) => {}
                Err(_) if self.is_trusted_itself(certificate, now) => {}
                Err(error) => return Err(error),
            }
        }
        self.check_names(certificate)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
