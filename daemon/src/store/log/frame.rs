//! The bytes of a log: a header, then frames.
//!
//! ```text
//! header: "pushprom" | version u32 | salt u32 | crc u32
//! frame:  length u32 | number u32 | batch u64 | kind u8 | crc u32 | check u32 | payload
//! ```
//! Numbers are little-endian. `number` counts the frames of the log from 0 on, so that none is missing or there twice
//! unnoticed. `length` is that of the payload, `crc` that of the payload, and `check` the crc of all
//! of the frame that stands before it, with the salt added by exclusive or; the crc of the header is of what stands
//! before it (CRC-32 of ISO 3309). The salt is random: what another file left on the disk is no frame of this one,
//! and no client can have bytes look like one. It follows from any frame too, should the header be damaged.

/// The version of all this.
pub(super) const VERSION: u32 = 1;

/// What a log begins with.
const MAGIC: [u8; 8] = *b"pushprom";

/// Bytes of a header.
pub(in crate::store) const HEADER_BYTES: usize = 20;

/// Bytes of a frame before its payload.
pub(in crate::store) const FRAME_BYTES: usize = 25;

/// Bytes of those that `check` is of.
const CHECKED_BYTES: usize = FRAME_BYTES - 4;

/// Bytes of a payload at most: what is read at once.
pub(super) const PAYLOAD_BYTES_MAX: usize = 4 << 20;

/// More batches than there ever are.
const BATCH_MAX: u64 = u64::MAX >> 1;

/// What a frame is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A piece of a copy of all there is.
    Copy,
    /// Nothing: the copy that the log begins with is whole. From here on every record is about what is known.
    Copied,
    /// A batch.
    Batch,
    /// Nothing: no more was to come.
    Closed,
}

const KINDS: [(u8, Kind); 4] =
    [(1, Kind::Copy), (2, Kind::Copied), (3, Kind::Batch), (4, Kind::Closed)];

/// How much of it a frame has. What is longer than a payload may be is cut anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// All.
    Whole,
    /// The beginning; the next frame goes on.
    First,
    /// Neither the beginning nor the end.
    Middle,
    /// The end.
    Last,
}

const PLACES: [(u8, Place); 4] =
    [(0, Place::Whole), (0x10, Place::First), (0x20, Place::Middle), (0x30, Place::Last)];

/// What a frame is, apart from its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The batch it belongs to; of what belongs to a copy the one before, of [`Kind::Closed`] the one after.
    pub(super) batch: u64,
    /// What it is of.
    pub(super) kind: Kind,
    /// How much of that it has.
    pub(super) place: Place,
}

/// A head that has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// How many frames stand before it; after 2^32 it begins anew.
    pub(super) number: u32,
    /// What the frame is.
    pub(super) head: Head,
    /// The salt of its log.
    pub(super) salt: u32,
    /// Bytes of the payload.
    pub(super) length: usize,
    crc: u32,
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
pub(super) fn header(salt: u32) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(salt.to_le_bytes());
    let crc = crc32fast::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// The salt that a header says.
pub(super) fn read_header(bytes: &[u8; HEADER_BYTES]) -> Result<u32, NoHeader> {
    let (checked, crc) = bytes.split_at(HEADER_BYTES - 4);
    let (magic, rest) = checked.split_at(8);
    let (version, salt) = rest.split_at(4);
    if magic != MAGIC || u32_of(crc) != crc32fast::hash(checked) {
        return Err(NoHeader::Foreign);
    }
    match u32_of(version) {
        VERSION => Ok(u32_of(salt)),
        other => Err(NoHeader::Version(other)),
    }
}

/// Appends a frame to `bytes`. The payload is no longer than [`PAYLOAD_BYTES_MAX`].
pub(super) fn write(bytes: &mut Vec<u8>, salt: u32, number: u32, head: Head, payload: &[u8]) {
    debug_assert!(payload.len() <= PAYLOAD_BYTES_MAX, "split by the caller");
    let begin = bytes.len();
    bytes.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(head.batch.to_le_bytes());
    bytes.push(head.code());
    bytes.extend(crc32fast::hash(payload).to_le_bytes());
    let check = crc32fast::hash(bytes.get(begin..).unwrap_or_default()) ^ salt;
    bytes.extend(check.to_le_bytes());
    bytes.extend(payload);
}

/// What the first bytes of a frame say; `None` if they cannot be such.
pub(super) fn read_head(bytes: &[u8; FRAME_BYTES]) -> Option<Read> {
    let (length, rest) = bytes.split_at(4);
    let (number, rest) = rest.split_at(4);
    let (batch, rest) = rest.split_at(8);
    let (code, rest) = rest.split_at(1);
    let (crc, check) = rest.split_at(4);
    let length = usize::try_from(u32_of(length)).ok().filter(|it| *it <= PAYLOAD_BYTES_MAX)?;
    let batch = Some(u64_of(batch)).filter(|it| *it <= BATCH_MAX)?;
    let (kind, place) = parts_of(*code.first()?)?;
    let salt = crc32fast::hash(bytes.get(..CHECKED_BYTES)?) ^ u32_of(check);
    let (number, head) = (u32_of(number), Head { batch, kind, place });
    Some(Read { number, head, salt, length, crc: u32_of(crc) })
}

impl Head {
    fn code(self) -> u8 {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or(0, |(code, _)| *code);
        let places = PLACES.iter().find(|(_, place)| *place == self.place);
        kind | places.map_or(0, |(code, _)| *code)
    }
}

fn parts_of(code: u8) -> Option<(Kind, Place)> {
    let (_, kind) = KINDS.iter().find(|(it, _)| *it == code & 0x0f)?;
    let (_, place) = PLACES.iter().find(|(it, _)| *it == code & 0xf0)?;
    Some((*kind, *place))
}

impl Read {
    /// Whether this is the payload.
    pub(super) fn is_of(&self, payload: &[u8]) -> bool {
        payload.len() == self.length && self.crc == crc32fast::hash(payload)
    }
}

fn u32_of(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
