//! `scrape_*_series`: what a page of many series costs.

use std::{hint, io::Write, process, time::Instant};

use super::{
    ROUNDS,
    row::{Budget, Row, Unit},
};
use crate::{
    Result,
    arguments::Options,
    client::Client,
    numbers::{float, float_len},
    sys::{self, FreshMemory},
    target::Target,
    workload::{HELD_PREFIX, HELD_SERIES_MAX, Held, scattered},
};

/// A number of series to make pages of.
struct Workload {
    name: &'static str,
    series: usize,
    /// Pages made in one round: where one takes no time, several are timed together.
    pages: u32,
    budget: Budget,
}

const WORKLOADS: [Workload; 3] = [
    Workload { name: "scrape_1k_series", series: 1000, pages: 100, budget: Budget::None },
    Workload { name: "scrape_100k_series", series: 100_000, pages: 4, budget: Budget::None },
    Workload {
        name: "scrape_1m_series",
        series: HELD_SERIES_MAX,
        pages: 1,
        budget: Budget::Ratio(2.0),
    },
];

/// Codings that scrapers ask for.
const CODINGS: [&str; 2] = ["gzip", "zstd"];

/// A format other than the text format 0.0.4.
struct Format {
    name: &'static str,
    content_type: &'static str,
    /// Beside the text format.
    budget: Budget,
}

const FORMATS: [Format; 2] = [
    Format {
        name: "OpenMetrics",
        content_type: "application/openmetrics-text; version=1.0.0",
        budget: Budget::Ratio(2.5),
    },
    Format {
        name: "protobuf",
        content_type: "application/vnd.google.protobuf; \
                       proto=io.prometheus.client.MetricFamily; encoding=delimited",
        budget: Budget::Ratio(1.5),
    },
];

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let series = scattered();
    let mut rows = Vec::new();
    for workload in WORKLOADS {
        let server = Target::server(&options.server)?;
        server.hold(Held::Counters, &series[..workload.series])?;
        rows.extend(workload.measure(&server)?);
        if workload.series == HELD_SERIES_MAX {
            for coding in CODINGS {
                rows.extend(workload.measure_packed(&server, coding)?);
            }
            for format in &FORMATS {
                rows.extend(workload.measure_format(&server, format)?);
            }
        }
    }
    Ok(rows)
}

/// What one page cost.
struct Cost {
    wall_seconds: f64,
    cpu_seconds: f64,
}

impl Workload {
    fn measure(&self, server: &Target) -> Result<Vec<Row>> {
        let mut client = server.client()?;
        // The first page may have to put the new series in order.
        let page = client.get("/metrics")?;
        let bytes = page.len();
        let lines = ReadyLines::of(str::from_utf8(page)?)?;
        let found = lines.ends.len();
        if found != self.series {
            return Err(format!("the page has {found} of {} series", self.series).into());
        }
        let (mut server_costs, mut bare_costs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            server_costs.push(self.scrape(server, &mut client, "")?);
            bare_costs.push(self.format(&lines, bytes)?);
        }
        let row = |what: &str, of: fn(&Cost) -> f64| {
            Row::new(self.name, what, Unit::Seconds, server_costs.iter().map(of))
                .beside("ready strings", bare_costs.iter().map(of))
                .within(self.budget)
        };
        Ok(vec![
            row("time per page", |cost| cost.wall_seconds),
            row("CPU per page", |cost| cost.cpu_seconds),
            Row::new(self.name, "page", Unit::Bytes, [float_len(bytes)]),
        ])
    }

    /// Nothing if the server does not speak the coding.
    fn measure_packed(&self, server: &Target, coding: &str) -> Result<Vec<Row>> {
        let mut client = server.client()?;
        let accept = format!("Accept-Encoding: {coding}\r\n");
        let answer = client.fetch("/metrics", &accept)?;
        if answer.coding() != Some(coding.as_bytes()) {
            return Ok(Vec::new());
        }
        let bytes = answer.body()?.len();
        let costs = (0..ROUNDS)
            .map(|_| self.scrape(server, &mut client, &accept))
            .collect::<Result<Vec<_>>>()?;
        let row = |what: &str, of: fn(&Cost) -> f64| {
            Row::new(self.name, format!("{what}, {coding}"), Unit::Seconds, costs.iter().map(of))
        };
        Ok(vec![
            row("time per page", |cost| cost.wall_seconds),
            row("CPU per page", |cost| cost.cpu_seconds),
            Row::new(self.name, format!("page, {coding}"), Unit::Bytes, [float_len(bytes)]),
        ])
    }

