//! `attack_*`: a label of ever new values, against a limit of series. Nothing of it is lost.

use std::{thread, time::Instant};

use super::row::{Budget, Row, Unit};
use crate::{
    Result,
    arguments::Options,
    client::Client,
    load::udp::{Sender, Way},
    numbers::{float, float_len, with_commas},
    target::{Counts, PATIENCE, Target},
    wait,
    workload::{ATTACK_NAME, attack_messages},
};

/// Series that the server may hold.
const LIMIT: usize = 100_000;

/// Different series that are sent over each of UDP and HTTP.
const SERIES: usize = 10_000_000;

/// Of these so many are written at a time; then they are sent.
const PIECE: usize = 400_000;

const DELTAS_PER_DATAGRAM: usize = 8;
const DELTAS_PER_BODY: usize = 100;

/// What the server may hold, all in: the series within the limit, and what receiving and a page take.
const RESIDENT_MAX: Budget = Budget::Value(200e6);

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let server = Target::server_with(&options.server, &[&format!("-series.limit={LIMIT}")])?;
    let empty = server.resident_bytes()?;
    let mut rows = Vec::new();
    for (workload, first, send) in
        [("attack_udp", 0, send_datagrams as Send), ("attack_http", SERIES, send_bodies as Send)]
    {
        let before = server.cpu_at_rest()?;
        let mut resident_max = 0;
        for start in (first..first + SERIES).step_by(PIECE) {
            send(&server, start)?;
            resident_max = resident_max.max(server.resident_bytes()?);
        }
        let cpu = server.cpu_at_rest()?.saturating_sub(before).as_secs_f64();
        let what = format!("of {} new series", with_commas(u64::try_from(SERIES)?));
        rows.extend([
            Row::new(
                workload,
                format!("CPU per delta {what}"),
                Unit::Seconds,
                [cpu / float_len(SERIES)],
            ),
            Row::new(
                workload,
                format!("resident bytes at most {what}"),
                Unit::Bytes,
                [float(resident_max)],
            )
            .beside("pushprom, empty", [float(empty)])
            .within(RESIDENT_MAX),
        ]);
    }
    rows.extend(check_page(&server)?);
    Ok(rows)
}

type Send = fn(&Target, usize) -> Result<()>;

/// Eight deltas a datagram, flat out, and a look whether all have come.
fn send_datagrams(server: &Target, start: usize) -> Result<()> {
    let before = server.counts()?;
    let datagrams = attack_messages(start..start + PIECE, DELTAS_PER_DATAGRAM);
    let sent = u64::try_from(datagrams.len())?;
    Sender::connect(server.udp()?, datagrams)?.send(Way::FlatOut(sent))?;
    let counts = wait::until("all datagrams to be counted", PATIENCE, || {
        let Counts { datagrams, dropped, .. } = server.counts()?;
        let counted = datagrams + dropped - before.datagrams - before.dropped;
        Ok((counted >= sent).then_some(server.counts()?))
    })?;
    let lost = (counts.dropped - before.dropped) * u64::try_from(DELTAS_PER_DATAGRAM)?;
    let taken = counts.applied - before.applied;
    let refused = counts.rejected - before.rejected;
    if taken + lost != u64::try_from(PIECE)? || refused > 0 {
        return Err(format!("{taken} taken, {refused} refused, {lost} dropped of {PIECE}").into());
    }
    Ok(())
}

/// A hundred deltas a body, each of which has to be taken, over two connections.
fn send_bodies(server: &Target, start: usize) -> Result<()> {
    let address = server.http()?;
    let half = PIECE / 2;
    let push = |start: usize| {
        let bodies = attack_messages(start..start + half, DELTAS_PER_BODY);
        let pushed = Client::connect(address)
            .and_then(|mut client| bodies.iter().try_for_each(|body| client.push(body)));
        pushed.map_err(|error| error.to_string())
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| push(start + half));
        push(start)?;
        other.join().map_err(|_| "a sender panicked".to_owned())?
    })?;
    Ok(())
}

/// The page is whole: its series are as many as there may be, and their sum is what was taken.
fn check_page(server: &Target) -> Result<Vec<Row>> {
    let mut client = server.client()?;
    let begun = Instant::now();
    let page = str::from_utf8(client.get("/metrics")?)?;
    let took = begun.elapsed().as_secs_f64();
    let (mut series, mut sum) = (0, 0.0);
    for line in page.lines().filter(|line| line.starts_with(ATTACK_NAME)) {
        let value = line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
        sum += value.ok_or_else(|| format!("{line} has no value"))?;
        series += 1;
    }
    let applied = page
        .lines()
        .filter_map(|line| line.strip_prefix(r#"pushprom_deltas_applied_total{kind="counter","#))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum::<f64>();
    // One more takes what is too many.
    if series != LIMIT + 1 {
        return Err(format!("the page has {series} series").into());
    }
    Ok(vec![
        Row::new("attack", "time of the page after it", Unit::Seconds, [took]),
        Row::new("attack", "deltas missing in the sum of the page", Unit::Count, [applied - sum])
            .within(Budget::Value(0.0)),
    ])
}
