//! Reads the frames of a log, from its start, and what stands behind a place where there is none.

use std::io::{self, ErrorKind, Read};

use super::frame::{self, FRAME_BYTES, HEADER_BYTES, Head, Kind, NoHeader, Place};

/// Bytes of a read.
const READ_BYTES: usize = 1 << 20;

/// Reads the frames of a log. It holds one of them in memory at a time.
pub(super) struct Reader<R> {
    input: R,
    salt: u32,
    /// Has room for what has been read, of which `from..to` has not been handed out.
    window: Vec<u8>,
    from: usize,
    to: usize,
    /// Where `from` is in the log.
    at: u64,
    /// The number of the next frame.
    number: u32,
    /// Whether all of the log has been read.
    has_ended: bool,
}

/// What comes next in a log.
pub(super) enum Next<'a> {
    /// A frame and its payload.
    Frame(Head, &'a [u8]),
    /// The end, between two frames.
    End,
    /// No frame.
    Bad,
}

/// A log whose header cannot be read.
pub(super) struct Headless<R> {
    /// Why not.
    pub(super) problem: NoHeader,
    reader: Reader<R>,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub(super) fn new(input: R) -> io::Result<Result<Self, Headless<R>>> {
        let mut reader = Self {
            input,
            salt: 0,
            window: Vec::new(),
            from: 0,
            to: 0,
            at: 0,
            number: 0,
            has_ended: false,
        };
        let header = reader.peek(HEADER_BYTES)?.first_chunk();
        let header = header.map_or(Err(NoHeader::Foreign), frame::read_header);
        reader.skip(HEADER_BYTES);
        Ok(match header {
            Ok(salt) => Ok(Self { salt, ..reader }),
            Err(problem) => Err(Headless { problem, reader }),
        })
    }

    /// The salt of the log.
    pub(super) fn salt(&self) -> u32 {
        self.salt
    }

    /// Where the next frame begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The number of the next frame.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// The next frame. Where there is none it stays.
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        if self.peek(1)?.is_empty() {
            return Ok(Next::End);
        }
        let number = self.number;
        let Some(read) = self.peek_frame()?.filter(|read| read.number == number) else {
            return Ok(Next::Bad);
        };
        self.number = number.wrapping_add(1);
        let from = self.from + FRAME_BYTES;
        self.skip(FRAME_BYTES + read.length);
        Ok(Next::Frame(read.head, self.window.get(from..self.from).unwrap_or_default()))
    }

    /// Goes to the next place from here where a frame begins, and says which; or to the end.
    pub(super) fn seek(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(read) = self.peek_frame()? {
                self.number = read.number;
                return Ok(Some(read.head));
            }
            if self.peek(1)?.is_empty() {
                return Ok(None);
            }
            self.skip(1);
        }
    }

    /// The head of the frame that begins here, if a whole one does.
    fn peek_frame(&mut self) -> io::Result<Option<frame::Read>> {
        let salt = self.salt;
        let read = self.peek(FRAME_BYTES)?.first_chunk().and_then(frame::read_head);
        let Some(read) = read.filter(|read| read.salt == salt) else { return Ok(None) };
        let frame = self.peek(FRAME_BYTES + read.length)?;
        Ok(Some(read).filter(|read| read.is_of(frame.get(FRAME_BYTES..).unwrap_or_default())))
    }

    /// So many of the bytes that follow, or all if there are fewer.
    fn peek(&mut self, bytes: usize) -> io::Result<&[u8]> {
        if self.to - self.from < bytes && !self.has_ended {
            self.make_room(bytes.max(READ_BYTES));
            self.fill()?;
        }
        let to = self.to.min(self.from + bytes);
        Ok(self.window.get(self.from..to).unwrap_or_default())
    }

    /// Moves what has not been handed out to the start of a window of so many bytes.
    fn make_room(&mut self, bytes: usize) {
        if self.window.len() < bytes {
            // Zeroes by the page from the system, where `resize` would write each.
            let mut window = vec![0; bytes];
            let held = self.window.get(self.from..self.to).unwrap_or_default();
            window.iter_mut().zip(held).for_each(|(room, byte)| *room = *byte);
            self.window = window;
        } else {
            self.window.copy_within(self.from..self.to, 0);
        }
        self.to -= self.from;
        self.from = 0;
    }

    /// Reads on until the window is full, or the log ends: in as few reads as the system allows, where `read_to_end`
    /// begins with small ones.
    fn fill(&mut self) -> io::Result<()> {
        while let Some(room) = self.window.get_mut(self.to..).filter(|room| !room.is_empty()) {
            match self.input.read(room) {
                Ok(0) => {
                    self.has_ended = true;
                    break;
                }
                Ok(more) => self.to += more,
                Err(problem) if problem.kind() == ErrorKind::Interrupted => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(())
    }

    /// Goes on, as far as has been looked.
    fn skip(&mut self, bytes: usize) {
        let bytes = bytes.min(self.to - self.from);
        self.from += bytes;
        self.at += u64::try_from(bytes).unwrap_or_default();
    }
}

impl<R: Read> Headless<R> {
    /// Reads it all the same, if a frame stands where the first one belongs. If not, the inner error says how many
    /// bytes there are.
    pub(super) fn read_on(self) -> io::Result<Result<Reader<R>, u64>> {
        let mut reader = self.reader;
        let first = reader.peek(FRAME_BYTES)?.first_chunk().and_then(frame::read_head);
        if let Some(first) = first {
            reader.salt = first.salt;
            if reader.peek_frame()?.is_some() {
                return Ok(Ok(reader));
            }
        }
        let rest = io::copy(&mut reader.input, &mut io::sink())?;
        let held = u64::try_from(reader.to - reader.from).unwrap_or(u64::MAX);
        Ok(Err(reader.at + held + rest))
    }
}

/// Whether a frame may come after the ones before: see [`Order::admit`].
#[derive(Default)]
pub(super) struct Order {
    /// The last batch that is whole; unknown before the first frame.
    pub(super) batch: Option<u64>,
    /// Whether the copy is whole.
    pub(super) is_settled: bool,
    /// Whether nothing more was to come after the last frame.
    pub(super) is_closed: bool,
    /// What goes on in the next frame.
    open: Option<(Kind, u64)>,
}

impl Order {
    /// Notes a frame; says what is wrong with its coming here.
    pub(super) fn admit(&mut self, head: Head) -> Result<(), &'static str> {
        let Head { batch, kind, place } = head;
        let is_of_present = self.batch.is_none_or(|present| batch == present);
        let is_of_next = self.batch.is_none_or(|present| batch == present + 1);
        match kind {
            Kind::Copy | Kind::Copied if self.is_settled => return Err("a second copy is there"),
            Kind::Copy | Kind::Copied if !is_of_present => return Err("a batch is missing"),
            Kind::Batch | Kind::Closed if !is_of_next => return Err("a batch is missing"),
            Kind::Copy | Kind::Copied | Kind::Batch | Kind::Closed => {}
        }
        let open = self.open.take();
        let goes_on = match place {
            Place::Whole | Place::First => open.is_none(),
            Place::Middle | Place::Last => open == Some((kind, batch)),
        };
        if !goes_on {
            return Err("a part of a batch is missing");
        }
        match place {
            Place::First | Place::Middle => self.open = Some((kind, batch)),
            Place::Whole | Place::Last => {
                self.is_settled |= kind == Kind::Copied;
                if kind != Kind::Closed {
                    self.batch = Some(batch);
                }
            }
        }
        self.is_closed = kind == Kind::Closed;
        Ok(())
    }
}
