//! Frames of HTTP/2 as they are, over TLS: what no well-behaved client sends (RFC 9113, 4.1).

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    sync::Arc,
    thread,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Kinds of frames.
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// Flags of frames.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// What a connection begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame as it is sent.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head, &stream.to_be_bytes()[..], payload].concat()
}

/// A field that is sent as it is and not remembered (RFC 7541, 6.2.2).
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    [&[0][..], &text(name), &text(value)].concat()
}

/// A field that is remembered (RFC 7541, 6.2.1).
pub(crate) fn remembered(name: &str, value: &str) -> Vec<u8> {
    [&[0x40][..], &text(name), &text(value)].concat()
}

/// Its length, and a text that is not packed.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    match text.len().checked_sub(127) {
        None => bytes.push(u8::try_from(text.len()).expect("it is short")),
        Some(mut rest) => {
            bytes.push(127);
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128).expect("it is short") | 128);
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).expect("it is short"));
        }
    }
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The fields that a request begins with.
pub(crate) fn request(method: &str, path: &str) -> Vec<u8> {
    let fields = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "x")];
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// What a client does with what it is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answers {
    /// It reads them.
    Taken,
    /// It does not.
    Left,
}

/// How often a server that takes nothing is tried.
const TRIES: u32 = 5_000;

/// A connection on which anything may be sent.
pub(crate) struct Frames {
    stream: StreamOwned<ClientConnection, TcpStream>,
}

impl Frames {
    /// Begins a connection with these settings: an identifier and a value each.
    pub(crate) fn begin(
        socket: TcpStream,
        config: &Arc<ClientConfig>,
        settings: &[(u16, u32)],
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(super::PATIENCE))?;
        socket.set_write_timeout(Some(super::PATIENCE))?;
        socket.set_nodelay(true)?;
        let mut config = ClientConfig::clone(config);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = "localhost".try_into().expect("a name");
        let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut frames = Self { stream: StreamOwned::new(session, socket) };
        let mut payload = Vec::new();
        for (identifier, value) in settings {
            payload.extend_from_slice(&identifier.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        frames.send(&[PREFACE, &frame(SETTINGS, 0, 0, &payload)].concat())?;
        Ok(frames)
    }

    /// Sends bytes. A server that reads no more is an error, after a while or at once.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends no more than the kernel takes, from here on.
    pub(crate) fn be_impatient(&mut self) {
        self.stream.sock.set_nonblocking(true).expect("it can be set");
    }

    /// Sends bytes without waiting for ever; false if the server has closed, or reads no more.
    pub(crate) fn pour(&mut self, mut bytes: &[u8], answers: Answers) -> bool {
        let mut tries = 0;
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return false,
                Ok(sent) => (bytes, tries) = (&bytes[sent..], 0),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return false,
                Err(_) if tries == TRIES => return false,
                Err(_) => {
                    tries += 1;
                    thread::yield_now();
                }
            }
            match answers {
                Answers::Taken if self.is_over() => return false,
                Answers::Taken | Answers::Left => {}
            }
        }
        true
    }

    /// Takes what has come, and says whether that was the last.
    fn is_over(&mut self) -> bool {
        let mut taken = [0; 16384];
        loop {
            match self.stream.read(&mut taken) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }

    /// The next frame: its kind, its flags, its stream and its payload; `None` at the end.
    pub(crate) fn receive(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        match self.stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the server neither answers nor closes: {error}")
            }
            Err(_) => return None,
        }
        let [a, b, c, kind, flags, rest @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).expect("it is short");
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).ok()?;
        Some((kind, flags, u32::from_be_bytes(rest), payload))
    }
}
