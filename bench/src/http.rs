//! As much of HTTP as the requests and answers here need.

use crate::Result;

/// What the head of a message says of the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Bytes of the start line and the header, the empty line included.
    pub(crate) bytes: usize,
    pub(crate) body: Body,
    /// Whether the connection ends after the answer.
    pub(crate) closes: bool,
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// So many bytes.
    Bytes(usize),
    /// Chunks, up to one without bytes.
    Chunked,
}

/// The head of the message that `message` begins with, as soon as it is complete.
pub(crate) fn head(message: &[u8]) -> Option<Head> {
    let mut head = Head { bytes: 0, body: Body::Bytes(0), closes: false };
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        head.bytes += line.len();
        if line == b"\r\n" {
            return Some(head);
        }
        if let Some(value) = value(line, b"content-length:") {
            head.body = Body::Bytes(str::from_utf8(value).ok()?.parse().ok()?);
        } else if let Some(value) = value(line, b"connection:") {
            head.closes = value.eq_ignore_ascii_case(b"close");
        } else if value(line, b"transfer-encoding:") == Some(b"chunked") {
            head.body = Body::Chunked;
        }
    }
    None
}

/// The value of a header line, if it is of the name, which is in lower case and ends with the colon.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (given, value) = line.split_at_checked(name.len())?;
    given.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// The value of a header of a message whose head is complete.
pub(crate) fn header<'a>(message: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let lines = message.split_inclusive(|&byte| byte == b'\n');
    lines.take_while(|line| *line != b"\r\n").find_map(|line| value(line, name))
}

/// Whether `message` is one of a known length, from its start to its end.
pub(crate) fn is_whole(message: &[u8]) -> bool {
    head(message).is_some_and(|head| match head.body {
        Body::Bytes(body) => message.len() >= head.bytes + body,
        // Nobody who asks sends or gets such.
        Body::Chunked => false,
    })
}

/// A walk over chunks as they arrive.
#[derive(Clone, Copy, Default)]
pub(crate) struct Chunks {
    /// Where the next chunk begins in the body.
    at: usize,
}

/// What of a body has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// A chunk that is these bytes of the body.
    Chunk(usize, usize),
    /// All of it.
    All,
    /// Not the next chunk, or not all of it.
    TooLittle,
}

impl Chunks {
    /// The next of the chunks that `body` begins with.
    pub(crate) fn next_of(&mut self, body: &[u8]) -> Result<Arrived> {
        let rest = body.get(self.at..).unwrap_or_default();
        let Some(line) = rest.iter().position(|&byte| byte == b'\n') else {
            return Ok(Arrived::TooLittle);
        };
        let size = usize::from_str_radix(str::from_utf8(&rest[..line])?.trim(), 16)?;
        let begin = self.at + line + 1;
        // The end of its line.
        let next = begin + size + 2;
        if body.len() < next {
            return Ok(Arrived::TooLittle);
        }
        self.at = next;
        Ok(if size == 0 { Arrived::All } else { Arrived::Chunk(begin, begin + size) })
    }
}

/// Whether a connection is kept for other requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connections {
    Kept,
    /// Every request opens one, and asks for its end, as scripts do that end too.
    OfOneRequest,
}

/// A request to push `body`, with the headers that clients send.
pub(crate) fn push_request(body: &[u8], connections: Connections) -> Vec<u8> {
    push_request_with("", body, connections)
}

/// The same with `more` lines in its header.
pub(crate) fn push_request_with(more: &str, body: &[u8], connections: Connections) -> Vec<u8> {
    let connection = match connections {
        Connections::Kept => "",
        Connections::OfOneRequest => "Connection: close\r\n",
    };
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: pushprom-bench\r\n{connection}{more}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// An error unless the answer is a 200.
pub(crate) fn check_is_ok(answer: &[u8]) -> Result<()> {
    if answer.starts_with(b"HTTP/1.1 200 ") {
        return Ok(());
    }
    let start = answer.get(..300).unwrap_or(answer);
    Err(format!("not a 200: {}", start.escape_ascii()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_tells_its_length_once_its_head_is_complete() {
        let request = push_request(b"12345", Connections::Kept);
        let bytes = request.len() - 5;
        let want = Head { bytes, body: Body::Bytes(5), closes: false };
        assert_eq!(head(&request), Some(want));
        assert_eq!(head(&request[..bytes]), Some(want));
        assert_eq!(head(&request[..bytes - 1]), None);
        assert!(is_whole(&request) && !is_whole(&request[..bytes + 4]));
        let get = head(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(get, Head { bytes: 18, body: Body::Bytes(0), closes: false });
        assert!(head(&push_request(b"", Connections::OfOneRequest)).unwrap().closes);
    }

    #[test]
    fn headers_are_found_by_name() {
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(header(answer, b"content-encoding:"), Some(&b"gzip"[..]));
        assert_eq!(header(answer, b"content-length:"), None);
        assert_eq!(head(answer).unwrap().body, Body::Chunked);
    }

    #[test]
    fn chunks_are_told_apart_as_they_arrive() {
        let body = b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
        let mut chunks = Chunks::default();
        let mut seen = Vec::new();
        for end in 0..=body.len() {
            match chunks.next_of(&body[..end]).unwrap() {
                Arrived::TooLittle => {}
                Arrived::Chunk(from, to) => seen.extend_from_slice(&body[from..to]),
                Arrived::All => assert_eq!(end, body.len()),
            }
        }
        assert_eq!(seen, b"abc0123456789");
        assert!(Chunks::default().next_of(b"xyz\r\n").is_err());
    }
}
