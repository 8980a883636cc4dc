//! `udp_*_series`: what a delta costs where many series are held, beside what it costs where few are.

use super::{
    receiver::{Receiver, Round, run_in_turn},
    row::{Budget, Row, Unit},
};
use crate::{
    Result,
    arguments::Options,
    load::udp::Way,
    target::Target,
    workload::{Held, held_deltas, scattered},
};

/// Series of the server that holds few.
const FEW: usize = 1000;

/// Datagrams of one round. Half of the many series have their turn in it, the other half in the next.
const DATAGRAMS: u64 = 500_000;

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let many = scattered();
    let few = &many[..FEW];
    // Both send as many datagrams, which lie in memory one after the other: the sender's own caches see no
    // difference.
    let repeated: Vec<usize> = few.iter().copied().cycle().take(many.len()).collect();
    let start = |held: &[usize], sent: &[usize]| {
        let server = Target::server(&options.server)?;
        server.hold(Held::Counters, held)?;
        Receiver::start(server, held_deltas(sent), 1)
    };
    let mut receivers = [start(&many, &many)?, start(few, &repeated)?];
    let [of_many, of_few] = run_in_turn(&mut receivers, Way::FlatOut(DATAGRAMS))?;
    let cpu =
        |rounds: &[Round]| rounds.iter().map(Round::cpu_seconds_per_delta).collect::<Vec<_>>();
    let row = Row::new("udp_1m_series", "CPU per delta", Unit::Seconds, cpu(&of_many));
    Ok(vec![row.beside("pushprom, 1k series", cpu(&of_few)).within(Budget::Ratio(1.6))])
}
