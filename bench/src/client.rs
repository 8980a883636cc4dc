//! A blocking client with one connection, for what is not a load: readiness, pages, large bodies.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::{
    Result,
    http::{self, Arrived, Body, Chunks, Connections},
};

/// The longest silence of a server that is taken for work.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Room that is made at once for a part of an answer of unknown length.
const READ_BYTES: usize = 64 * 1024;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// The last answer as it came; kept so that a page is read into memory that is there.
    answer: Vec<u8>,
    filled: usize,
}

/// An answer as it came.
pub(crate) struct Answer<'a> {
    head: &'a [u8],
    rest: &'a mut [u8],
    body: Body,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, answer: Vec::new(), filled: 0 })
    }

    /// The body of a page that has to be there.
    pub(crate) fn get(&mut self, path: &str) -> Result<&[u8]> {
        self.fetch(path, "")?.body()
    }

    /// A page that has to be there, as whole lines of a header ask for it.
    pub(crate) fn fetch(&mut self, path: &str, accept: &str) -> Result<Answer<'_>> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{accept}\r\n");
        self.exchange(request.as_bytes())
    }

    /// Pushes a body that has to be taken.
    pub(crate) fn push(&mut self, body: &[u8]) -> Result<()> {
        self.exchange(&http::push_request(body, Connections::Kept)).map(|_| ())
    }

    fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request)?;
        self.filled = 0;
        let head = loop {
            self.read_some()?;
            if let Some(head) = http::head(&self.answer[..self.filled]) {
                break head;
            }
        };
        match head.body {
            Body::Bytes(body) => {
                let end = head.bytes + body;
                if self.answer.len() < end {
                    self.answer.resize(end, 0);
                }
                if self.filled < end {
                    self.stream.read_exact(&mut self.answer[self.filled..end])?;
                }
                self.filled = end;
            }
            Body::Chunked => {
                let mut chunks = Chunks::default();
                loop {
                    match chunks.next_of(&self.answer[head.bytes..self.filled])? {
                        Arrived::Chunk(..) => {}
                        Arrived::All => break,
                        Arrived::TooLittle => self.read_some()?,
                    }
                }
            }
        }
        http::check_is_ok(&self.answer)?;
        let (start, rest) = self.answer[..self.filled].split_at_mut(head.bytes);
        Ok(Answer { head: start, rest, body: head.body })
    }

    fn read_some(&mut self) -> Result<()> {
        if self.answer.len() < self.filled + READ_BYTES {
            self.answer.resize(2 * self.filled + READ_BYTES, 0);
        }
        match self.stream.read(&mut self.answer[self.filled..])? {
            0 => Err("the connection ended before the answer".into()),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }
}

impl<'a> Answer<'a> {
    /// How its body is packed, if it is.
    pub(crate) fn coding(&self) -> Option<&'a [u8]> {
        http::header(self.head, b"content-encoding:")
    }

    /// The format that its body has.
    pub(crate) fn content_type(&self) -> Option<&'a [u8]> {
        http::header(self.head, b"content-type:")
    }

    /// Its body, still packed.
    pub(crate) fn body(self) -> Result<&'a [u8]> {
        let end = match self.body {
            Body::Bytes(bytes) => bytes,
            Body::Chunked => {
                let (mut chunks, mut end) = (Chunks::default(), 0);
                while let Arrived::Chunk(from, to) = chunks.next_of(self.rest)? {
                    self.rest.copy_within(from..to, end);
                    end += to - from;
                }
                end
            }
        };
        Ok(&self.rest[..end])
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// What a client makes of an answer that is sent in two parts.
    #[track_caller]
    fn check(answer: &'static [u8], part: usize, want: &[u8]) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1000];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(&answer[..part]).unwrap();
            stream.write_all(&answer[part..]).unwrap();
        });
        assert_eq!(Client::connect(address).unwrap().get("/").unwrap(), want);
        server.join().unwrap();
    }

    #[test]
    fn bodies_are_read_to_their_end() {
        let counted = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345";
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12\r\n3\r\n345\r\n0\r\n\r\n";
        for part in [10, 40, 43] {
            check(counted, part, b"12345");
            check(chunked, part, b"12345");
        }
    }
}
