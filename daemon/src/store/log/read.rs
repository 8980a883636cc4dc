//! A log, read from its start, and judged where it ends.

use std::io::{self, Read};

use super::frame::{self, FRAME_BYTES, HEADER_BYTES, Head, Kind, NoHeader, PAYLOAD_BYTES_MAX};

/// Reads the frames of a log.
pub(super) struct Reader<R> {
    input: R,
    salt: u64,
    /// Bytes read as whole frames.
    at: u64,
}

/// What comes next in a log.
pub(super) enum Next {
    /// A frame and its payload.
    Frame(Head, Vec<u8>),
    /// The end, between two frames.
    End,
    /// No frame.
    Bad,
}

impl<R: Read> Reader<R> {
    /// Reads the header; the inner error says why it is none.
    pub(super) fn new(mut input: R) -> io::Result<Result<Self, NoHeader>> {
        let mut header = [0; HEADER_BYTES];
        if fill(&mut input, &mut header)? < HEADER_BYTES {
            return Ok(Err(NoHeader::Foreign));
        }
        let at = u64::try_from(HEADER_BYTES).unwrap_or_default();
        Ok(frame::read_header(&header).map(|salt| Self { input, salt, at }))
    }

    /// The salt of the header.
    pub(super) fn salt(&self) -> u64 {
        self.salt
    }

    /// Where the next frame begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next frame. After what is no frame there is nothing more to ask for but [`Self::later_batch`].
    pub(super) fn next(&mut self) -> io::Result<Next> {
        let mut head = [0; FRAME_BYTES];
        match fill(&mut self.input, &mut head)? {
            0 => return Ok(Next::End),
            FRAME_BYTES => {}
            _ => return Ok(Next::Bad),
        }
        let Some(head) = frame::read_head(&head) else { return Ok(Next::Bad) };
        let mut payload = vec![0; head.length];
        if fill(&mut self.input, &mut payload)? < head.length || !head.is_of(self.salt, &payload) {
            return Ok(Next::Bad);
        }
        self.at += u64::try_from(FRAME_BYTES + payload.len()).unwrap_or_default();
        Ok(Next::Frame(head, payload))
    }
}

/// Looks through what follows a place where no frame is for one of a batch after `batch`: that was written when
/// all before it was on disk, so something has been damaged since. `input` stands one byte after that place.
/// Returns the first such batch.
pub(super) fn later_batch(mut input: impl Read, salt: u64, batch: u64) -> io::Result<Option<u64>> {
    let (mut window, mut from) = (Vec::new(), 0);
    let most = FRAME_BYTES + PAYLOAD_BYTES_MAX;
    loop {
        if window.len() - from < most {
            window.drain(..from);
            from = 0;
            let mut more = vec![0; most];
            let got = fill(&mut input, &mut more)?;
            window.extend(more.get(..got).unwrap_or_default());
        }
        let rest = window.get(from..).unwrap_or_default();
        let Some((head, after)) = rest.split_first_chunk() else { return Ok(None) };
        if let Some(head) = frame::read_head(head)
            && head.batch > batch
            && after.get(..head.length).is_some_and(|payload| head.is_of(salt, payload))
        {
            return Ok(Some(head.batch));
        }
        from += 1;
    }
}

/// Reads until the buffer is full or the input ends; says how many bytes there were.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Whether a frame may come after the ones before: see [`Order::admit`].
pub(super) struct Order {
    /// The batch that is whole, or was before the copy.
    pub(super) batch: Option<u64>,
    /// Whether the copy is whole.
    pub(super) is_settled: bool,
}

impl Order {
    /// At the start of a log.
    pub(super) fn new() -> Self {
        Self { batch: None, is_settled: false }
    }

    /// Notes a frame; says what is wrong with its coming here.
    pub(super) fn admit(&mut self, head: Head) -> Result<(), &'static str> {
        let follows = |batch: Option<u64>| batch.is_none_or(|batch| head.batch == batch + 1);
        match head.kind {
            Kind::Copy if self.is_settled => Err("a piece of a copy comes after the copy"),
            Kind::Copied if self.is_settled => Err("a second copy"),
            Kind::Copied if self.batch.is_some_and(|batch| batch != head.batch) => {
                Err("a batch is missing")
            }
            Kind::Copied => {
                self.is_settled = true;
                self.batch = Some(head.batch);
                Ok(())
            }
            Kind::Part | Kind::Commit if !follows(self.batch) => Err("a batch is missing"),
            Kind::Commit => {
                self.batch = Some(head.batch);
                Ok(())
            }
            Kind::Copy | Kind::Part | Kind::Closed => Ok(()),
        }
    }
}
