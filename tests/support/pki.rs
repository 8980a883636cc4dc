//! Certificates, a folder of them with a file for `-web.config.file`, and `curl` to look at what comes of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    SanType,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tempfile::TempDir;

use super::Server;

/// What of a certificate is of interest.
#[derive(Clone, Copy)]
enum Kind {
    /// Signed by the authority that is trusted.
    Signed,
    /// Signed by nobody but itself.
    SelfSigned,
    /// Signed by the authority, and over.
    Expired,
}

/// The certificates in each folder: a name, how it was made, and the names that it bears.
const CERTIFICATES: &[(&str, Kind, &[&str])] = &[
    ("server", Kind::Signed, &["localhost", "127.0.0.1"]),
    ("client", Kind::Signed, &["client.example", "10.1.2.3", "2001:db8::1"]),
    ("other", Kind::Signed, &["other.example"]),
    ("stranger", Kind::SelfSigned, &["client.example"]),
    ("expired", Kind::Expired, &["client.example"]),
];

/// A folder with `ca.pem`, and `.crt` and `.key` for each of these: `server`, `client`, `other`, `expired`,
/// `stranger`. Each certificate has its name for common name.
pub(crate) struct Site {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let mut params = params("ca", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let site = Self { folder, authority };
        site.write("ca.pem", &site.authority.pem());
        for (name, kind, names) in CERTIFICATES {
            let (certificate, key) = site.issue(name, *kind, names);
            site.write(&format!("{name}.crt"), &certificate);
            site.write(&format!("{name}.key"), &key);
        }
        site
    }

    fn issue(&self, name: &str, kind: Kind, names: &[&str]) -> (String, String) {
        let mut params = params(name, names);
        let key = KeyPair::generate().expect("a key");
        let certificate = match kind {
            Kind::Signed => params.signed_by(&key, &self.authority),
            Kind::SelfSigned => {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                params.self_signed(&key)
            }
            Kind::Expired => {
                params.not_after = rcgen::date_time_ymd(2000, 1, 1);
                params.signed_by(&key, &self.authority)
            }
        };
        (certificate.expect("a certificate").pem(), key.serialize_pem())
    }

    /// A new certificate for the server, and its key.
    pub(crate) fn renewed(&self, name: &str) -> (String, String) {
        self.issue(name, Kind::Signed, &["localhost", "127.0.0.1"])
    }

    /// The path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of a file.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file is there")
    }

    /// Writes a file, and puts it in its place as a whole.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let new = self.path(&format!("{name}.new"));
        fs::write(&new, text).expect("the file can be written");
        fs::rename(new, self.path(name)).expect("it can be renamed");
    }

    /// Starts a server with this text for its file.
    pub(crate) fn start(&self, text: &str, flags: &[&str]) -> Server {
        self.write("web.yml", text);
        let file = format!("-web.config.file={}", self.path("web.yml").display());
        Server::start(&[&[&*file], flags].concat())
    }

    /// A client that trusts the authority.
    pub(crate) fn client_config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(der(&self.read("ca.pem")).into()).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().expect("it has versions");
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }

    /// A `curl` that trusts the authority, with further arguments.
    pub(crate) fn curl(&self, server: &Server, path: &str, arguments: &[&str]) -> Curl {
        Curl::run(self.folder.path(), &format!("https://{}{path}", server.http), arguments)
    }
}

/// The bytes of a certificate.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate").to_vec()
}

fn params(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("the names are names");
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    if name == "other" {
        let mail = "push@shop.example".try_into().expect("it is ASCII");
        let uri = "spiffe://shop.example/push".try_into().expect("it is ASCII");
        params.subject_alt_names.extend([SanType::Rfc822Name(mail), SanType::URI(uri)]);
    }
    params
}

/// What `curl` came to.
#[derive(Debug)]
pub(crate) struct Curl {
    /// 0 if there was no answer.
    pub(crate) status: u16,
    /// `1.1` or `2`.
    pub(crate) version: String,
    /// Header lines and body.
    pub(crate) text: String,
    /// What it complained about.
    pub(crate) complaint: String,
}

impl Curl {
    /// Runs it in a folder with a `ca.pem`.
    pub(crate) fn run(folder: &Path, url: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("curl");
        command.current_dir(folder).args(["-sSi", "--max-time", "20", "--cacert", "ca.pem"]);
        command.args(["-w", "\n%{http_code} %{http_version}"]).args(arguments).arg(url);
        let output = command.output().expect("curl is installed");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (text, facts) = said.rsplit_once('\n').expect("it tells the status");
        let (status, version) = facts.split_once(' ').expect("and the version");
        Self {
            status: status.parse().expect("a number"),
            version: version.to_owned(),
            text: text.to_owned(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
