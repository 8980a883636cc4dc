//! TLS handshakes: what there is before the first request of a connection.

use std::{io, time::Duration};

use rustls::server::Acceptor;
use tokio::{
    io::{AsyncWriteExt, Interest},
    time::{Instant, sleep},
};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use super::{listener::Accepted, stream};
use crate::web::{Names, TlsRefused, Web};

/// How long a handshake waits for certificate and key to be fit for use: who renews them replaces one file
/// after the other.
const RENEWAL_WAIT: Duration = Duration::from_secs(2);

/// How often it looks.
const RENEWAL_LOOK: Duration = Duration::from_millis(20);

/// Said to who speaks HTTP where TLS is spoken. It is no HTTP that could be mistaken for the answer to a push.
const NO_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 32\r\nConnection: close\r\n\r\nthis port speaks TLS: use https\n";

/// The alert of that name (RFC 8446, 6.2), as a record.
const INTERNAL_ERROR: &[u8] = &[21, 3, 3, 0, 2, 2, 80];

/// The protocol that client and server have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// A connection that is ready for requests.
pub(super) struct Secured {
    pub(super) stream: TlsStream<Accepted>,
    pub(super) protocol: Protocol,
    /// Those in the client's certificate, if it has shown one.
    pub(super) names: Option<Names>,
}

/// Why a connection is not.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    /// Its client did not keep to the rules, or to ours.
    #[error("the TLS handshake failed: {0}")]
    Peer(#[from] io::Error),
    /// Its client speaks HTTP.
    #[error("a client spoke HTTP where TLS is spoken")]
    NoTls,
    /// What we were told to use is of no use.
    #[error("no TLS can be had: {0}")]
    Refused(TlsRefused),
}

/// Does a handshake, however long it takes, with what the file says when the client has said hello.
pub(super) async fn secure(mut accepted: Accepted, web: &Web) -> Result<Secured, HandshakeError> {
    if first_byte(&accepted).await?.is_ascii_uppercase() {
        accepted.write_all(NO_TLS).await?;
        return Err(HandshakeError::NoTls);
    }
    let mut hello = LazyConfigAcceptor::new(Acceptor::default(), accepted).await?;
    let until = Instant::now() + RENEWAL_WAIT;
    let config = loop {
        match web.tls() {
            Ok(config) => break config,
            Err(TlsRefused::Tls(_)) if Instant::now() < until => sleep(RENEWAL_LOOK).await,
            Err(refused) => {
                hello.io.write_all(INTERNAL_ERROR).await?;
                return Err(HandshakeError::Refused(refused));
            }
        }
    };
    let stream = hello.into_stream(config).await?;
    let (_, session) = stream.get_ref();
    let protocol = match session.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        _ => Protocol::Http1,
    };
    let names = session.peer_certificates().and_then(|chain| chain.first()).and_then(Names::of);
    Ok(Secured { stream, protocol, names })
}

/// The first byte that comes; it stays where it is.
async fn first_byte(accepted: &Accepted) -> io::Result<u8> {
    let mut byte = [0];
    let peeked = match accepted {
        Accepted::Tcp(stream) => stream.peek(&mut byte).await?,
        Accepted::Unix(unix) => {
            unix.async_io(Interest::READABLE, || stream::peek(unix, &mut byte)).await?
        }
    };
    if peeked == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(byte[0]) }
}
