//! `guarded_*`: the loads of `udp_*` and `http_*` on a server that has to ask who pushes, what it may, and what
//! becomes of it, beside the server as it comes.

use std::io::Write;

use tempfile::NamedTempFile;

use super::{
    ROUNDS, http,
    receiver::{Receiver, run_in_turn},
    row::{Budget, Row},
    udp::{self, FLAT_OUT, FLAT_OUT_OF_EIGHT, PACE_PER_SECOND},
};
use crate::{
    Result,
    arguments::Options,
    http::Connections,
    load::udp::Way,
    numbers::float_len,
    target::Target,
    workload::{PUSHED_SERIES, in_batches, pushed_deltas},
};

const YARDSTICK: &str = "pushprom as it comes";

/// What a guarded server may cost.
const BUDGET: Budget = Budget::Ratio(1.25);

/// Deltas of a large body.
const BATCH: usize = 100;

/// What the guarded server knows who pushes over HTTP by.
const TOKEN: &str = "c2f1d7a84e0b4c0f9a6be31d5f0a7c44";

/// Rules that fit other names: the ones that fit are the last.
const OTHER_RULES: usize = 18;

/// The rules that fit what is pushed, and who may push it.
const RULES_AND_ACCESS: &str = r"
  - match: http_.*_total
    help: Requests, by their path.
    limit: 5000
  - match: .*_total
    labels: {path: /v1/.*}
    expire_after: 1h
  - match: http_.*
    relabel:
      - source_labels: [path]
        regex: /api/(.*)
        target_label: path
        replacement: /$1
      - action: labeldrop
        regex: status|pod
access:
  principals:
    - name: local
      networks: [127.0.0.0/8, 10.0.0.0/8, 10.1.0.0/16]
      rights: [push]
      metrics: ['shop_.*', 'http_.*']
      labels: {tenant: bench}
      series_limit: 20000
    - name: app
      token: TOKEN
      rights: [push]
      metrics: ['shop_.*', 'http_.*']
      labels: {tenant: bench}
      series_limit: 20000
  anonymous:
    rights: [scrape]
";

/// What each series of the guarded server begins with.
const GUARDED_SERIES: &str = r#"http_requests_total{path="/v1/orders/"#;
/// And ends with.
const GUARDED_LABELS: &str = r#"",tenant="bench"}"#;

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let file = configuration()?;
    let mut rows = measure_udp(options, &file)?;
    rows.extend(measure_http(options, &file)?);
    Ok(rows)
}

/// Everything that costs something, in a file.
fn configuration() -> Result<NamedTempFile> {
    let mut text =
        "series:\n  limit: 100000\n  limit_per_family: 20000\n  limit_per_client: 50000\n  \
                    expire_after: 1d\nrules:\n"
            .to_owned();
    for number in 0..OTHER_RULES {
        text += &format!(
            "  - match: other_{number}_.*\n    help: Something else.\n    buckets: [0.1, 1, 10]\n    \
             limit: 1000\n    expire_after: 1h\n"
        );
    }
    text += RULES_AND_ACCESS.trim_start_matches('\n').replace("TOKEN", TOKEN).as_str();
    let mut file = tempfile::Builder::new().suffix(".yml").tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

fn start_guarded(options: &Options, file: &NamedTempFile) -> Result<Target> {
    Target::server_with(&options.server, &[&format!("-config.file={}", file.path().display())])
}

fn measure_udp(options: &Options, file: &NamedTempFile) -> Result<Vec<Row>> {
    let singles = [
        ("guarded_udp_paced", Way::Paced(PACE_PER_SECOND, options.seconds / ROUNDS)),
        ("guarded_udp_flat_out", Way::FlatOut(FLAT_OUT)),
    ];
    let eights = [("guarded_udp_8_flat_out", Way::FlatOut(FLAT_OUT_OF_EIGHT))];
    let mut rows = Vec::new();
    for (datagrams, deltas, loads) in
        [(pushed_deltas(), 1, &singles[..]), (in_batches(&pushed_deltas(), 8), 8, &eights[..])]
    {
        let start = |target| Receiver::start(target, datagrams.clone(), deltas);
        let mut receivers =
            [start(start_guarded(options, file)?)?, start(Target::server(&options.server)?)?];
        let [guarded, plain] = &mut receivers;
        for receiver in [guarded, plain] {
            // Series, code and memory are there before anything is measured.
            receiver.run(Way::Paced(PACE_PER_SECOND, options.seconds / ROUNDS))?;
        }
        for (workload, way) in loads {
            let [guarded, plain] = run_in_turn(&mut receivers, *way)?;
            rows.extend([
                udp::cpu_row(workload, &guarded, YARDSTICK, &plain).within(BUDGET),
                udp::loss_row(workload, &guarded, YARDSTICK, &plain),
            ]);
        }
        let [guarded, _] = &receivers;
        check_page(guarded.target())?;
    }
    Ok(rows)
}

fn measure_http(options: &Options, file: &NamedTempFile) -> Result<Vec<Row>> {
    let (guarded, plain) = (start_guarded(options, file)?, Target::server(&options.server)?);
    let mut rows = Vec::new();
    for (workload, what, messages, deltas_per_message) in [
        ("guarded_http_keep_alive", "CPU per request", pushed_deltas(), 1),
        ("guarded_http_bodies_of_100", "CPU per delta", in_batches(&pushed_deltas(), BATCH), BATCH),
    ] {
        let load = |more: String| http::Load {
            messages: messages.clone(),
            more,
            deltas_per_message,
            connections: Connections::Kept,
            count: http::CONNECTIONS,
            duration: options.seconds / ROUNDS,
        };
        let named = load(format!("Authorization: Bearer {TOKEN}\r\n"));
        let unnamed = load(String::new());
        let (mut of_guarded, mut of_plain) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            of_guarded.push(named.run(&guarded)?);
            of_plain.push(unnamed.run(&plain)?);
        }
        let row = http::cpu_row(workload, what, &of_guarded, YARDSTICK, &of_plain);
        rows.push(row.within(BUDGET));
    }
    check_page(&guarded)?;
    Ok(rows)
}

/// All that was pushed is on the page as the rules say, to the last delta, and nothing was refused.
fn check_page(server: &Target) -> Result<()> {
    let mut client = server.client()?;
    let page = str::from_utf8(client.get("/metrics")?)?;
    let sum = |name: &str| {
        let samples = page.lines().filter(|line| line.starts_with(name));
        samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>()
    };
    let pushed = page.lines().filter(|line| line.starts_with("http_requests_total{"));
    let (shaped, others): (Vec<_>, Vec<_>) = pushed.partition(|line| {
        line.starts_with(GUARDED_SERIES)
            && line.rsplit_once(' ').is_some_and(|(series, _)| series.ends_with(GUARDED_LABELS))
    });
    if shaped.len() != PUSHED_SERIES || !others.is_empty() {
        return Err(format!("{} series are as they should be, not {others:?}", shaped.len()).into());
    }
    let lost = sum("pushprom_deltas_applied_total{") - sum("http_requests_total{");
    let refused: f64 = [
        "pushprom_deltas_rejected_total{",
        "pushprom_deltas_dropped_total ",
        "pushprom_deltas_overflowed_total ",
        "pushprom_http_refused_total{",
    ]
    .map(sum)
    .iter()
    .sum();
    if lost.abs() > 0.0 || refused > 0.0 || sum("http_requests_total{") < float_len(PUSHED_SERIES) {
        return Err(format!("{lost} deltas are not on the page, {refused} were refused").into());
    }
    Ok(())
}
