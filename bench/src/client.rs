//! A blocking client with one connection, for what is not a load: readiness, pages, large bodies.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::{Result, http};

/// The longest silence of a server that is taken for work.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Room that is made for the first part of an answer.
const READ_BYTES: usize = 64 * 1024;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// The last answer; kept so that a page is read into memory that is there.
    answer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, answer: Vec::new() })
    }

    /// The body of a page that has to be there.
    pub(crate) fn get(&mut self, path: &str) -> Result<&[u8]> {
        self.exchange(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
    }

    /// Pushes a body that has to be taken.
    pub(crate) fn push(&mut self, body: &[u8]) -> Result<()> {
        self.exchange(&http::push_request(body)).map(|_| ())
    }

    fn exchange(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request)?;
        let mut filled = 0;
        let lengths = loop {
            if self.answer.len() < filled + READ_BYTES {
                self.answer.resize(filled + READ_BYTES, 0);
            }
            match self.stream.read(&mut self.answer[filled..])? {
                0 => return Err("the connection ended before the answer".into()),
                read => filled += read,
            }
            if let Some(lengths) = http::lengths(&self.answer[..filled]) {
                break lengths;
            }
        };
        if self.answer.len() < lengths.message() {
            self.answer.resize(lengths.message(), 0);
        }
        if filled < lengths.message() {
            self.stream.read_exact(&mut self.answer[filled..lengths.message()])?;
        }
        http::check_is_ok(&self.answer)?;
        Ok(&self.answer[lengths.head..lengths.message()])
    }
}
