//! The bytes of a log: a header, then frames.
//!
//! ```text
//! header: "pushprom" | version u32 | salt u64 | crc u32
//! frame:  length u32 | crc u32 | batch u64 | kind u8 | payload
//! ```
//! Numbers are little-endian. `length` is that of the payload. The crc of the header is of what stands before it,
//! that of a frame of the salt and all that stands after it (CRC-32 of ISO 3309). The salt is random: what another
//! file left on the disk is no frame of this one.

use crc32fast::Hasher;

/// The version of all this.
pub(super) const VERSION: u32 = 1;

/// What a log begins with.
const MAGIC: [u8; 8] = *b"pushprom";

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 24;

/// Bytes of a frame before its payload.
pub(super) const FRAME_BYTES: usize = 17;

/// Bytes of a payload at most: what is read at once.
pub(super) const PAYLOAD_BYTES_MAX: usize = 4 << 20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A piece of a copy of all there is.
    Copy,
    /// The copy that the log begins with is whole: from here on every record is about what is known.
    Copied,
    /// A piece of a batch that goes on.
    Part,
    /// The last piece of a batch.
    Commit,
    /// Nothing more was to come.
    Closed,
}

const KINDS: [(u8, Kind); 5] =
    [(1, Kind::Copy), (2, Kind::Copied), (3, Kind::Part), (4, Kind::Commit), (5, Kind::Closed)];

/// A frame without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of the payload.
    pub(super) length: usize,
    crc: u32,
    /// The batch it belongs to; of others the one before.
    pub(super) batch: u64,
    /// What it is.
    pub(super) kind: Kind,
}

/// Bytes that are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHeader {
    /// They are something else.
    Foreign,
    /// They are that of another version.
    Version(u32),
}

/// The header of a log.
pub(super) fn header(salt: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(salt.to_le_bytes());
    let crc = crc32fast::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// The salt that a header says.
pub(super) fn read_header(bytes: &[u8; HEADER_BYTES]) -> Result<u64, NoHeader> {
    let (rest, crc) = bytes.split_at(HEADER_BYTES - 4);
    let (magic, rest) = rest.split_at(8);
    let (version, salt) = rest.split_at(4);
    if magic != MAGIC
        || u32_of(crc) != crc32fast::hash(bytes.get(..HEADER_BYTES - 4).unwrap_or(&[]))
    {
        return Err(NoHeader::Foreign);
    }
    match u32_of(version) {
        VERSION => Ok(u64_of(salt)),
        other => Err(NoHeader::Version(other)),
    }
}

/// Appends a frame to `bytes`. The payload is no longer than [`PAYLOAD_BYTES_MAX`].
pub(super) fn write(bytes: &mut Vec<u8>, salt: u64, batch: u64, kind: Kind, payload: &[u8]) {
    debug_assert!(payload.len() <= PAYLOAD_BYTES_MAX, "split by the caller");
    let code = KINDS.iter().find(|(_, other)| *other == kind).map_or(0, |(code, _)| *code);
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_le_bytes());
    bytes.extend(crc(salt, length, batch, code, payload).to_le_bytes());
    bytes.extend(batch.to_le_bytes());
    bytes.push(code);
    bytes.extend(payload);
}

/// What the first bytes of a frame say; `None` if they cannot be such.
pub(super) fn read_head(bytes: &[u8; FRAME_BYTES]) -> Option<Head> {
    let (length, rest) = bytes.split_at(4);
    let (crc, rest) = rest.split_at(4);
    let (batch, code) = rest.split_at(8);
    let length = usize::try_from(u32_of(length)).ok().filter(|it| *it <= PAYLOAD_BYTES_MAX)?;
    let kind =
        KINDS.iter().find(|(known, _)| code.first() == Some(known)).map(|(_, kind)| *kind)?;
    Some(Head { length, crc: u32_of(crc), batch: u64_of(batch), kind })
}

impl Head {
    /// Whether it is a frame of this log, with this payload.
    pub(super) fn is_of(&self, salt: u64, payload: &[u8]) -> bool {
        let code = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or(0, |(code, _)| *code);
        let length = u32::try_from(self.length).unwrap_or(u32::MAX);
        payload.len() == self.length && self.crc == crc(salt, length, self.batch, code, payload)
    }
}

fn crc(salt: u64, length: u32, batch: u64, code: u8, payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(&batch.to_le_bytes());
    hasher.update(&[code]);
    hasher.update(payload);
    hasher.finalize()
}

fn u32_of(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
