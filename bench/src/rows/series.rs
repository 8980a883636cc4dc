//! `hold_*_series` and `scrape_*_series`: many series, what they weigh and what a page of them costs.

use std::{hint, process, time::Instant};

use super::{Bare, Budget, Row, Unit};
use crate::{
    Result,
    arguments::Options,
    client::Client,
    numbers::{float, float_len, median},
    sys,
    target::Target,
    workload::{HELD_PREFIX, held_bodies, least_bytes_per_series, scattered},
};

/// Series of the smaller workloads.
const FEW: usize = 100_000;

/// Pages made of few series, and of many, after a first one.
const PAGES_OF_FEW: usize = 9;
const PAGES_OF_MANY: usize = 5;

/// Bytes from which on an allocator has no memory in stock, but asks the kernel and gives it back. What
/// is asked for and not touched costs nothing.
const FRESH_BYTES_MIN: usize = 64 * 1024 * 1024;

const YARDSTICK: &str = "ready strings";

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let series = scattered();
    let (few, rest) = series.split_at(FEW);
    let server = Target::server(&options.server)?;
    push(&server, few)?;
    let mut rows = scrape("scrape_100k_series", &server, few.len(), PAGES_OF_FEW)?;
    drop(server);

    // Another one, in which no page has left its traces in the allocator.
    let server = Target::server(&options.server)?;
    let empty = server.resident_bytes()?;
    push(&server, few)?;
    let what = "resident bytes per series";
    rows.push(weigh("hold_100k_series", what, &server, empty, few.len())?);
    push(&server, rest)?;
    rows.push(weigh("hold_1m_series", what, &server, empty, series.len())?);
    rows.extend(scrape("scrape_1m_series", &server, series.len(), PAGES_OF_MANY)?);
    let what = "resident bytes per series after scrapes";
    let weight = weigh("hold_1m_series", what, &server, empty, series.len())?;
    rows.push(Row { budget: Budget::None, ..weight });
    Ok(rows)
}

fn push(server: &Target, series: &[usize]) -> Result<()> {
    let mut client = server.client()?;
    held_bodies(series).try_for_each(|body| client.push(&body))
}

/// What each of `series` weighs in a server that weighed `empty` without them.
fn weigh(
    workload: &'static str,
    what: &str,
    server: &Target,
    empty: u64,
    series: usize,
) -> Result<Row> {
    let grown = server.resident_bytes()?.saturating_sub(empty);
    Ok(Row {
        workload,
        what: what.to_owned(),
        unit: Unit::Bytes,
        pushprom: float(grown) / float_len(series),
        bare: Some(Bare { value: least_bytes_per_series(), yardstick: "labels and value" }),
        budget: Budget::Value(250.0),
    })
}

/// What one page cost.
struct Cost {
    wall_seconds: f64,
    cpu_seconds: f64,
}

fn scrape(
    workload: &'static str,
    server: &Target,
    series: usize,
    pages: usize,
) -> Result<Vec<Row>> {
    let mut client = server.client()?;
    // The first page is the one that has to put the new series in order.
    let first = scrape_once(server, &mut client)?;
    let costs = (0..pages).map(|_| scrape_once(server, &mut client)).collect::<Result<Vec<_>>>()?;
    let page = client.get("/metrics")?;
    let lines = ready_lines(str::from_utf8(page)?)?;
    if lines.len() != series {
        return Err(format!("the page has {} of {series} series", lines.len()).into());
    }
    let bare = (0..pages).map(|_| format_once(&lines, page.len())).collect::<Result<Vec<_>>>()?;
    let row = |what: &str, of: &dyn Fn(&Cost) -> f64| Row {
        workload,
        what: what.to_owned(),
        unit: Unit::Seconds,
        pushprom: median(costs.iter().map(of)),
        bare: Some(Bare { value: median(bare.iter().map(of)), yardstick: YARDSTICK }),
        budget: Budget::Ratio(2.0),
    };
    Ok(vec![
        row("time per page", &|cost| cost.wall_seconds),
        row("CPU per page", &|cost| cost.cpu_seconds),
        Row {
            workload,
            what: "time of the first page".to_owned(),
            unit: Unit::Seconds,
            pushprom: first.wall_seconds,
            bare: None,
            budget: Budget::None,
        },
        Row {
            workload,
            what: "page".to_owned(),
            unit: Unit::Bytes,
            pushprom: float_len(page.len()),
            bare: None,
            budget: Budget::None,
        },
    ])
}

fn scrape_once(server: &Target, client: &mut Client) -> Result<Cost> {
    let cpu_before = server.cpu_at_rest()?;
    let begun = Instant::now();
    client.get("/metrics")?;
    let wall_seconds = begun.elapsed().as_secs_f64();
    let cpu_seconds = server.cpu_at_rest()?.saturating_sub(cpu_before).as_secs_f64();
    Ok(Cost { wall_seconds, cpu_seconds })
}

/// The lines of the held series, taken apart into what stays the same from page to page and the value.
fn ready_lines(page: &str) -> Result<Vec<(Box<str>, u64)>> {
    page.lines()
        .filter(|line| line.starts_with(HELD_PREFIX))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').ok_or("a line without a value")?;
            Ok((name.into(), value.parse()?))
        })
        .collect()
}

/// Writes the lines again, into memory that is as fresh as that of a page.
fn format_once(lines: &[(Box<str>, u64)], bytes: usize) -> Result<Cost> {
    let cpu_before = sys::cpu_time(process::id())?;
    let begun = Instant::now();
    let mut page = Vec::with_capacity(bytes.max(FRESH_BYTES_MIN));
    for (name, value) in lines {
        page.extend_from_slice(name.as_bytes());
        page.push(b' ');
        page.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
        page.push(b'\n');
    }
    drop(hint::black_box(page));
    let wall_seconds = begun.elapsed().as_secs_f64();
    let cpu_seconds = sys::cpu_time(process::id())?.saturating_sub(cpu_before).as_secs_f64();
    Ok(Cost { wall_seconds, cpu_seconds })
}
