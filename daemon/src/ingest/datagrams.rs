//! Datagrams: a thread per socket that receives, takes in, and never ends for anything a peer does.

use std::{fmt, io, sync::Arc, thread, time::Duration};

use pushprom_core::{
    intake::{Broken, Intake, Tally},
    limits::DATAGRAM_BYTES_MAX,
};
use socket2::Socket;

use super::Ingest;
use crate::{
    clock,
    datagram::{Batch, Datagram, Payload, Received},
    log::Sampler,
    shutdown::Shutdown,
    telemetry::{Reason, Telemetry, Transport},
};

/// How long a thread waits for a datagram before it looks whether it should end. Shutdown takes at most
/// this long on an idle socket; a wake-up costs some microseconds.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How long a thread rests after an error that is not a peer's doing, so as not to spin.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Datagrams read after shutdown was requested, at least: what the kernel held by then, but no endless
/// stream. It is more where the receive buffer can hold more.
const DRAIN_DATAGRAMS: usize = 100_000;

/// Bytes that the kernel charges to a receive buffer for the shortest datagram, at least.
const DATAGRAM_BUFFER_BYTES_MIN: usize = 512;

/// Starts the thread of a socket. It ends some time after `shutdown` is requested, with the kernel's
/// queue empty.
pub fn spawn(
    socket: Arc<Socket>,
    ingest: Arc<Ingest>,
    telemetry: Arc<Telemetry>,
    shutdown: Shutdown,
) -> io::Result<()> {
    socket.set_read_timeout(Some(POLL_INTERVAL))?;
    let run = move || {
        receive_all(&socket, &ingest, &telemetry, &shutdown);
    };
    thread::Builder::new().name("udp".to_owned()).spawn(run)?;
    Ok(())
}

fn receive_all(socket: &Socket, ingest: &Ingest, telemetry: &Telemetry, shutdown: &Shutdown) {
    let (mut batch, mut intake) = (Batch::new(), Intake::default());
    while !shutdown.is_requested() {
        match batch.receive(socket) {
            Ok(received) => take_in_all(&received, &mut intake, ingest, telemetry),
            Err(error) if is_timeout(&error) => {}
            Err(error) => rest_after(&error, telemetry),
        }
    }
    // What the kernel holds by now was sent before the end; nothing is waited for any more.
    if let Err(error) = socket.set_nonblocking(true) {
        tracing::warn!(%error, "datagrams that the kernel holds are lost");
        return;
    }
    let held = socket.recv_buffer_size().unwrap_or_default() / DATAGRAM_BUFFER_BYTES_MIN;
    let mut left = held.max(DRAIN_DATAGRAMS);
    while left > 0 {
        let Ok(received) = batch.receive(socket) else { return };
        left = left.saturating_sub(received.count());
        take_in_all(&received, &mut intake, ingest, telemetry);
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

/// Takes in what one call brought, all of it as of one instant.
fn take_in_all(
    received: &Received<'_>,
    intake: &mut Intake,
    ingest: &Ingest,
    telemetry: &Telemetry,
) {
    telemetry.record_datagrams(received.count(), received.bytes());
    let now = clock::now();
    let second = now.0 / 1000;
    let mut tally = Tally::default();
    for datagram in received.datagrams() {
        let message = match datagram.payload {
            Payload::Whole(message) => message,
            Payload::Cut { bytes } => {
                telemetry.record_rejected(Transport::Udp, Reason::Truncated);
                complain(telemetry, second, &datagram, Reason::Truncated, &TooLong { bytes });
                continue;
            }
        };
        let outcome = ingest.message(intake, message, Transport::Udp, Broken::Salvage, now);
        let Ok(outcome) = outcome else { continue };
        tally += outcome.tally;
        for (_, refusal) in outcome.refused {
            let reason = Reason::from(&refusal);
            complain(telemetry, second, &datagram, reason, &refusal);
        }
        if let Some(error) = outcome.broken {
            complain(telemetry, second, &datagram, Reason::from(&error), &error);
        }
    }
    telemetry.record_tally(Transport::Udp, &tally);
}

/// A datagram that did not fit.
#[derive(Debug, thiserror::Error)]
#[error(
    "a datagram of {bytes} bytes is longer than the limit of {DATAGRAM_BYTES_MAX}: send fewer deltas at \
     once, or over HTTP"
)]
struct TooLong {
    bytes: usize,
}

/// Logs that something in a datagram was refused, at a bounded rate. The text of a client in `error` is
/// quoted, and the layout escapes what is left: no line can be forged.
fn complain(
    telemetry: &Telemetry,
    second: u64,
    datagram: &Datagram<'_>,
    reason: Reason,
    error: &dyn fmt::Display,
) {
    static SAMPLER: Sampler = Sampler::new();
    match SAMPLER.admit(second) {
        Some(suppressed) => {
            let (peer, reason) = (datagram.peer(), reason.as_str());
            tracing::warn!(transport = "udp", %peer, reason, %error, suppressed, "delta refused");
        }
        None => telemetry.record_suppressed_line(),
    }
}
