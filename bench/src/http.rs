//! As much of HTTP as a request and an answer with a `Content-Length` need.

use crate::Result;

/// The lengths of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// Bytes of its start line and header, the empty line included.
    pub(crate) head: usize,
    /// Bytes of its body.
    pub(crate) body: usize,
}

impl Lengths {
    /// Head and body.
    pub(crate) fn message(self) -> usize {
        self.head + self.body
    }
}

/// The lengths of the message that `bytes` begin with, as soon as its head is complete.
pub(crate) fn lengths(bytes: &[u8]) -> Option<Lengths> {
    const CONTENT_LENGTH: &[u8] = b"content-length:";
    let mut lengths = Lengths { head: 0, body: 0 };
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        lengths.head += line.len();
        if line == b"\r\n" {
            return Some(lengths);
        }
        if let Some((name, value)) = line.split_at_checked(CONTENT_LENGTH.len())
            && name.eq_ignore_ascii_case(CONTENT_LENGTH)
        {
            lengths.body = str::from_utf8(value).ok()?.trim().parse().ok()?;
        }
    }
    None
}

/// A request to push `body`, with the headers that clients send.
pub(crate) fn push_request(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: pushprom-bench\r\n\
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
    fn a_message_tells_its_lengths_once_its_head_is_complete() {
        let request = push_request(b"12345");
        let head = request.len() - 5;
        assert_eq!(lengths(&request), Some(Lengths { head, body: 5 }));
        assert_eq!(lengths(&request[..head]), Some(Lengths { head, body: 5 }));
        assert_eq!(lengths(&request[..head - 1]), None);
        assert_eq!(lengths(b"GET / HTTP/1.1\r\n\r\n"), Some(Lengths { head: 18, body: 0 }));
    }
}
