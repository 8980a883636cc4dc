//! Datagrams: a thread per socket that receives, takes in, and never ends for anything a peer does.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    thread,
    time::Duration,
};

use pushprom_core::{
    intake::{Broken, Intake},
    limits::DATAGRAM_BYTES_MAX,
};
use socket2::Type;

use super::Ingest;
use crate::{
    clock,
    config::Address,
    log::Sampler,
    shutdown::Shutdown,
    socket,
    telemetry::{Reason, Telemetry, Transport},
};

/// How long a thread waits for a datagram before it looks whether it should end. Shutdown takes at most
/// this long on an idle socket; a wake-up costs some microseconds.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How long a thread rests after an error that is not a peer's doing, so as not to spin.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Datagrams read after shutdown was requested: what the kernel held by then, but no endless stream.
const DRAIN_DATAGRAMS_MAX: usize = 100_000;

/// What the kernel is asked to hold for us while we are busy: a burst of some thousand datagrams. It
/// grants at most `net.core.rmem_max`.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Room for the longest datagram there is, IPv6 included.
const BUFFER_BYTES: usize = 65_536;
const _: () = assert!(BUFFER_BYTES > DATAGRAM_BYTES_MAX, "no datagram is cut");

/// Binds a socket; receives nothing yet.
pub fn bind(address: &Address) -> io::Result<UdpSocket> {
    let socket = socket::bind(address, Type::DGRAM)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.set_read_timeout(Some(POLL_INTERVAL))?;
    Ok(socket.into())
}

/// Starts the thread of a socket. It ends some time after `shutdown` is requested, with the kernel's
/// queue empty.
pub fn spawn(
    socket: UdpSocket,
    ingest: Arc<Ingest>,
    telemetry: Arc<Telemetry>,
    shutdown: Shutdown,
) -> io::Result<()> {
    let run = move || {
        receive_all(&socket, &ingest, &telemetry, &shutdown);
    };
    thread::Builder::new().name("udp".to_owned()).spawn(run)?;
    Ok(())
}

fn receive_all(socket: &UdpSocket, ingest: &Ingest, telemetry: &Telemetry, shutdown: &Shutdown) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut intake = Intake::default();
    while !shutdown.is_requested() {
        match socket.recv_from(&mut buffer) {
            Ok((length, peer)) => {
                let datagram = buffer.get(..length).unwrap_or_default();
                take_in(&mut intake, datagram, peer, ingest, telemetry);
            }
            Err(error) if is_timeout(&error) => {}
            Err(error) => rest_after(&error, telemetry),
        }
    }
    // What the kernel holds by now was sent before the end; nothing is waited for any more.
    if let Err(error) = socket.set_nonblocking(true) {
        tracing::warn!(%error, "datagrams that the kernel holds are lost");
        return;
    }
    for _ in 0..DRAIN_DATAGRAMS_MAX {
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else { return };
        take_in(&mut intake, buffer.get(..length).unwrap_or_default(), peer, ingest, telemetry);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// After a failed receive, which is no reason to end.
fn rest_after(error: &io::Error, telemetry: &Telemetry) {
    static SAMPLER: Sampler = Sampler::new();
    telemetry.record_receive_error();
    if let Some(suppressed) = SAMPLER.admit(clock::now().0 / 1000) {
        tracing::warn!(%error, suppressed, "receiving a datagram failed");
    }
    thread::sleep(ERROR_PAUSE);
}

fn take_in(
    intake: &mut Intake,
    datagram: &[u8],
    peer: SocketAddr,
    ingest: &Ingest,
    telemetry: &Telemetry,
) {
    telemetry.record_datagram(datagram.len());
    let now = clock::now();
    let outcome = ingest.message(intake, datagram, Transport::Udp, Broken::Salvage, now);
    let Ok(outcome) = outcome else { return };
    telemetry.record_tally(Transport::Udp, &outcome.tally);
    for (_, refusal) in outcome.refused {
        complain(telemetry, now.0 / 1000, peer, Reason::from(&refusal), &refusal);
    }
    if let Some(error) = outcome.broken {
        complain(telemetry, now.0 / 1000, peer, Reason::from(&error), &error);
    }
}

/// Logs that something in a datagram was refused, at a bounded rate. The text of a client in `error` is
/// quoted, and the layout escapes what is left: no line can be forged.
fn complain(
    telemetry: &Telemetry,
    second: u64,
    peer: SocketAddr,
    reason: Reason,
    error: &dyn std::fmt::Display,
) {
    static SAMPLER: Sampler = Sampler::new();
    match SAMPLER.admit(second) {
        Some(suppressed) => {
            let reason = reason.as_str();
            tracing::warn!(transport = "udp", %peer, reason, %error, suppressed, "delta refused");
        }
        None => telemetry.record_suppressed_line(),
    }
}
