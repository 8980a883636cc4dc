//! `udp_paced` and `udp_flat_out`: one delta per datagram.

use std::time::Duration;

use super::{Bare, Budget, ROUNDS, Row, Unit};
use crate::{
    Result,
    arguments::Options,
    load::udp::Sender,
    numbers::{float, median, with_commas},
    sinks::Sink,
    target::{PATIENCE, Target},
    wait,
    workload::pushed_deltas,
};

/// The pace that nobody has to lose anything at.
const PACE_PER_SECOND: u32 = 100_000;

/// Datagrams that are sent flat out.
const FLAT_OUT: usize = 1_000_000;

/// Rounds of that; each takes a second or more.
const FLAT_OUT_ROUNDS: u32 = 3;

/// How long a receiver may take to own up to datagrams that the kernel gave it.
const REPORT_PATIENCE: Duration = Duration::from_secs(2);

/// A target, what sends to it, and what came of it.
struct Receiver {
    target: Target,
    sender: Sender,
    paced: Vec<Round>,
    flat_out: Vec<Round>,
}

/// What one round of sending came to.
struct Round {
    sent: u64,
    received: u64,
    cpu: Duration,
}

/// How to send.
#[derive(Clone, Copy)]
enum Way {
    Paced(Duration),
    FlatOut,
}

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut server = Receiver::start(Target::server(&options.server)?)?;
    let mut batches = Receiver::start(Target::sink(Sink::UdpBatches)?)?;
    let mut singles = Receiver::start(Target::sink(Sink::UdpSingles)?)?;
    for receiver in [&mut server, &mut batches, &mut singles] {
        // Series, code and memory are there before anything is measured.
        receiver.run(Way::Paced(options.seconds / ROUNDS))?;
    }
    for _ in 0..ROUNDS {
        for receiver in [&mut server, &mut batches, &mut singles] {
            let round = receiver.run(Way::Paced(options.seconds / ROUNDS))?;
            receiver.paced.push(round);
        }
    }
    for _ in 0..FLAT_OUT_ROUNDS {
        for receiver in [&mut server, &mut batches, &mut singles] {
            let round = receiver.run(Way::FlatOut)?;
            receiver.flat_out.push(round);
        }
    }
    let paced = [&*server.paced, &*batches.paced, &*singles.paced];
    let flat_out = [&*server.flat_out, &*batches.flat_out, &*singles.flat_out];
    let paced = rows("udp_paced", paced, Budget::None);
    let flat_out = rows("udp_flat_out", flat_out, Budget::Value(0.0));
    Ok(paced.into_iter().chain(flat_out).collect())
}

fn rows(
    workload: &'static str,
    [server, batches, singles]: [&[Round]; 3],
    loss_budget: Budget,
) -> Vec<Row> {
    let cpu = |rounds: &[Round]| median(rounds.iter().map(Round::cpu_seconds_per_delta));
    // Nothing may be lost in any round, so the worst one counts.
    let worst = |rounds: &[Round]| float(rounds.iter().map(Round::lost).max().unwrap_or_default());
    let sent = server.iter().map(|round| round.sent).max().unwrap_or_default();
    let row = |what: &str, of: &dyn Fn(&[Round]) -> f64, bare, yardstick, unit, budget| Row {
        workload,
        what: what.to_owned(),
        unit,
        pushprom: of(server),
        bare: Some(Bare { value: of(bare), yardstick }),
        budget,
    };
    let lost = format!("lost of {}, worst of {} rounds", with_commas(sent), server.len());
    vec![
        row("CPU per delta", &cpu, batches, "recvmmsg", Unit::Seconds, Budget::Ratio(1.25)),
        row("CPU per delta", &cpu, singles, "recv", Unit::Seconds, Budget::None),
        row(&lost, &worst, batches, "recvmmsg", Unit::Datagrams, loss_budget),
        row(&lost, &worst, singles, "recv", Unit::Datagrams, Budget::None),
    ]
}

impl Receiver {
    fn start(target: Target) -> Result<Self> {
        let sender = Sender::connect(target.udp()?, &pushed_deltas())?;
        Ok(Self { target, sender, paced: Vec::new(), flat_out: Vec::new() })
    }

    fn run(&mut self, way: Way) -> Result<Round> {
        // What tells the server's count costs it CPU time, so it comes before and after the clock runs.
        let received_before = self.target.received()?;
        let dropped_before = self.target.udp_queue()?.dropped;
        let cpu_before = self.target.cpu_at_rest()?;
        let sent = match way {
            Way::Paced(duration) => self.sender.send_paced(PACE_PER_SECOND, duration)?,
            Way::FlatOut => {
                self.sender.send_flat_out(FLAT_OUT)?;
                FLAT_OUT
            }
        };
        let queue = wait::until("a queue to empty", PATIENCE, || {
            let queue = self.target.udp_queue()?;
            Ok((queue.waiting == 0).then_some(queue))
        })?;
        let cpu = self.target.cpu_at_rest()?.saturating_sub(cpu_before);
        let sent = u64::try_from(sent)?;
        let dropped = queue.dropped - dropped_before;
        let received = wait::until("all datagrams to be accounted for", REPORT_PATIENCE, || {
            let received = self.target.received()? - received_before;
            Ok((received + dropped == sent).then_some(received))
        })?;
        Ok(Round { sent, received, cpu })
    }
}

impl Round {
    fn lost(&self) -> u64 {
        self.sent - self.received
    }

    /// By the deltas that arrived: what is lost costs the receiver nothing.
    fn cpu_seconds_per_delta(&self) -> f64 {
        self.cpu.as_secs_f64() / float(self.received)
    }
}
