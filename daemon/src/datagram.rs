//! Datagrams in batches, and the kernel's count of those it dropped: the system calls that no safe crate
//! of this tree offers. This is the one room of the daemon with `unsafe` in it.

#![expect(
    unsafe_code,
    reason = "recvmmsg and SO_MEMINFO are to be had from libc alone, in raw form"
)]

use std::{
    fmt, io, mem,
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
    path::PathBuf,
    ptr,
};

use pushprom_core::limits::DATAGRAM_BYTES_MAX;
use socket2::{SockAddr, SockAddrStorage};

/// Datagrams that one call takes at most. With more, nothing is gained: the call itself is then a
/// sixtieth of the cost, and what it brought begins to leave the nearest cache before it is read.
const DATAGRAMS_MAX: libc::c_uint = 64;
const ROOMS: usize = DATAGRAMS_MAX as usize;

/// From the beginning of one room to that of the next. Power-of-two distances would put the beginnings of
/// all rooms, which is all of them that short datagrams use, into the same few sets of the caches, where
/// they would drive each other out. An odd number of cache lines spreads them over all sets.
const STRIDE_BYTES: usize = 65_536 + CACHE_LINE_BYTES;
const CACHE_LINE_BYTES: usize = 64;
const _: () = assert!(STRIDE_BYTES > DATAGRAM_BYTES_MAX, "a room ends before the next");
const _: () = assert!((STRIDE_BYTES / CACHE_LINE_BYTES) % 2 == 1, "an odd number of cache lines");

/// Room for a batch of datagrams, laid out once. Of its four megabytes the pages that datagrams have
/// reached take memory, and no others.
pub struct Batch {
    // Invariant: each header points to its name and its room's description, each description to its room,
    // all in the vectors below, which never grow.
    headers: Vec<libc::mmsghdr>,
    _rooms: Vec<libc::iovec>,
    names: Vec<libc::sockaddr_storage>,
    bytes: Vec<u8>,
    /// Headers, from the first on, that the kernel has written to since they were made ready.
    used: usize,
}

/// What one call brought.
pub struct Received<'a>(&'a Batch);

/// One datagram.
pub struct Datagram<'a> {
    /// What is in it.
    pub payload: Payload<'a>,
    name: &'a libc::sockaddr_storage,
    name_bytes: libc::socklen_t,
}

/// What is in a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// More than [`DATAGRAM_BYTES_MAX`]; what fitted is not worth a look.
    Cut {
        /// Bytes that were sent.
        bytes: usize,
    },
}

/// Who sent a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An IP address and port.
    Ip(SocketAddr),
    /// A unix socket with a name.
    Path(PathBuf),
    /// A unix socket without one, as most clients' are.
    Unnamed,
}

impl Batch {
    /// Empty room.
    pub fn new() -> Self {
        // Zeroed memory comes from the kernel as it is used.
        let mut bytes = vec![0; ROOMS * STRIDE_BYTES];
        let mut names = vec![NO_NAME; ROOMS];
        let begin = bytes.as_mut_ptr();
        let mut rooms: Vec<libc::iovec> = (0..ROOMS)
            .map(|index| libc::iovec {
                iov_base: begin.wrapping_add(index * STRIDE_BYTES).cast(),
                iov_len: DATAGRAM_BYTES_MAX,
            })
            .collect();
        let headers = (0..ROOMS)
            .map(|index| {
                let mut header = NO_HEADER;
                header.msg_hdr.msg_name = names.as_mut_ptr().wrapping_add(index).cast();
                header.msg_hdr.msg_namelen = NAME_BYTES;
                header.msg_hdr.msg_iov = rooms.as_mut_ptr().wrapping_add(index);
                header.msg_hdr.msg_iovlen = 1;
                header
            })
            .collect();
        Self { headers, _rooms: rooms, names, bytes, used: 0 }
    }