    /// The same page in another format, in turn with the text format.
    fn measure_format(&self, server: &Target, format: &Format) -> Result<Vec<Row>> {
        let mut client = server.client()?;
        let accept = format!("Accept: {}\r\n", format.content_type);
        let answer = client.fetch("/metrics", &accept)?;
        let got = answer.content_type().unwrap_or_default();
        if !got.starts_with(format.content_type.as_bytes()) {
            return Err(format!("asked for {}, got {}", format.name, got.escape_ascii()).into());
        }
        let bytes = answer.body()?.len();
        let (mut costs, mut text_costs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            costs.push(self.scrape(server, &mut client, &accept)?);
            text_costs.push(self.scrape(server, &mut client, "")?);
        }
        let row = |what: &str, of: fn(&Cost) -> f64| {
            let what = format!("{what}, {}", format.name);
            Row::new(self.name, what, Unit::Seconds, costs.iter().map(of))
                .beside("text 0.0.4", text_costs.iter().map(of))
                .within(format.budget)
        };
        Ok(vec![
            row("time per page", |cost| cost.wall_seconds),
            row("CPU per page", |cost| cost.cpu_seconds),
            Row::new(self.name, format!("page, {}", format.name), Unit::Bytes, [float_len(bytes)]),
        ])
    }

    /// The mean of the pages of one round.
    fn scrape(&self, server: &Target, client: &mut Client, accept: &str) -> Result<Cost> {
        let cpu_before = server.cpu_at_rest()?;
        let begun = Instant::now();
        for _ in 0..self.pages {
            client.fetch("/metrics", accept)?;
        }
        let wall = begun.elapsed();
        let cpu = server.cpu_at_rest()?.saturating_sub(cpu_before);
        Ok(self.cost(wall.as_secs_f64(), cpu.as_secs_f64()))
    }

    /// Writes the lines again, into memory that is as fresh as that of a page.
    fn format(&self, lines: &ReadyLines, bytes: usize) -> Result<Cost> {
        let cpu_before = sys::cpu_time(process::id())?;
        let begun = Instant::now();
        for _ in 0..self.pages {
            let mut page = FreshMemory::map(bytes)?;
            lines.format(page.as_mut_slice())?;
            drop(hint::black_box(page));
        }
        let wall = begun.elapsed();
        let cpu = sys::cpu_time(process::id())?.saturating_sub(cpu_before);
        Ok(self.cost(wall.as_secs_f64(), cpu.as_secs_f64()))
    }

    fn cost(&self, wall_seconds: f64, cpu_seconds: f64) -> Cost {
        let pages = float(self.pages.into());
        Cost { wall_seconds: wall_seconds / pages, cpu_seconds: cpu_seconds / pages }
    }
}

/// The lines of the held series, taken apart into what stays the same from page to page and the value.
struct ReadyLines {
    /// The names and labels of all, in the order of the page.
    names: String,
    /// Where each of them ends, and the value that follows.
    ends: Vec<(usize, u64)>,
}

impl ReadyLines {
    fn of(page: &str) -> Result<Self> {
        let mut lines = Self { names: String::new(), ends: Vec::new() };
        for line in page.lines().filter(|line| line.starts_with(HELD_PREFIX)) {
            let (name, value) = line.rsplit_once(' ').ok_or("a line without a value")?;
            lines.names.push_str(name);
            lines.ends.push((lines.names.len(), value.parse()?));
        }
        Ok(lines)
    }

    fn format(&self, mut page: &mut [u8]) -> Result<()> {
        let mut begin = 0;
        for &(end, value) in &self.ends {
            page.write_all(&self.names.as_bytes()[begin..end])?;
            page.write_all(b" ")?;
            page.write_all(itoa::Buffer::new().format(value).as_bytes())?;
            page.write_all(b"\n")?;
            begin = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_lines_are_those_of_the_page() {
        let lines = "held_00_total{a=\"x y\"} 12\nheld_01_total 7\n";
        let mut page = vec![0; lines.len()];
        let ready = ReadyLines::of(&format!("# TYPE other counter\nother 1\n{lines}")).unwrap();
        ready.format(&mut page).unwrap();
        assert_eq!(str::from_utf8(&page), Ok(lines));
    }
}
