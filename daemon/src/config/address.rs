//! Listen addresses as Go writes them: `host:port`, `:port`, `[v6]:port`, several separated by commas; and
//! paths of unix sockets.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

/// Bytes of a unix socket's path: what the kernel's address of it holds beside the end mark.
const PATH_BYTES_MAX: usize = 107;

/// What marks a path among addresses; one that begins with a slash needs no mark.
const PATH_MARK: &str = "unix:";

/// Where HTTP can listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// At an IP address and port.
    Ip(Address),
    /// At the path of a unix socket.
    Unix(PathBuf),
}

/// One address to listen on, resolved, but not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The IP address and port.
    pub socket: SocketAddr,
    /// The wildcard of both IP versions: no host, or `0.0.0.0`, as in Go.
    pub dual_stack: bool,
}

/// Why a text is no listen address.
#[derive(Debug, thiserror::Error)]
pub(super) enum AddressError {
    /// It does not end in `:port`.
    #[error("{0:?} has no port; write host:port")]
    NoPort(String),
    /// Its port is none.
    #[error("{0:?} is no port; use a number from 0 to 65535")]
    Port(String),
    /// A colon too many for a host name, and no brackets.
    #[error("write an IPv6 address in brackets: [{0}]")]
    NoBrackets(String),
    /// Its host has no address.
    #[error("host {host:?} does not resolve: {error}")]
    Host {
        /// The host.
        host: String,
        /// What the resolver said.
        error: io::Error,
    },
    /// A path of nothing.
    #[error("a unix socket needs a path: /run/pushprom.sock, for example")]
    NoPath,
    /// A path that the kernel cannot take.
    #[error("{path:?} has {} bytes, more than the {PATH_BYTES_MAX} of a unix socket's path: give a shorter one", .path.len())]
    LongPath {
        /// The path.
        path: String,
    },
}

/// Reads addresses separated by commas; at least one.
pub(super) fn parse_list(text: &str) -> Result<Vec<Address>, String> {
    split(text, parse)
}

/// Reads addresses and paths separated by commas; at least one. Relative paths begin at `folder`.
pub(super) fn parse_endpoints(folder: &Path, text: &str) -> Result<Vec<Endpoint>, String> {
    split(text, |text| {
        if text.starts_with('/') || text.starts_with(PATH_MARK) {
            return parse_path(folder, text).map(Endpoint::Unix);
        }
        parse(text).map(Endpoint::Ip)
    })
}

/// Reads paths separated by commas, or none. Relative ones begin at `folder`.
pub(super) fn parse_paths(folder: &Path, text: &str) -> Result<Vec<PathBuf>, String> {
    if text.is_empty() { Ok(Vec::new()) } else { split(text, |text| parse_path(folder, text)) }
}

fn split<T>(text: &str, parse: impl Fn(&str) -> Result<T, AddressError>) -> Result<Vec<T>, String> {
    text.split(',').map(|text| parse(text.trim()).map_err(|error| error.to_string())).collect()
}

fn parse_path(folder: &Path, text: &str) -> Result<PathBuf, AddressError> {
    let path = text.strip_prefix(PATH_MARK).unwrap_or(text);
    if path.is_empty() {
        return Err(AddressError::NoPath);
    }
    let path = folder.join(path);
    match path.as_os_str().len() {
        ..=PATH_BYTES_MAX => Ok(path),
        _ => Err(AddressError::LongPath { path: path.display().to_string() }),
    }
}

fn parse(text: &str) -> Result<Address, AddressError> {
    let (host, port) =
        text.rsplit_once(':').ok_or_else(|| AddressError::NoPort(text.to_owned()))?;
    // In Go an empty port is 0: any free one.
    let port = if port.is_empty() { Ok(0) } else { port.parse() };
    let port: u16 = port.map_err(|_| {
        let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
        AddressError::Port(port.to_owned())
    })?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if bare.is_none() && host.contains(':') {
        return Err(AddressError::NoBrackets(host.to_owned()));
    }
    let host = bare.unwrap_or(host);
    if host.is_empty() || host.parse() == Ok(Ipv4Addr::UNSPECIFIED) {
        let socket = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
        return Ok(Address { socket, dual_stack: true });
    }
    let unresolved = |error| AddressError::Host { host: host.to_owned(), error };
    let found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(unresolved)?.collect();
    // Of a name with addresses of both versions Go takes IPv4.
    let socket = found.iter().find(|socket| socket.is_ipv4()).or_else(|| found.first());
    match socket {
        Some(&socket) => Ok(Address { socket, dual_stack: false }),
        None => Err(unresolved(io::Error::other("no address"))),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_path(text: &str, want: Result<&str, &str>) {
        let got = parse_endpoints(Path::new(""), text).map(|endpoints| match &endpoints[..] {
            [Endpoint::Unix(path)] => path.display().to_string(),
            other => panic!("{other:?} is not one path"),
        });
        assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn a_path_is_an_address_of_http() {
        check_path("/run/pushprom.sock", Ok("/run/pushprom.sock"));
        check_path("unix:/run/pushprom.sock", Ok("/run/pushprom.sock"));
        check_path("unix:here", Ok("here"));
        check_path("unix:", Err("a unix socket needs a path: /run/pushprom.sock, for example"));
        let longest = format!("/{}", "x".repeat(106));
        check_path(&longest, Ok(&longest));
        let problem = format!(
            "\"{longest}x\" has 108 bytes, more than the 107 of a unix socket's path: give a shorter one"
        );
        check_path(&format!("{longest}x"), Err(&problem));
        let several = parse_endpoints(Path::new("/etc"), ":1, /a,unix:b").expect("three");
        let several: Vec<String> = several.iter().map(Endpoint::to_string).collect();
        assert_eq!(several, ["[::]:1", "/a", "/etc/b"]);
        let paths = |text| parse_paths(Path::new("etc"), text);
        assert_eq!(paths(""), Ok(Vec::new()));
        assert_eq!(paths("/a, b"), Ok(vec!["/a".into(), "etc/b".into()]));
    }

    #[track_caller]
    fn check(text: &str, want: Result<&str, &str>) {
        let got = parse_list(text).map(|addresses| {
            let text = |address: &Address| {
                format!("{address}{}", if address.dual_stack { " dual" } else { "" })
            };
            addresses.iter().map(text).collect::<Vec<_>>().join(" + ")
        });
        assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn addresses_are_written_as_in_go() {
        check("127.0.0.1:9090", Ok("127.0.0.1:9090"));
        check("localhost:0", Ok("127.0.0.1:0"));
        check("127.0.0.1:", Ok("127.0.0.1:0"));
        check(":9090", Ok("[::]:9090 dual"));
        check("0.0.0.0:9090", Ok("[::]:9090 dual"));
        check("[::]:9090", Ok("[::]:9090"));
        check("[::1]:9090", Ok("[::1]:9090"));
        check("127.0.0.1:1, [::1]:2", Ok("127.0.0.1:1 + [::1]:2"));
        check("127.0.0.1", Err(r#""127.0.0.1" has no port; write host:port"#));
        check("", Err(r#""" has no port; write host:port"#));
        check("127.0.0.1:99999", Err(r#""99999" is no port; use a number from 0 to 65535"#));
        check("::1:9090", Err("write an IPv6 address in brackets: [::1]"));
    }
}
