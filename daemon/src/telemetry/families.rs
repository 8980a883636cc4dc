//! Our counters as families of a page.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use pushprom_core::{
    answers::Answers,
    limits::SeriesLimits,
    model::{Kind, Layout, Summary, Value, count_as_f64},
    registry::Registry,
    snapshot::FamilySnapshot,
};

/// Families of clients that are named on our own pages for having too many series: those that have had most.
const OVERFLOWING_SHOWN_MAX: usize = 20;

use super::{
    ApiCode, Code, DatagramTransport, HandshakeFailure, Method, Reason, Refused, Removal,
    ScrapeCode, Telemetry, Transport,
    family::{counter, family, gauge, level, series, total},
    process,
};
use crate::{log, version};

impl Telemetry {
    /// Our own families: those of the original, those of the process, and ours. `is_stored` says whether what changes
    /// is written, where there is a store.
    pub fn families(
        &self,
        registry: &Registry,
        answers: &Answers,
        limits: &SeriesLimits,
        is_stored: bool,
    ) -> Vec<FamilySnapshot> {
        let mut families = process::families();
        families.extend(self.families_of_the_original());
        families.extend(self.families_of_ingest());
        families.extend(self.families_of_keys(answers));
        families.extend(self.udp_sockets.families());
        families.extend(self.families_of_the_daemon(registry, limits));
        families.extend(overflowing(registry));
        families.extend(self.families_of_web());
        families.extend(self.families_of_the_api());
        families.extend(self.families_of_the_store(registry, is_stored));
        for family in &mut families {
            Arc::make_mut(&mut family.index).set_born(self.started);
        }
        families
    }

    fn families_of_the_original(&self) -> Vec<FamilySnapshot> {
        let by_code_and_method = Code::ALL.into_iter().flat_map(|code| {
            let row = &self.requests[code as usize];
            Method::ALL.into_iter().filter_map(move |method| {
                let count = row[method as usize].get();
                // As in the original, a series appears with its first request.
                let labels = [("code", code.as_str()), ("method", method.as_str())];
                (count > 0).then(|| series(&labels, Value::Counter(count.into())))
            })
        });
        let durations = Method::ALL.into_iter().filter_map(|method| {
            let buckets = self.request_durations[method as usize].load(&Layout::default());
            let labels = [("handler", "post"), ("method", method.as_str())];
            (buckets.count() > 0).then(|| series(&labels, Value::Histogram(buckets)))
        });
        let scrapes = ScrapeCode::ALL.into_iter().map(|code| {
            let count = self.scrapes[code as usize].get();
            series(&[("code", code.as_str())], Value::Counter(count.into()))
        });
        vec![
            counter(
                "pushprom_udp_packets_total",
                "The number of packets received.",
                &self.packets[DatagramTransport::Udp as usize],
            ),
            counter(
                "pushprom_http_requests_total",
                "The number of http requests received.",
                &self.http_requests,
            ),
            family(
                "requests_total",
                "A counter for requests to the wrapped handler.",
                Kind::Counter,
                by_code_and_method,
            ),
            family(
                "request_duration_seconds",
                "A histogram of latencies for requests.",
                Kind::Histogram,
                durations,
            ),
            gauge(
                "promhttp_metric_handler_requests_in_flight",
                "Current number of scrapes being served.",
                &self.scrapes_in_flight,
            ),
            family(
                "promhttp_metric_handler_requests_total",
                "Total number of scrapes by HTTP status code.",
                Kind::Counter,
                scrapes,
            ),
        ]
    }

    fn families_of_the_api(&self) -> [FamilySnapshot; 2] {
        let requests = ApiCode::ALL.into_iter().map(|code| {
            let count = self.api_requests[code as usize].get();
            series(&[("code", code.as_str())], Value::Counter(count.into()))
        });
        let removed = Removal::ALL.into_iter().map(|removal| {
            let count = self.removed[removal as usize].get();
            series(&[("action", removal.as_str())], Value::Counter(count.into()))
        });
        [
            family(
                "pushprom_api_requests_total",
                "Requests to the API, by the status of their answer.",
                Kind::Counter,
                requests,
            ),
            family(
                "pushprom_series_deleted_total",
                "Series deleted by operators.",
                Kind::Counter,
                removed,
            ),
        ]
    }

