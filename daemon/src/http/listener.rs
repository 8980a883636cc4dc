//! Listening sockets, TCP and unix alike, and what they accept.

use std::{
    fmt, io,
    net::SocketAddr,
    os::{fd::OwnedFd, unix::net::UnixListener as StdUnixListener},
    pin::Pin,
    task::{Context, Poll},
};

use socket2::{Socket, Type};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

use super::clients::Client;
use crate::{
    config::{Config, Endpoint},
    socket::{self, BindError, unix::SocketFile},
    web::Names,
};

/// Connections that the kernel holds for us to accept. It caps this at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// An endpoint that is listened on. Nothing is accepted yet.
pub struct Listener {
    /// One for each serving thread. Over TCP each has a queue of its own, between which the kernel divides
    /// connections: a thread is not woken for one that another gets. Over unix they are the same socket,
    /// because the kernel has no such groups there; and so are those of a socket that was passed to us.
    sockets: Vec<Socket>,
    family: Family,
}

/// What one serving thread has of a listener.
pub(super) struct Share {
    socket: Socket,
    family: Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Tcp,
    Unix,
}

impl Listener {
    /// Binds and listens, for as many threads as are to serve. A unix socket has a file, which has to be
    /// kept for as long.
    pub fn bind(
        endpoint: &Endpoint,
        config: &Config,
        threads: usize,
    ) -> Result<(Self, Option<SocketFile>), BindError> {
        match endpoint {
            Endpoint::Ip(address) => {
                let sockets = socket::bind_group(address, Type::STREAM, threads, |socket| {
                    // Connections inherit it. Answers are small and whole: nothing is gained by waiting
                    // for more.
                    socket.set_tcp_nodelay(true)?;
                    listen(socket)
                })?;
                Ok((Self { sockets, family: Family::Tcp }, None))
            }
            Endpoint::Unix(path) => {
                let mode = config.unix_mode;
                let (socket, file) = socket::unix::bind(path, Type::STREAM, mode, listen)?;
                Ok((Self::shared(socket, Family::Unix, threads)?, Some(file)))
            }
        }
    }

    /// Takes a socket that somebody else has bound and listens on, for as many threads as are to serve.
    pub fn adopt(socket: Socket, threads: usize) -> io::Result<Self> {
        let is_unix = socket.local_addr()?.is_unix();
        if !is_unix {
            socket.set_tcp_nodelay(true)?;
        }
        socket.set_nonblocking(true)?;
        Self::shared(socket, if is_unix { Family::Unix } else { Family::Tcp }, threads)
    }

    fn shared(socket: Socket, family: Family, threads: usize) -> io::Result<Self> {
        let clones = (1..threads).map(|_| socket.try_clone());
        let mut sockets = clones.collect::<io::Result<Vec<_>>>()?;
        sockets.push(socket);
        Ok(Self { sockets, family })
    }

    /// Where it is, as the kernel says: with the port that it chose.
    pub fn address(&self) -> io::Result<String> {
        let socket = self.sockets.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let address = socket.local_addr()?;
        let path = || address.as_pathname().map(|path| path.display().to_string());
        let ip = address.as_socket().map(|address| address.to_string());
        ip.or_else(path).ok_or(io::ErrorKind::AddrNotAvailable.into())
    }

    /// Its IP address and port, if it has one.
    pub fn ip(&self) -> io::Result<Option<SocketAddr>> {
        let socket = self.sockets.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(socket.local_addr()?.as_socket())
    }

    /// Its shares, one for each thread.
    pub(super) fn shares(self) -> impl Iterator<Item = Share> {
        let family = self.family;
        self.sockets.into_iter().map(move |socket| Share { socket, family })
    }
}

fn listen(socket: &Socket) -> io::Result<()> {
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)
}

impl Share {
    /// Accepts on the thread that calls this, which has to be one with a runtime.
    pub(super) fn watch(self) -> io::Result<Watched> {
        match self.family {
            Family::Tcp => TcpListener::from_std(self.socket.into()).map(Watched::Tcp),
            Family::Unix => {
                let socket = StdUnixListener::from(OwnedFd::from(self.socket));
                UnixListener::from_std(socket).map(Watched::Unix)
            }
        }
    }
}

/// A listener that its thread waits for.
pub(super) enum Watched {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection.
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Does the same with a connection of either kind.
macro_rules! with_stream {
    ($self:ident, $stream:ident => $done:expr) => {
        match $self.get_mut() {
            Self::Tcp($stream) => $done,
            Self::Unix($stream) => $done,
        }
    };
}

impl AsyncRead for Accepted {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        with_stream!(self, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        with_stream!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        with_stream!(self, stream => Pin::new(stream).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_stream!(self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_stream!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}

/// The other end of a connection, as the log shows it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Peer {
    Tcp(SocketAddr),
    /// It has no name.
    Unix,
}

impl Watched {
    /// Waits for a connection.
    pub(super) async fn accept(&self) -> io::Result<(Accepted, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Accepted::Tcp(stream), Peer::Tcp(peer)))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Accepted::Unix(stream), Peer::Unix))
            }
        }
    }
}

impl Peer {
    /// Who that is, as far as the connection tells.
    pub(super) fn client(self) -> Client {
        match self {
            Self::Tcp(address) => address.ip().into(),
            Self::Unix => Client::Unix,
        }
    }
}

/// What is known of the other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    /// Where it is.
    pub(super) peer: Peer,
    /// Names in the certificate that it has shown over TLS, if that was verified.
    pub(super) names: Option<Names>,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Invocation};

    #[tokio::test]
    async fn connections_do_not_wait_to_fill_a_packet() {
        let Ok(Invocation::Run(config)) = config::parse([], |_| None) else { panic!("defaults") };
        let endpoint = Endpoint::Ip(config::Address {
            socket: SocketAddr::from(([127, 0, 0, 1], 0)),
            dual_stack: false,
        });
        let (listener, _) = Listener::bind(&endpoint, &config, 1).expect("a free port");
        let address = listener.address().expect("it is bound");
        let share = listener.shares().next().expect("one for each thread");
        let listener = share.watch().expect("there is a runtime");
        let _client = TcpStream::connect(address).await.expect("it is listened on");
        match listener.accept().await.expect("a connection") {
            (Accepted::Tcp(stream), _) => assert!(stream.nodelay().expect("it says")),
            (Accepted::Unix(_), peer) => panic!("a unix socket of {peer}"),
        }
    }
}
