//! Scrapes without a pause, until they are stopped.

use std::{
    io::{self, Read, Write},
    mem::MaybeUninit,
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use socket2::SockRef;

use crate::{Result, http, target::PATIENCE};

/// Bytes of an answer that are read to see its status.
const START_BYTES: usize = 512;

/// Bytes that are thrown away in one call, at most.
const DISCARD_BYTES: usize = 1024 * 1024;

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A thread that scrapes.
pub(crate) struct Scrapes {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<u64>>,
}

impl Scrapes {
    /// Begins.
    pub(crate) fn start(address: SocketAddr) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut pages = 0;
            while !stopped.load(Ordering::Relaxed) {
                scrape(address)?;
                pages += 1;
            }
            Ok(pages)
        });
        Self { stop, thread }
    }

    /// Ends with the page that is under way; says how many there were.
    pub(crate) fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let pages = self.thread.join().map_err(|_| "the scraping thread panicked")?;
        Ok(pages?)
    }
}

/// Takes one page and looks at no more of it than its status. The kernel throws the rest away without
/// copying it: a scraper is another machine, and must not take the server's cores.
fn scrape(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(REQUEST)?;
    let mut start = [0; START_BYTES];
    stream.read_exact(&mut start)?;
    http::check_is_ok(&start).map_err(|error| io::Error::other(error.to_string()))?;
    let mut nowhere = vec![MaybeUninit::uninit(); DISCARD_BYTES];
    while SockRef::from(&stream).recv_with_flags(&mut nowhere, libc::MSG_TRUNC)? > 0 {}
    Ok(())
}
