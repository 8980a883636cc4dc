//! Bodies that come compressed.

use std::{
    io::{self, Read},
    mem,
};

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status, bufread::MultiGzDecoder};
use hyper::{HeaderMap, header::CONTENT_ENCODING};
use zstd::stream::read::Decoder as ZstdDecoder;

/// The codings that we have, as `Accept-Encoding` lists them.
pub(super) const CODINGS: &str = "gzip, deflate, zstd";

/// The window that a zstd decoder may take up, as a power of two: 8 MiB, which RFC 9659 asks all to have
/// and none to exceed.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Bytes made room for at first. It doubles from there up to the limit.
const ROOM_BYTES: usize = 16 * 1024;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    Plain,
    /// As gzip, in one member or several (RFC 1952).
    Gzip,
    /// In the zlib format (RFC 1950), which HTTP calls deflate.
    Deflate,
    /// As zstd, in one frame or several (RFC 8878).
    Zstd,
}

/// A body is packed in a way that we do not have, or more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsupported;

/// Why a body could not be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnpackError {
    /// Unpacked, it is longer than the limit.
    TooLong,
    /// It is not what `Content-Encoding` says, not to its end, or there is something behind that.
    Corrupt(Packing),
}

impl Packing {
    /// What the headers of a request say (RFC 9110, 8.4). Names are those of its register, in any case.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Unsupported> {
        let mut found = Self::Plain;
        for value in headers.get_all(CONTENT_ENCODING) {
            for name in value.to_str().map_err(|_| Unsupported)?.split(',').map(str::trim) {
                let is = |known: &str| name.eq_ignore_ascii_case(known);
                let packing = if is("gzip") || is("x-gzip") {
                    Self::Gzip
                } else if is("deflate") {
                    Self::Deflate
                } else if is("zstd") {
                    Self::Zstd
                } else if is("identity") || name.is_empty() {
                    continue;
                } else {
                    return Err(Unsupported);
                };
                if mem::replace(&mut found, packing) != Self::Plain {
                    return Err(Unsupported);
                }
            }
        }
        Ok(found)
    }

    /// As `Content-Encoding` has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }
}

/// How a zstd frame to be skipped begins whose number is that of a bracket (RFC 8878, 3.1.2).
const SKIPPABLE: [u8; 4] = [b'[', 0x2a, 0x4d, 0x18];

/// Unpacks a body of `limit` bytes at most. Memory is taken for what comes, not for what is announced.
///
/// What begins as a message does is taken for one: the original did not look at the header. Of packed
/// bodies only zstd's can begin so, with a frame to be skipped.
pub(super) fn unpack(body: Bytes, packing: Packing, limit: usize) -> Result<Bytes, UnpackError> {
    let is_message =
        matches!(body.first(), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'{' | b'['));
    if is_message && !body.starts_with(&SKIPPABLE) {
        return Ok(body);
    }
    let unpacked = match packing {
        Packing::Plain => return Ok(body),
        Packing::Gzip => read(MultiGzDecoder::new(&*body), limit),
        Packing::Deflate => read(Zlib::new(&body), limit),
        Packing::Zstd => ZstdDecoder::with_buffer(&*body).and_then(|mut decoder| {
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            read(decoder, limit)
        }),
    };
    match unpacked {
        Ok(Some(message)) => Ok(message.into()),
        Ok(None) => Err(UnpackError::TooLong),
        Err(_) => Err(UnpackError::Corrupt(packing)),
    }
}

/// Reads to the end; `None` if that is beyond the limit.
fn read(mut decoder: impl Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut room = Vec::new();
    let mut length = 0;
    loop {
        if length == room.len() {
            // A byte more than the limit tells that there is more.
            let larger = (2 * length).max(ROOM_BYTES).min(limit + 1);
            room.reserve_exact(larger - length);
            room.resize(larger, 0);
        }
        match decoder.read(&mut room[length..])? {
            0 => break,
            more => length += more,
        }
        if length > limit {
            return Ok(None);
        }
    }
    room.truncate(length);
    Ok(Some(room))
}

/// Reads the zlib format. The reader of `flate2` takes a stream that breaks off for one that ends.
struct Zlib<'a> {
    inflate: Decompress,
    left: &'a [u8],
    ended: bool,
}

impl<'a> Zlib<'a> {
    fn new(packed: &'a [u8]) -> Self {
        Self { inflate: Decompress::new(true), left: packed, ended: false }
    }
}

