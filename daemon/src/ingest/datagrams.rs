//! Datagrams: a thread per socket that receives, takes in, and never ends for anything a peer does.

use std::{fmt, io, sync::Arc, thread, time::Duration};

use pushprom_core::{
    intake::{Broken, Intake, Tally},
    limits::DATAGRAM_BYTES_MAX,
    model::Timestamp,
};
use socket2::Socket;

use super::{Arrival, Ingest};
use crate::{
    access::{Place, Principal},
    clock,
    config::Right,
    datagram::{Batch, Datagram, Payload, Peer, Received},
    live::{Live, Settings},
    log::Sampler,
    shutdown::Shutdown,
    telemetry::{DatagramTransport, Reason, Telemetry},
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
    transport: DatagramTransport,
    ingest: Arc<Ingest>,
    live: Arc<Live>,
    telemetry: Arc<Telemetry>,
    shutdown: Shutdown,
) -> io::Result<()> {
    socket.set_read_timeout(Some(POLL_INTERVAL))?;
    let receiver = Receiver { socket, transport, ingest, live, telemetry };
    let run = move || receiver.receive_all(&shutdown);
    thread::Builder::new().name(transport.as_str().to_owned()).spawn(run)?;
    Ok(())
}

/// What the thread of a socket needs.
struct Receiver {
    socket: Arc<Socket>,
    transport: DatagramTransport,
    ingest: Arc<Ingest>,
    live: Arc<Live>,
    telemetry: Arc<Telemetry>,
}

impl Receiver {
    fn receive_all(&self, shutdown: &Shutdown) {
        let (mut batch, mut intake) = (Batch::new(), Intake::default());
        while !shutdown.is_requested() {
            match batch.receive(&*self.socket) {
                Ok(received) => self.take_in(&received, &mut intake),
                // What is remembered of series that are gone is given up, though nothing comes.
                Err(error) if is_timeout(&error) => intake.forget_gone(self.ingest.registry()),
                Err(error) => self.rest_after(&error),
            }
        }
        // What the kernel holds by now was sent before the end; nothing is waited for any more.
        if let Err(error) = self.socket.set_nonblocking(true) {
            tracing::warn!(%error, "datagrams that the kernel holds are lost");
            return;
        }
        let held = self.socket.recv_buffer_size().unwrap_or_default() / DATAGRAM_BUFFER_BYTES_MIN;
        let mut left = held.max(DRAIN_DATAGRAMS);
        while left > 0 {
            let Ok(received) = batch.receive(&*self.socket) else { return };
            left = left.saturating_sub(received.count());
            self.take_in(&received, &mut intake);
        }
    }

    /// Takes in what one call brought, all of it as of one instant.
    fn take_in(&self, received: &Received<'_>, intake: &mut Intake) {
        self.telemetry.record_datagrams(self.transport, received.count(), received.bytes());
        let now = clock::now();
        let transport = self.transport.into();
        let mut tally = Tally::default();
        let settings = self.live.settings();
        for datagram in received.datagrams() {
            let message = match datagram.payload {
                Payload::Whole(message) => message,
                Payload::Cut { bytes } => {
                    self.telemetry.record_rejected(transport, Reason::Truncated);
                    self.complain(now, &datagram, &[], Reason::Truncated, &TooLong { bytes });
                    continue;
                }
            };
            let (principal, place) = self.sender(&datagram, &settings);
            if let Err(error) = principal.may(Right::Push) {
                self.telemetry.record_rejected(transport, Reason::Forbidden);
                self.complain(now, &datagram, message, Reason::Forbidden, &error);
                continue;
            }
            let arrival = Arrival {
                source: principal.source(place),
                limits: &settings.config.limits,
                transport,
                broken: Broken::Salvage,
            };
            let taken = self.ingest.message(intake, message, arrival, now);
            let Ok(outcome) = taken else {
                let failed = "pushprom failed; see its log";
                self.keep(now, &datagram, message, Reason::Panic, &failed);
                continue;
            };
            tally += outcome.tally;
            for (_, refusal) in outcome.refused {
                self.complain(now, &datagram, message, Reason::from(&refusal), &refusal);
            }
            if let Some(error) = outcome.broken {
                self.complain(now, &datagram, message, Reason::from(&error), &error);
            }
        }
        self.telemetry.record_tally(transport, &tally);
    }

    /// Who sent a datagram, and from where, if that matters.
    fn sender<'a>(
        &self,
        datagram: &Datagram<'_>,
        settings: &'a Settings,
    ) -> (&'a Principal, Place<'static>) {
        match self.transport {
            DatagramTransport::Unix => (settings.access.of_unix(), Place::Unix),
            DatagramTransport::Udp if !settings.tell_addresses() => {
                (settings.access.anonymous(), Place::Untold)
            }
            DatagramTransport::Udp => match datagram.peer() {
                Peer::Ip(peer) => {
                    (settings.access.of_address(peer.ip()), Place::Address(peer.ip()))
                }
                Peer::Path(_) | Peer::Unnamed => (settings.access.anonymous(), Place::Untold),
            },
        }
    }

    /// Keeps in mind what was refused of a datagram.
    fn keep(
        &self,
        now: Timestamp,
        datagram: &Datagram<'_>,
        message: &[u8],
        reason: Reason,
        error: &dyn fmt::Display,
    ) {
        let peer = || datagram.peer().to_string();
        self.telemetry.keep_rejection(now, self.transport.into(), peer, reason, error, message);
    }

    /// Logs that something in a datagram was refused, at a bounded rate, and keeps it in mind. The text of a
    /// client in `error` is quoted, and the layout escapes what is left: no line can be forged.
    fn complain(
        &self,
        now: Timestamp,
        datagram: &Datagram<'_>,
        message: &[u8],
        reason: Reason,
        error: &dyn fmt::Display,
    ) {
        static SAMPLER: Sampler = Sampler::new();
        match SAMPLER.admit(now.0 / 1000) {
            Some(suppressed) => {
                let (transport, reason) = (self.transport.as_str(), reason.as_str());
                let peer = datagram.peer();
                tracing::warn!(transport, %peer, reason, %error, suppressed, "delta refused");
            }
            None => self.telemetry.record_suppressed_line(),
        }
        self.keep(now, datagram, message, reason, error);
    }

    /// After a failed receive, which is no reason to end.
    fn rest_after(&self, error: &io::Error) {
        static SAMPLER: Sampler = Sampler::new();
        self.telemetry.record_receive_error(self.transport);
        if let Some(suppressed) = SAMPLER.admit(clock::now().0 / 1000) {
            let transport = self.transport.as_str();
            tracing::warn!(transport, %error, suppressed, "receiving a datagram failed");
        }
        thread::sleep(ERROR_PAUSE);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
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
