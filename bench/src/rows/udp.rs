//! `udp_*`: datagrams from one socket.

use std::time::Instant;

use super::{
    ROUNDS,
    receiver::{REPORT_PATIENCE, Receiver, Round, run_in_turn},
    row::{Budget, Row, Unit},
};
use crate::{
    Result,
    arguments::Options,
    load::udp::{Sender, Way},
    numbers::{float, with_commas},
    sinks::Sink,
    target::{Counts, PATIENCE, Target},
    wait,
    workload::{in_batches, pushed_deltas},
};

/// The pace that nobody has to lose anything at.
pub(super) const PACE_PER_SECOND: u32 = 100_000;

/// Datagrams that are sent flat out.
pub(super) const FLAT_OUT: u64 = 1_000_000;

/// Those of them that hold eight deltas each.
pub(super) const FLAT_OUT_OF_EIGHT: u64 = 200_000;

/// What a socket may hold that has no room for a burst: two or three datagrams.
const TINY_BUFFER: &str = "-udp.receive-buffer-bytes=4096";

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut rows = send_single_deltas(options)?;
    rows.extend(send_eight_deltas(options)?);
    rows.extend(overflow(options)?);
    Ok(rows)
}

/// `udp_paced` and `udp_flat_out`: one delta per datagram.
fn send_single_deltas(options: &Options) -> Result<Vec<Row>> {
    let start = |target| Receiver::start(target, pushed_deltas(), 1);
    let mut receivers = [
        start(Target::server(&options.server)?)?,
        start(Target::sink(Sink::UdpBatches)?)?,
        start(Target::sink(Sink::UdpSingles)?)?,
    ];
    let paced = Way::Paced(PACE_PER_SECOND, options.seconds / ROUNDS);
    for receiver in &mut receivers {
        // Series, code and memory are there before anything is measured.
        receiver.run(paced)?;
    }
    let mut rows = Vec::new();
    for (workload, way, loss_budget) in [
        ("udp_paced", paced, Budget::None),
        ("udp_flat_out", Way::FlatOut(FLAT_OUT), Budget::Value(0.0)),
    ] {
        let [server, batches, singles] = run_in_turn(&mut receivers, way)?;
        rows.extend([
            cpu_row(workload, &server, "recvmmsg", &batches).within(Budget::Ratio(1.25)),
            cpu_row(workload, &server, "recv", &singles),
            loss_row(workload, &server, "recvmmsg", &batches).within(loss_budget),
            loss_row(workload, &server, "recv", &singles),
        ]);
    }
    Ok(rows)
}

/// `udp_8_*`: eight deltas per datagram.
fn send_eight_deltas(options: &Options) -> Result<Vec<Row>> {
    let start = |target| Receiver::start(target, in_batches(&pushed_deltas(), 8), 8);
    let mut receivers =
        [start(Target::server(&options.server)?)?, start(Target::sink(Sink::UdpBatches)?)?];
    let paced = Way::Paced(PACE_PER_SECOND / 2, options.seconds / ROUNDS);
    for receiver in &mut receivers {
        receiver.run(paced)?;
    }
    let mut rows = Vec::new();
    for (workload, way) in
        [("udp_8_paced", paced), ("udp_8_flat_out", Way::FlatOut(FLAT_OUT_OF_EIGHT))]
    {
        let [server, batches] = run_in_turn(&mut receivers, way)?;
        rows.extend([
            cpu_row(workload, &server, "recvmmsg", &batches).within(Budget::Value(0.45e-6)),
            loss_row(workload, &server, "recvmmsg", &batches),
        ]);
    }
    Ok(rows)
}

pub(super) fn cpu_row(
    workload: &'static str,
    server: &[Round],
    yardstick: &'static str,
    bare: &[Round],
) -> Row {
    let of = |rounds: &[Round]| rounds.iter().map(Round::cpu_seconds_per_delta).collect::<Vec<_>>();
    Row::new(workload, "CPU per delta", Unit::Seconds, of(server)).beside(yardstick, of(bare))
}

/// Nothing may be lost in any round, so the worst one counts.
pub(super) fn loss_row(
    workload: &'static str,
    server: &[Round],
    yardstick: &'static str,
    bare: &[Round],
) -> Row {
    let of = |rounds: &[Round]| rounds.iter().map(|round| float(round.lost())).collect::<Vec<_>>();
    let sent = server.iter().map(|round| round.sent).max().unwrap_or_default();
    let what = format!("lost of {}, worst of {} rounds", with_commas(sent), server.len());
    Row::new(workload, what, Unit::Count, of(server)).beside(yardstick, of(bare)).at_worst()
}

/// `udp_tiny_buffer`: single deltas flat out at a socket that cannot hold them. Only what the server says of
/// itself is looked at.
fn overflow(options: &Options) -> Result<Vec<Row>> {
    let workload = "udp_tiny_buffer";
    let server = Target::server_with(&options.server, &[TINY_BUFFER])?;
    let mut sender = Sender::connect(server.udp()?, pushed_deltas())?;
    let (mut dropped, mut unaccounted) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = server.counts()?;
        let sent = sender.send(Way::FlatOut(FLAT_OUT))?;
        let after = settled(&server, before, sent)?;
        dropped.push(after.dropped - before.dropped);
        unaccounted.push(sent.abs_diff(accounted(before, after)));
    }
    if dropped.contains(&0) {
        return Err(format!("{workload}: nothing was dropped, in spite of {TINY_BUFFER}").into());
    }
    let row = |what: &str, counts: Vec<u64>, which: &str| {
        let what = format!("{what} of {}{which}", with_commas(FLAT_OUT));
        Row::new(workload, what, Unit::Count, counts.into_iter().map(float))
    };
    Ok(vec![
        row("unaccounted", unaccounted, &format!(", worst of {ROUNDS} rounds"))
            .at_worst()
            .within(Budget::Value(0.0)),
        row("dropped", dropped, ""),
    ])
}

/// What the server counts once that is all that was sent, or once it has had time enough.
fn settled(server: &Target, before: Counts, sent: u64) -> Result<Counts> {
    let begun = Instant::now();
    wait::until("a server to count", PATIENCE, || {
        let after = server.counts()?;
        let is_settled = accounted(before, after) == sent || begun.elapsed() > REPORT_PATIENCE;
        Ok(is_settled.then_some(after))
    })
}

/// Datagrams of one delta each that a server has told the fate of.
fn accounted(before: Counts, after: Counts) -> u64 {
    let all = |counts: Counts| counts.applied + counts.rejected + counts.dropped;
    all(after) - all(before)
}
