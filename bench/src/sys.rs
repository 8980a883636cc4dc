//! The system calls that no safe crate of this tree offers: many datagrams in one call, both ways, a
//! receive buffer beyond the usual limit, memory past the allocator, the CPU clock of another process, its
//! orderly end, and the slack of a thread's timers.

#![expect(unsafe_code, reason = "libc has these calls in their raw form only")]

use std::{
    io, mem,
    net::UdpSocket,
    os::fd::AsRawFd,
    ptr::{self, NonNull},
    slice,
    time::Duration,
};

/// Datagrams that one call sends or receives at most.
pub(crate) const BATCH: usize = 64;

/// Room for one received datagram; those sent here are smaller.
const DATAGRAM_BYTES: usize = 2048;

/// Sends at most [`BATCH`] datagrams to the peer of a connected socket; says how many.
pub(crate) fn send_batch(socket: &UdpSocket, datagrams: &[Vec<u8>]) -> io::Result<usize> {
    let mut buffers = [NO_BUFFER; BATCH];
    let mut headers = [NO_HEADER; BATCH];
    let mut count = 0;
    for ((datagram, buffer), header) in datagrams.iter().zip(&mut buffers).zip(&mut headers) {
        // The kernel only reads what is sent.
        *buffer =
            libc::iovec { iov_base: datagram.as_ptr().cast_mut().cast(), iov_len: datagram.len() };
        header.msg_hdr.msg_iov = buffer;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    // SAFETY: the first `count` headers each point to one buffer of this frame, which points to a
    // datagram that is borrowed for the length of this function. No header names an address or control
    // data.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, 0) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Room for [`BATCH`] datagrams, laid out once.
pub(crate) struct ReceiveBatch {
    headers: Vec<libc::mmsghdr>,
    // Invariant: never touched after `new`; the headers point to the first, which points to the second.
    _buffers: Vec<libc::iovec>,
    _bytes: Vec<u8>,
}

impl ReceiveBatch {
    /// Empty room.
    pub(crate) fn new() -> Self {
        let mut bytes = vec![0; BATCH * DATAGRAM_BYTES];
        let mut buffers: Vec<libc::iovec> = bytes
            .chunks_exact_mut(DATAGRAM_BYTES)
            .map(|room| libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() })
            .collect();
        let headers = buffers
            .iter_mut()
            .map(|buffer| {
                let mut header = NO_HEADER;
                header.msg_hdr.msg_iov = buffer;
                header.msg_hdr.msg_iovlen = 1;
                header
            })
            .collect();
        Self { headers, _buffers: buffers, _bytes: bytes }
    }

    /// Waits for one datagram and takes those that are there by then; says how many.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let count = libc::c_uint::try_from(self.headers.len()).map_err(io::Error::other)?;
        let headers = self.headers.as_mut_ptr();
        let flags = libc::MSG_WAITFORONE;
        // SAFETY: there are `count` headers, each with one buffer in memory that lives as long as `self`
        // and that nothing else reads or writes. No header has room for an address or control data, so
        // the kernel changes lengths and flags alone and the layout can be used again.
        let got =
            unsafe { libc::recvmmsg(socket.as_raw_fd(), headers, count, flags, ptr::null_mut()) };
        usize::try_from(got).map_err(|_| io::Error::last_os_error())
    }
}

/// Lets the kernel hold `bytes` for the reader of a socket, beyond `net.core.rmem_max` if this process may.
pub(crate) fn ask_for_receive_buffer(socket: &UdpSocket, bytes: libc::c_int) -> io::Result<()> {
    let set = |option| {
        let length = libc::socklen_t::try_from(size_of_val(&bytes)).map_err(io::Error::other)?;
        // SAFETY: the kernel reads `length` bytes of a number that outlives the call.
        let done = unsafe {
            let value = (&raw const bytes).cast();
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, length)
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    set(libc::SO_RCVBUFFORCE).or_else(|_| set(libc::SO_RCVBUF))
}

/// Zeroed memory that nobody had before, from the kernel and not from what an allocator kept.
pub(crate) struct FreshMemory {
    start: NonNull<u8>,
    bytes: usize,
}

impl FreshMemory {
    /// Maps `bytes` of it, at least one.
    pub(crate) fn map(bytes: usize) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: the kernel chooses a place where nothing is mapped.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, bytes })
    }

    /// All of it.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: so many zeroed bytes are mapped for as long as `self` is there, which alone has them.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }
}

impl Drop for FreshMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and no slice of it outlives `self`. It cannot fail: the range is one
        // that was mapped.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

/// CPU time of all threads of a process, ended ones included. What a thread has used since it was last
/// put on a core may be missing: ask when it sleeps.
pub(crate) fn cpu_time(pid: u32) -> io::Result<Duration> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    let mut clock: libc::clockid_t = 0;
    // SAFETY: `clock` is written before the call returns and not kept.
    match unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) } {
        0 => {}
        // This one returns its error instead of setting errno.
        code => return Err(io::Error::from_raw_os_error(code)),
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is written before the call returns and not kept.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let seconds = u64::try_from(time.tv_sec).map_err(io::Error::other)?;
    let nanoseconds = u32::try_from(time.tv_nsec).map_err(io::Error::other)?;
    Ok(Duration::new(seconds, nanoseconds))
}

/// Asks a process to end, as service managers do.
pub(crate) fn terminate(pid: u32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    // SAFETY: it takes two numbers and touches no memory.
    if unsafe { libc::kill(pid, libc::SIGTERM) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Lets the calling thread wake when its sleep is over. Otherwise the kernel may put that off by 50 us, to
/// wake several threads at once.
pub(crate) fn wake_on_time() -> io::Result<()> {
    let slack_nanoseconds: libc::c_ulong = 1;
    // SAFETY: this option takes one number and touches no memory.
    match unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, slack_nanoseconds) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

const NO_BUFFER: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };

// SAFETY: the header is a C struct of integers and pointers, for which all zeros are valid.
const NO_HEADER: libc::mmsghdr = unsafe { mem::zeroed() };

#[cfg(test)]
mod tests {
    use std::{process, time::Instant};

    use super::*;

    #[test]
    fn datagrams_go_and_come_in_batches() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.connect(receiver.local_addr().unwrap()).unwrap();
        let datagrams = vec![b"delta".to_vec(); BATCH + 1];
        assert_eq!(send_batch(&sender, &datagrams).unwrap(), BATCH);
        assert_eq!(send_batch(&sender, &datagrams[..3]).unwrap(), 3);
        let mut room = ReceiveBatch::new();
        assert_eq!(room.receive(&receiver).unwrap(), BATCH);
        assert_eq!(room.receive(&receiver).unwrap(), 3);
    }

    #[test]
    fn fresh_memory_can_be_written() {
        let mut memory = FreshMemory::map(10_000).unwrap();
        assert!(memory.as_mut_slice().iter().all(|&byte| byte == 0));
        memory.as_mut_slice()[9999] = 1;
        assert_eq!(memory.as_mut_slice().last(), Some(&1));
    }

    #[test]
    fn the_cpu_clock_of_a_process_runs_while_it_works() {
        let before = cpu_time(process::id()).unwrap();
        let begun = Instant::now();
        while cpu_time(process::id()).unwrap() == before {
            assert!(begun.elapsed() < Duration::from_secs(10), "the clock stands");
        }
    }
}