    fn families_of_ingest(&self) -> Vec<FamilySnapshot> {
        let bytes = Transport::ALL.into_iter().map(|transport| {
            let count = self.received_bytes[transport as usize].get();
            series(&[("transport", transport.as_str())], Value::Counter(count.into()))
        });
        let applied = Transport::ALL.into_iter().flat_map(|transport| {
            let row = &self.applied[transport as usize];
            Kind::ALL.into_iter().map(move |kind| {
                let labels = [("kind", kind.as_str()), ("transport", transport.as_str())];
                series(&labels, Value::Counter(row[kind as usize].get().into()))
            })
        });
        let rejected = Transport::ALL.into_iter().flat_map(|transport| {
            let row = &self.rejected[transport as usize];
            Reason::ALL.into_iter().map(move |reason| {
                let labels = [("reason", reason.as_str()), ("transport", transport.as_str())];
                series(&labels, Value::Counter(row[reason as usize].get().into()))
            })
        });
        vec![
            family(
                "pushprom_received_bytes_total",
                "Bytes of messages received.",
                Kind::Counter,
                bytes,
            ),
            family(
                "pushprom_deltas_applied_total",
                "Deltas applied, by transport and kind.",
                Kind::Counter,
                applied,
            ),
            family(
                "pushprom_deltas_rejected_total",
                "Deltas refused, and messages that could not be read, by transport and reason.",
                Kind::Counter,
                rejected,
            ),
            counter(
                "pushprom_series_created_total",
                "Deltas that began a series.",
                &self.series_created,
            ),
            counter(
                "pushprom_help_replaced_total",
                "Deltas whose help text replaced that of their family.",
                &self.help_replaced,
            ),
            counter(
                "pushprom_buckets_ignored_total",
                "Deltas that asked for other buckets, native buckets or objectives than those of their family.",
                &self.layout_ignored,
            ),
            counter(
                "pushprom_deltas_overflowed_total",
                "Deltas that went to an overflow series, because a limit of series is reached.",
                &self.overflowed,
            ),
            counter("pushprom_deltas_dropped_total", "Deltas that a rule dropped.", &self.dropped),
            counter(
                "pushprom_series_expired_total",
                "Series removed because no delta came for too long.",
                &self.expired,
            ),
            counter(
                "pushprom_udp_receive_errors_total",
                "Failures to receive from a UDP socket.",
                &self.receive_errors[DatagramTransport::Udp as usize],
            ),
            counter(
                "pushprom_unix_packets_total",
                "Datagrams received over unix sockets.",
                &self.packets[DatagramTransport::Unix as usize],
            ),
            counter(
                "pushprom_unix_receive_errors_total",
                "Failures to receive from a unix socket.",
                &self.receive_errors[DatagramTransport::Unix as usize],
            ),
        ]
    }

    fn families_of_keys(&self, answers: &Answers) -> [FamilySnapshot; 3] {
        let repeated = Transport::ALL.into_iter().map(|transport| {
            let count = self.repeated[transport as usize].get();
            series(&[("transport", transport.as_str())], Value::Counter(count.into()))
        });
        let keys = u64::try_from(answers.keys()).unwrap_or(u64::MAX);
        [
            family(
                "pushprom_deltas_repeated_total",
                "Deltas not applied because they had been, by the key of their message.",
                Kind::Counter,
                repeated,
            ),
            level("pushprom_idempotency_keys", "Idempotency keys held.", count_as_f64(keys)),
            total(
                "pushprom_idempotency_keys_evicted_total",
                "Idempotency keys forgotten before their time, to make room for others.",
                answers.evicted().into(),
            ),
        ]
    }

    fn families_of_web(&self) -> Vec<FamilySnapshot> {
        let refused = Refused::ALL.into_iter().map(|why| {
            let count = self.refused[why as usize].get();
            series(&[("reason", why.as_str())], Value::Counter(count.into()))
        });
        let failures = HandshakeFailure::ALL.into_iter().map(|why| {
            let count = self.handshake_failures[why as usize].get();
            series(&[("reason", why.as_str())], Value::Counter(count.into()))
        });
        let state = &self.web_config;
        let only_if_used =
            |value: f64| state.is_used.load(Relaxed).then(|| series(&[], Value::Gauge(value)));
        let succeeded = f64::from(u8::from(!state.failed_last.load(Relaxed)));
        let seconds = count_as_f64(state.succeeded_at.load(Relaxed)) / 1000.0;
        vec![
            family(
                "pushprom_http_refused_total",
                "HTTP requests that were not let in, by reason.",
                Kind::Counter,
                refused,
            ),
            family(
                "pushprom_tls_handshake_failures_total",
                "TLS handshakes that failed, by reason.",
                Kind::Counter,
                failures,
            ),
            family(
                "pushprom_web_config_last_reload_successful",
                "Whether the file of -web.config.file and those that it names were valid when last read.",
                Kind::Gauge,
                only_if_used(succeeded),
            ),
            family(
                "pushprom_web_config_last_reload_success_timestamp_seconds",
                "When they were last read and valid.",
                Kind::Gauge,
                only_if_used(seconds),
            ),
        ]
    }

