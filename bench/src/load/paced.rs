//! Pushes at a pace that nobody has to hurry at, whoever answers late: it is the latency that counts.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    http::{self, Connections},
    sys,
    target::PATIENCE,
};

/// Connections, each with a thread of its own that sleeps, writes and reads.
const CONNECTIONS: u32 = 16;

/// Requests a second over all connections.
pub(crate) const PER_SECOND: u32 = 2000;

/// Until all threads are there, so that none is late from the start.
const LEAD: Duration = Duration::from_millis(50);

/// Room for one answer.
const ANSWER_BYTES: usize = 4096;

/// Pushes `messages`, one per request, for `duration`; returns the nanoseconds from when each request was
/// due to its answer, in order of size. A request that waits for the answer to the one before it is late,
/// and that is part of its time.
pub(crate) fn push(
    address: SocketAddr,
    messages: &[Vec<u8>],
    duration: Duration,
) -> Result<Vec<u64>> {
    let requests: Vec<Vec<u8>> =
        messages.iter().map(|body| http::push_request(body, Connections::Kept)).collect();
    let begin = Instant::now() + LEAD;
    let gap = Duration::from_secs(1) * CONNECTIONS / PER_SECOND;
    let push_on = |connection: u32| {
        let first = begin + gap * connection / CONNECTIONS;
        let own = requests.iter().cycle().skip(usize::try_from(connection).unwrap_or_default());
        push_at(address, own, (first, gap), begin + duration)
    };
    let mut latencies = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..CONNECTIONS).map(|connection| scope.spawn(move || push_on(connection))).collect();
        let results = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a pushing thread panicked")))
        });
        results.collect::<io::Result<Vec<_>>>()
    })?
    .concat();
    latencies.sort_unstable();
    Ok(latencies)
}

fn push_at<'a>(
    address: SocketAddr,
    requests: impl Iterator<Item = &'a Vec<u8>>,
    (first, gap): (Instant, Duration),
    end: Instant,
) -> io::Result<Vec<u64>> {
    sys::wake_on_time()?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut latencies = Vec::new();
    let mut due = first;
    for request in requests {
        if due >= end {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        stream.write_all(request)?;
        await_answer(&mut stream)?;
        latencies.push(u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX));
        due += gap;
    }
    Ok(latencies)
}

fn await_answer(stream: &mut TcpStream) -> io::Result<()> {
    let mut answer = [0; ANSWER_BYTES];
    let mut filled = 0;
    while !http::is_whole(&answer[..filled]) {
        match stream.read(&mut answer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    http::check_is_ok(&answer[..filled]).map_err(|error| io::Error::other(error.to_string()))
}