    /// Waits for a datagram, as long as the socket's timeout allows, and takes those that are there by
    /// then, with one system call.
    pub fn receive(&mut self, socket: impl AsFd) -> io::Result<Received<'_>> {
        for header in &mut self.headers[..self.used] {
            // The kernel wrote how much it used of each; what it says here is how much there is.
            header.msg_hdr.msg_namelen = NAME_BYTES;
            header.msg_hdr.msg_controllen = 0;
            header.msg_hdr.msg_flags = 0;
        }
        self.used = 0;
        let count = DATAGRAMS_MAX;
        let headers = self.headers.as_mut_ptr();
        // With MSG_TRUNC the length of a datagram that is cut is that which it had.
        let flags = libc::MSG_WAITFORONE | libc::MSG_TRUNC;
        let socket = socket.as_fd().as_raw_fd();
        // SAFETY: there are `count` headers. Each points to a name of NAME_BYTES and to one description of
        // DATAGRAM_BYTES_MAX bytes, in vectors that live as long as `self` and never move their elements;
        // nothing borrows from them, since `self` is borrowed mutably. No header has room for control
        // data. The kernel keeps none of the pointers.
        let got = unsafe { libc::recvmmsg(socket, headers, count, flags, ptr::null_mut()) };
        self.used = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
        Ok(Received(self))
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Received<'a> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.used
    }

    /// Bytes in all of them together, as they were sent.
    pub fn bytes(&self) -> usize {
        self.0.headers[..self.0.used].iter().map(|header| header.msg_len as usize).sum()
    }

    /// Each of them, in the order of their arrival.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'a>> {
        let Batch { headers, names, bytes, used, .. } = self.0;
        let rooms = bytes.chunks_exact(STRIDE_BYTES);
        headers[..*used].iter().zip(names).zip(rooms).map(|((header, name), room)| {
            let length = header.msg_len as usize;
            let payload = match room.get(..length) {
                Some(payload) if header.msg_hdr.msg_flags & libc::MSG_TRUNC == 0 => {
                    Payload::Whole(payload)
                }
                Some(_) | None => Payload::Cut { bytes: length },
            };
            Datagram { payload, name, name_bytes: header.msg_hdr.msg_namelen }
        })
    }
}

impl Datagram<'_> {
    /// Who sent it: looked at for a log line alone.
    pub fn peer(&self) -> Peer {
        let mut storage = SockAddrStorage::zeroed();
        // SAFETY: the type is that which the storage stands for.
        *unsafe { storage.view_as::<libc::sockaddr_storage>() } = *self.name;
        let length = self.name_bytes.min(NAME_BYTES);
        // SAFETY: the kernel wrote the address and its length. Where there is none it wrote a length of 0,
        // and what the storage holds then is zeros or the address of an earlier peer, whole either way.
        let address = unsafe { SockAddr::new(storage, length) };
        let named = || address.as_pathname().map(|path| Peer::Path(path.to_owned()));
        match length {
            0 => Peer::Unnamed,
            _ => address.as_socket().map(Peer::Ip).or_else(named).unwrap_or(Peer::Unnamed),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Path(path) => path.display().fmt(f),
            Self::Unnamed => f.write_str("unnamed"),
        }
    }
}

