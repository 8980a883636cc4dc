//! The byte stream of a connection, TCP or unix, watched while an answer is written: a client that does not
//! take its answer must not keep it in memory, and an answer on its way is not cut off at the end.

use std::{
    io,
    os::fd::AsFd,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustix::net::RecvFlags;
use tokio::{
    io::{AsyncRead, Interest, ReadBuf},
    net::{TcpStream, UnixStream},
    time::{Sleep, sleep},
};
use tokio_rustls::server::TlsStream;

use super::{connections::Connection, listener::Accepted};

/// Bytes of an answer that is small: that of a push has some 120.
const SMALL_BYTES: usize = 512;

pub(super) struct Stream {
    inner: Inner,
    connection: Arc<Connection>,
    write_timeout: Duration,
    /// Runs from when the client first makes us wait until it has taken all there is.
    deadline: Option<Pin<Box<Sleep>>>,
    /// A byte that was read in the search for the end of a TLS connection; the next to be read.
    ahead: Option<u8>,
}

enum Inner {
    Tcp(TokioIo<TcpStream>),
    Unix(TokioIo<UnixStream>),
    Tls(Box<TokioIo<TlsStream<Accepted>>>),
}

/// Does the same with the stream of either kind.
macro_rules! with_inner {
    ($self:ident, $stream:ident => $done:expr) => {
        match &mut $self.inner {
            Inner::Tcp($stream) => $done,
            Inner::Unix($stream) => $done,
            Inner::Tls($stream) => $done,
        }
    };
}

impl Stream {
    pub(super) fn new(accepted: Accepted, connection: Arc<Connection>) -> Self {
        let write_timeout = connection.timeouts().write;
        let inner = match accepted {
            Accepted::Tcp(stream) => Inner::Tcp(TokioIo::new(stream)),
            Accepted::Unix(stream) => Inner::Unix(TokioIo::new(stream)),
        };
        Self { inner, connection, write_timeout, deadline: None, ahead: None }
    }

    /// A connection of which the handshake is done.
    pub(super) fn tls(stream: TlsStream<Accepted>, connection: Arc<Connection>) -> Self {
        let write_timeout = connection.timeouts().write;
        let inner = Inner::Tls(Box::new(TokioIo::new(stream)));
        Self { inner, connection, write_timeout, deadline: None, ahead: None }
    }

    /// Waits until the client has closed its half, or all of the connection. hyper does not look while it
    /// is we who take our time, but flushes each time it looks at the connection: that is when this is
    /// asked. A client that has sent more instead is not watched further.
    fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut byte = [0];
        loop {
            let looked = match &mut self.inner {
                Inner::Tcp(stream) => {
                    let stream = stream.inner();
                    ready!(stream.poll_read_ready(context)).and_then(|()| {
                        stream.try_io(Interest::READABLE, || peek(stream, &mut byte))
                    })
                }
                Inner::Unix(stream) => {
                    let stream = stream.inner();
                    ready!(stream.poll_read_ready(context)).and_then(|()| {
                        stream.try_io(Interest::READABLE, || peek(stream, &mut byte))
                    })
                }
                // What comes is a matter of TLS before it is one of ours: the end is announced.
                Inner::Tls(_) if self.ahead.is_some() => return Poll::Pending,
                Inner::Tls(stream) => {
                    let mut buffer = ReadBuf::new(&mut byte);
                    let stream = Pin::new(stream.inner_mut());
                    let read = ready!(stream.poll_read(context, &mut buffer));
                    self.ahead = buffer.filled().first().copied();
                    read.map(|()| usize::from(self.ahead.is_some()))
                }
            };
            match looked {
                Ok(0) => return Poll::Ready(()),
                Ok(_) => return Poll::Pending,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(()),
            }
        }
    }

    /// What a write came to: one that waits is given up after the deadline.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.connection.set_writing(true);
        self.give_up_late(context, written)
    }

    /// The same for what is not an answer itself: over TLS some of that may wait in between.
    fn give_up_late<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            let timeout = self.write_timeout;
            let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
            ready!(deadline.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

/// The next byte, if there is one; it stays where it is.
pub(super) fn peek(stream: &impl AsFd, byte: &mut [u8; 1]) -> io::Result<usize> {
    let (count, _) = rustix::net::recv(stream, byte, RecvFlags::PEEK).map_err(io::Error::from)?;
    Ok(count)
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(byte) = self.ahead.take() {
            buffer.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        with_inner!(self, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = with_inner!(self, stream => Pin::new(stream).poll_write(context, bytes));
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        if bytes <= SMALL_BYTES {
            // A head and a short body: to put them together costs less than to tell the kernel of two.
            let mut small = [0; SMALL_BYTES];
            let mut free = &mut small[..bytes];
            for slice in slices {
                let (room, rest) = free.split_at_mut(slice.len());
                room.copy_from_slice(slice);
                free = rest;
            }
            return self.poll_write(context, &small[..bytes]);
        }
        let written =
            with_inner!(self, stream => Pin::new(stream).poll_write_vectored(context, slices));
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.inner {
            Inner::Tcp(stream) => stream.is_write_vectored(),
            Inner::Unix(stream) => stream.is_write_vectored(),
            Inner::Tls(stream) => stream.is_write_vectored(),
        }
    }

    /// hyper flushes when it has written all that it has been given: an answer, or as much of a page as it
    /// takes at a time.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = with_inner!(self, stream => Pin::new(stream).poll_flush(context));
        let flushed = ready!(self.give_up_late(context, flushed));
        let is_multiplexed = self.connection.is_multiplexed();
        // Over HTTP/2 each page has a time of its own.
        if is_multiplexed || !self.connection.is_page_left() {
            if self.connection.is_writing() {
                self.connection.written();
            }
            self.deadline = None;
        }
        // HTTP/2 goes on reading by itself.
        if !is_multiplexed && self.connection.is_held() && self.poll_closed(context).is_ready() {
            self.connection.leave();
        }
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = with_inner!(self, stream => Pin::new(stream).poll_shutdown(context));
        self.give_up_late(context, shut)
    }
}
