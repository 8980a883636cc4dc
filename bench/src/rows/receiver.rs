//! A receiver of datagrams under load.

use std::time::Duration;

use super::ROUNDS;
use crate::{
    Result,
    load::udp::{Sender, Way},
    numbers::float,
    target::{PATIENCE, Target},
    wait,
};

/// How long a receiver may take to own up to datagrams that the kernel gave it.
pub(super) const REPORT_PATIENCE: Duration = Duration::from_secs(5);

/// A target, and what sends to it.
pub(super) struct Receiver {
    target: Target,
    sender: Sender,
    deltas_per_datagram: u64,
}

/// What one round of sending came to.
pub(super) struct Round {
    /// Datagrams sent.
    pub(super) sent: u64,
    /// Datagrams received, by the receiver's own count.
    received: u64,
    deltas_per_datagram: u64,
    cpu: Duration,
}

impl Receiver {
    /// A receiver of `datagrams`, in turn.
    pub(super) fn start(
        target: Target,
        datagrams: Vec<Vec<u8>>,
        deltas_per_datagram: u64,
    ) -> Result<Self> {
        let sender = Sender::connect(target.udp()?, datagrams)?;
        Ok(Self { target, sender, deltas_per_datagram })
    }

    /// What receives.
    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// Sends, and waits until every datagram is received or known to be dropped.
    pub(super) fn run(&mut self, way: Way) -> Result<Round> {
        // What tells the server's count costs it CPU time, so it comes before and after the clock runs.
        let received_before = self.received()?;
        let dropped_before = self.target.udp_queue()?.dropped;
        let cpu_before = self.target.cpu_at_rest()?;
        let sent = self.sender.send(way)?;
        let queue = wait::until("a queue to empty", PATIENCE, || {
            let queue = self.target.udp_queue()?;
            Ok((queue.waiting == 0).then_some(queue))
        })?;
        let cpu = self.target.cpu_at_rest()?.saturating_sub(cpu_before);
        let dropped = queue.dropped - dropped_before;
        let received = wait::until("all datagrams to be accounted for", REPORT_PATIENCE, || {
            let received = self.received()? - received_before;
            Ok((received + dropped == sent).then_some(received))
        })?;
        Ok(Round { sent, received, deltas_per_datagram: self.deltas_per_datagram, cpu })
    }

    /// Datagrams that the target has received: those whose deltas a server has applied, each of them.
    fn received(&mut self) -> Result<u64> {
        if !self.target.is_server() {
            return self.target.received();
        }
        let counts = self.target.counts()?;
        if counts.applied > counts.datagrams * self.deltas_per_datagram || counts.rejected > 0 {
            return Err(format!("datagrams of good deltas alone made {counts:?}").into());
        }
        Ok(counts.applied / self.deltas_per_datagram)
    }
}

/// Loads the receivers in turn, round by round; returns the rounds of each.
pub(super) fn run_in_turn<const N: usize>(
    receivers: &mut [Receiver; N],
    way: Way,
) -> Result<[Vec<Round>; N]> {
    let mut rounds = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (receiver, rounds) in receivers.iter_mut().zip(&mut rounds) {
            rounds.push(receiver.run(way)?);
        }
    }
    Ok(rounds)
}

impl Round {
    /// Datagrams lost.
    pub(super) fn lost(&self) -> u64 {
        self.sent - self.received
    }

    /// By the deltas that arrived: what is lost costs the receiver nothing.
    pub(super) fn cpu_seconds_per_delta(&self) -> f64 {
        self.cpu.as_secs_f64() / float(self.received * self.deltas_per_datagram)
    }
}