/// Datagrams that the kernel has dropped since the socket was opened, because there was no room for them
/// or they were damaged. It counts on from 0 after `u32::MAX`.
pub fn dropped(socket: impl AsFd) -> io::Result<u32> {
    let mut facts = [0_u32; FACTS];
    let mut length = FACTS_BYTES;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_MEMINFO);
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: there are `length` bytes for the answer, `length` says afterwards how many were written, and
    // any bytes are a valid array of integers. The kernel keeps neither pointer.
    let got = unsafe {
        libc::getsockopt(socket, level, option, facts.as_mut_ptr().cast(), &raw mut length)
    };
    match got {
        0 if length == FACTS_BYTES => Ok(facts[FACTS - 1]),
        // A kernel before 4.12 knows no such option, or one that says less.
        0 => Err(io::ErrorKind::Unsupported.into()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// How much `SO_MEMINFO` says up to `SK_MEMINFO_DROPS`, which we are after. Later kernels may say more.
const FACTS: usize = 9;
const FACTS_BYTES: libc::socklen_t = 36;
const _: () = assert!(libc::SK_MEMINFO_DROPS == 8, "the ninth fact");
const _: () = assert!(size_of::<[u32; FACTS]>() == FACTS_BYTES as usize, "facts are integers");

/// Bytes of the longest address there is.
const NAME_BYTES: libc::socklen_t = 128;
const _: () = assert!(size_of::<libc::sockaddr_storage>() == NAME_BYTES as usize, "any address");

// SAFETY: the header is a C struct of integers and pointers, for which all zeros are valid.
const NO_HEADER: libc::mmsghdr = unsafe { mem::zeroed() };

// SAFETY: the address is a C struct of integers, for which all zeros are valid.
const NO_NAME: libc::sockaddr_storage = unsafe { mem::zeroed() };

#[cfg(test)]
mod tests {
    use std::{net::UdpSocket, os::unix::net::UnixDatagram};

    use super::*;

    fn udp() -> (UdpSocket, UdpSocket) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        sender.connect(socket.local_addr().expect("it is bound")).expect("it is there");
        (socket, sender)
    }

    #[test]
    fn datagrams_come_in_batches_and_in_order() {
        let (socket, sender) = udp();
        let mut batch = Batch::new();
        let mut next = 0..;
        // Round after round: what the kernel wrote does not get in its own way.
        for _ in 0..3 {
            for number in 0..ROOMS + 3 {
                sender.send(number.to_string().as_bytes()).expect("loopback takes datagrams");
            }
            for count in [ROOMS, 3] {
                let received = batch.receive(&socket).expect("datagrams");
                assert_eq!(received.count(), count);
                let mut bytes = 0;
                for datagram in received.datagrams() {
                    let want = (next.next().expect("endless") % (ROOMS + 3)).to_string();
                    assert_eq!(datagram.payload, Payload::Whole(want.as_bytes()));
                    let peer = sender.local_addr().expect("it is bound");
                    assert_eq!(datagram.peer(), Peer::Ip(peer));
                    bytes += want.len();
                }
                assert_eq!(received.bytes(), bytes);
            }
        }
    }

    #[test]
    fn a_datagram_is_whole_or_it_is_not_shown() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let socket = UnixDatagram::bind(path("socket")).expect("a socket");
        let named = UnixDatagram::bind(path("named")).expect("a socket");
        let unnamed = UnixDatagram::unbound().expect("a socket");
        let mut batch = Batch::new();
        for length in [0, 1, DATAGRAM_BYTES_MAX, DATAGRAM_BYTES_MAX + 1, 100_000] {
            for sender in [&named, &unnamed] {
                sender.send_to(&vec![b'x'; length], path("socket")).expect("there is room");
            }
            let received = batch.receive(&socket).expect("datagrams");
            assert_eq!((received.count(), received.bytes()), (2, 2 * length));
            let want = vec![b'x'; length];
            let want = match length {
                0..=DATAGRAM_BYTES_MAX => Payload::Whole(&want),
                _ => Payload::Cut { bytes: length },
            };
            let peers = [Peer::Path(path("named")), Peer::Unnamed];
            for (datagram, peer) in received.datagrams().zip(peers) {
                assert_eq!(datagram.payload, want, "{length}");
                assert_eq!(datagram.peer(), peer, "{length}");
            }
        }
    }

    #[test]
    fn an_error_leaves_the_room_usable() {
        let (socket, sender) = udp();
        socket.set_nonblocking(true).expect("it can be");
        let mut batch = Batch::new();
        for _ in 0..2 {
            let error = batch.receive(&socket).err().expect("nothing was sent");
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            sender.send(b"x").expect("loopback takes datagrams");
            let received = batch.receive(&socket).expect("a datagram");
            assert_eq!(received.datagrams().next().expect("one").payload, Payload::Whole(b"x"));
        }
    }

    #[test]
    fn the_kernel_says_what_it_dropped() {
        let (socket, sender) = udp();
        socket2::SockRef::from(&socket).set_recv_buffer_size(1).expect("it has a minimum");
        assert_eq!(dropped(&socket).ok(), Some(0));
        for _ in 0..100 {
            sender.send(&[0; 1000]).expect("loopback takes datagrams");
        }
        socket.set_nonblocking(true).expect("it can be");
        let held = Batch::new().receive(&socket).map_or(0, |received| received.count());
        assert_eq!(usize::try_from(dropped(&socket).expect("it says")), Ok(100 - held));
        assert!(held < 100);
    }
}
