//! A raw HTTP/1.1 client: what is sent is what the test says, to the byte.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::Socket;

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| &**value)
    }
}

/// One connection.
pub(crate) struct Client {
    socket: Socket,
    /// What goes over the socket, which TLS may change.
    stream: Box<dyn Stream>,
    received: Vec<u8>,
}

/// Bytes in both directions.
trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_nodelay(true).expect("nodelay can be set");
        Self::over(stream.into())
    }

    pub(crate) fn connect_unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("the server accepts");
        Self::over(OwnedFd::from(stream).into())
    }

    /// Over TLS, to `localhost`.
    pub(crate) fn connect_tls(address: SocketAddr, config: Arc<ClientConfig>) -> Self {
        let mut client = Self::connect(address);
        let name = "localhost".try_into().expect("a name");
        let session = ClientConnection::new(config, name).expect("a session");
        let socket = client.socket.try_clone().expect("it can be shared");
        client.stream = Box::new(StreamOwned::new(session, socket));
        client
    }

    fn over(socket: Socket) -> Self {
        socket.set_read_timeout(Some(super::PATIENCE)).expect("a timeout can be set");
        let stream = Box::new(socket.try_clone().expect("it can be shared"));
        Self { socket, stream, received: Vec::new() }
    }

    /// Closes the half that it sends on.
    pub(crate) fn close_half(&self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends a request with `Content-Length`.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Option<Reply> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        if let Some(body) = body {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        // The answer may come, and the connection close, before all is sent.
        let sent = self.send(&bytes);
        let reply = self.reply_to(method);
        assert!(sent.is_ok() || reply.is_some(), "{sent:?} and no answer");
        reply
    }

    /// Reads one answer; `None` if the server closes instead.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        self.reply_to("GET")
    }

    fn reply_to(&mut self, method: &str) -> Option<Reply> {
        let head_end = self.receive_until(|bytes| find(bytes, b"\r\n\r\n"))?;
        let head = String::from_utf8_lossy(&self.received[..head_end]).into_owned();
        self.received.drain(..head_end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.and_then(|(_, value)| value.parse::<usize>().ok()).unwrap_or(0);
        let length = if method == "HEAD" || status == 100 { 0 } else { length };
        self.receive_until(|bytes| (bytes.len() >= length).then_some(length))?;
        let body = self.received.drain(..length).collect();
        Some(Reply { status, headers, body })
    }

    /// Reads until the server closes or stays silent for `silence`; all bytes, and whether it closed.
    pub(crate) fn rest(mut self, silence: Duration) -> (Vec<u8>, bool) {
        self.socket.set_read_timeout(Some(silence)).expect("a timeout can be set");
        let mut chunk = vec![0; 65536];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return (self.received, true),
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return (self.received, false);
                }
                Err(_) => return (self.received, true),
            }
        }
    }

    fn receive_until<T>(&mut self, found: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let mut chunk = vec![0; 65536];
        loop {
            if let Some(found) = found(&self.received) {
                return Some(found);
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                // A read with a timeout is not begun again by itself.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("no answer: {error}"),
            }
        }
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