    fn families_of_the_daemon(
        &self,
        registry: &Registry,
        limits: &SeriesLimits,
    ) -> Vec<FamilySnapshot> {
        let build = [
            ("version", version::VERSION),
            ("revision", version::REVISION),
            ("rustc", version::RUSTC),
        ];
        let held = |count: usize| count_as_f64(u64::try_from(count).unwrap_or(u64::MAX));
        vec![
            family(
                "pushprom_build_info",
                "What this build is; always 1.",
                Kind::Gauge,
                [series(&build, Value::Gauge(1.0))],
            ),
            level("pushprom_series", "Series held.", held(registry.series_count())),
            level(
                "pushprom_series_limit",
                "Series that may be held, see -series.limit.",
                held(limits.all),
            ),
            level(
                "pushprom_series_bytes",
                "Bytes that series may take at most, as estimated.",
                held(registry.bytes()),
            ),
            level(
                "pushprom_series_bytes_limit",
                "Bytes that they may take, see -series.max-bytes.",
                held(limits.bytes),
            ),
            level("pushprom_families", "Families held.", held(registry.family_count())),
            family(
                "pushprom_scrape_duration_seconds",
                "Time from a scrape to its page.",
                Kind::Summary,
                [series(
                    &[],
                    Value::Summary(Summary {
                        observations: self.scrape_durations.load(),
                        ..Summary::default()
                    }),
                )],
            ),
            counter(
                "pushprom_scrapes_abandoned_total",
                "Scrapes whose client closed the connection before there was a page.",
                &self.scrapes_abandoned,
            ),
            gauge("pushprom_http_connections", "HTTP connections open.", &self.connections_open),
            counter(
                "pushprom_http_connections_total",
                "HTTP connections accepted.",
                &self.connections_accepted,
            ),
            counter(
                "pushprom_http_connections_evicted_total",
                "HTTP connections closed to make room for others.",
                &self.connections_evicted,
            ),
            counter(
                "pushprom_http_accept_errors_total",
                "Failures to accept an HTTP connection.",
                &self.accept_errors,
            ),
            counter(
                "pushprom_http_malformed_requests_total",
                "What came over HTTP and was no request that could be read.",
                &self.malformed_requests,
            ),
            total(
                "pushprom_log_lines_dropped_total",
                "Log lines lost because standard error was not read.",
                log::dropped_lines().into(),
            ),
            counter(
                "pushprom_log_lines_suppressed_total",
                "Log lines about clients' errors that were not written.",
                &self.log_lines_suppressed,
            ),
            level(
                "pushprom_config_last_reload_successful",
                "Whether the configuration was in order when it was last read: 1, or 0 if not.",
                if self.reloads.is_failed.load(Relaxed) { 0.0 } else { 1.0 },
            ),
            level(
                "pushprom_config_last_reload_success_timestamp_seconds",
                "When the configuration in force was read.",
                count_as_f64(self.reloads.succeeded.load(Relaxed)) / 1000.0,
            ),
            counter(
                "pushprom_panics_total",
                "Faults of pushprom that were caught; please report them.",
                &self.panics,
            ),
        ]
    }
}

/// The families of which deltas would have made series too many, with the label to blame. Beside the addresses of
/// the configuration they are the one thing in a label that is not of our own making, and they are few.
fn overflowing(registry: &Registry) -> Option<FamilySnapshot> {
    let mut facts = registry.overflowing();
    facts.sort_by(|a, b| b.overflowed.cmp(&a.overflowed).then_with(|| a.name.cmp(&b.name)));
    facts.truncate(OVERFLOWING_SHOWN_MAX);
    let mut shown = Vec::new();
    for family in &facts {
        let culprit = family.culprit.as_ref().map_or("", |culprit| &culprit.label);
        let labels = [("family", &*family.name), ("label", culprit)];
        shown.push(series(&labels, Value::Counter(family.overflowed.into())));
    }
    (!shown.is_empty()).then(|| {
        family(
            "pushprom_family_overflowed_deltas_total",
            "Deltas that would have made a series too many of a family, and its label with most values.",
            Kind::Counter,
            shown,
        )
    })
}
