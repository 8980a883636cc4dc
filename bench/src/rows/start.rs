//! `start_empty`: from nothing to the first answer.

use super::{Bare, Budget, Row, Unit};
use crate::{Result, arguments::Options, numbers::median, sinks::Sink, target::Target};

const STARTS: usize = 11;

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let (mut server, mut sink) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        server.push(Target::server(&options.server)?.start_took().as_secs_f64());
        sink.push(Target::sink(Sink::Http)?.start_took().as_secs_f64());
    }
    Ok(vec![Row {
        workload: "start_empty",
        what: "spawn to the first 200 of /-/ready".to_owned(),
        unit: Unit::Seconds,
        pushprom: median(server),
        bare: Some(Bare { value: median(sink), yardstick: "epoll responder" }),
        budget: Budget::Value(0.030),
    }])
}