impl Read for Zlib<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(self.left, room, FlushDecompress::None)?;
        let since = |now: u64, then: u64| usize::try_from(now - then).unwrap_or(usize::MAX);
        let (taken, given) =
            (since(self.inflate.total_in(), taken), since(self.inflate.total_out(), given));
        self.left = self.left.get(taken..).unwrap_or_default();
        match status {
            Status::StreamEnd if self.left.is_empty() => self.ended = true,
            Status::StreamEnd => return Err(io::ErrorKind::InvalidData.into()),
            // There is always room, so that nothing came because nothing is left.
            Status::Ok | Status::BufError if given == 0 => {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Status::Ok | Status::BufError => {}
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };
    use hyper::header::HeaderValue;
    use zstd::stream::write::Encoder as ZstdEncoder;

    use super::*;

    const PACKINGS: [Packing; 3] = [Packing::Gzip, Packing::Deflate, Packing::Zstd];

    fn pack(text: &[u8], packing: Packing) -> Vec<u8> {
        let packed = match packing {
            Packing::Plain => Ok(text.to_vec()),
            Packing::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(text).and_then(|()| encoder.finish())
            }
            Packing::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(text).and_then(|()| encoder.finish())
            }
            Packing::Zstd => ZstdEncoder::new(Vec::new(), 1).and_then(|mut encoder| {
                // Only with a checksum, which a frame need not have, is damage found out.
                encoder.include_checksum(true)?;
                encoder.write_all(text)?;
                encoder.finish()
            }),
        };
        packed.expect("memory takes it")
    }

    #[track_caller]
    fn check(packed: &[u8], packing: Packing, limit: usize, want: Result<&[u8], UnpackError>) {
        let got = unpack(Bytes::copy_from_slice(packed), packing, limit);
        assert!(got.as_deref() == want.as_deref(), "{packing:?}: {got:?}");
    }

    #[test]
    fn the_header_names_one_coding() {
        for (values, want) in [
            (&[][..], Ok(Packing::Plain)),
            (&["identity"], Ok(Packing::Plain)),
            (&["", " , "], Ok(Packing::Plain)),
            (&["gzip"], Ok(Packing::Gzip)),
            (&[" X-GZip "], Ok(Packing::Gzip)),
            (&["identity, Deflate"], Ok(Packing::Deflate)),
            (&["identity", "zstd"], Ok(Packing::Zstd)),
            (&["br"], Err(Unsupported)),
            (&["gzip;q=1"], Err(Unsupported)),
            (&["gzip, gzip"], Err(Unsupported)),
            (&["gzip", "zstd"], Err(Unsupported)),
            (&["gz\u{fc}p"], Err(Unsupported)),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = HeaderValue::from_str(value).expect("a header");
                headers.append(CONTENT_ENCODING, value);
            }
            assert_eq!(Packing::of(&headers), want, "{values:?}");
        }
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        for packing in PACKINGS {
            for length in [0, 1, ROOM_BYTES - 1, ROOM_BYTES, ROOM_BYTES + 1, 1_000_000] {
                let text: Vec<u8> = (0..=255).cycle().take(length).collect();
                let packed = pack(&text, packing);
                check(&packed, packing, length, Ok(&text));
                check(&packed, packing, length + 1, Ok(&text));
                if let Some(limit) = length.checked_sub(1) {
                    check(&packed, packing, limit, Err(UnpackError::TooLong));
                }
            }
        }
    }

    #[test]
    fn what_is_broken_off_or_followed_by_something_is_refused() {
        let text = b"{\"type\":\"counter\"}".repeat(100);
        for packing in PACKINGS {
            let packed = pack(&text, packing);
            let corrupt = Err(UnpackError::Corrupt(packing));
            for length in 1..packed.len() {
                check(&packed[..length], packing, 10_000, corrupt);
            }
            for garbage in [&b"x"[..], b"\0\0\0\0", b"{}"] {
                check(&[&packed, garbage].concat(), packing, 10_000, corrupt);
            }
            let mut damaged = packed.clone();
            damaged[packed.len() / 2] ^= 0x10;
            check(&damaged, packing, 10_000, corrupt);
            check(b"garbage", packing, 10_000, corrupt);
        }
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(&text).expect("memory takes it");
        let raw = raw.finish().expect("memory takes it");
        check(&raw, Packing::Deflate, 10_000, Err(UnpackError::Corrupt(Packing::Deflate)));
    }

    #[test]
    fn several_members_or_frames_are_one_body() {
        for packing in [Packing::Gzip, Packing::Zstd] {
            let packed = [pack(b"first", packing), pack(b", second", packing)].concat();
            check(&packed, packing, 13, Ok(b"first, second"));
            check(&packed, packing, 12, Err(UnpackError::TooLong));
        }
    }

    #[test]
    fn what_looks_like_a_message_is_one() {
        for packing in PACKINGS {
            for message in [&b"{\"type\":1}"[..], b"[]", b" \n{}", b""] {
                check(message, packing, 100, Ok(message));
            }
        }
    }

    #[test]
    fn a_window_has_a_limit() {
        for (window_log, want) in [(23, true), (24, false)] {
            let mut encoder = ZstdEncoder::new(Vec::new(), 1).expect("an encoder");
            encoder.window_log(window_log).expect("zstd can do more");
            // Not all at once: then the window would be no longer than the text.
            encoder.write_all(b"text").expect("memory takes it");
            encoder.flush().expect("memory takes it");
            let packed = encoder.finish().expect("memory takes it");
            let got = unpack(packed.into(), Packing::Zstd, 100);
            assert_eq!(got.is_ok(), want, "{window_log}: {got:?}");
        }
    }
}
