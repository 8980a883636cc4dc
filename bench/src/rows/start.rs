//! `start_empty`: from nothing to the first answer.

use super::row::{Budget, Row, Unit};
use crate::{Result, arguments::Options, sinks::Sink, target::Target};

/// More than of other workloads: one takes milliseconds.
const ROUNDS: usize = 11;

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let (mut server, mut sink) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        server.push(Target::server(&options.server)?.start_took().as_secs_f64());
        sink.push(Target::sink(Sink::Http)?.start_took().as_secs_f64());
    }
    let what = "spawn to the first 200 of /-/ready";
    let row = Row::new("start_empty", what, Unit::Seconds, server);
    Ok(vec![row.beside("epoll responder", sink).within(Budget::Value(0.030))])
}
