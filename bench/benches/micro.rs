//! What core does with a delta, one step at a time, in instructions: callgrind counts them, and they do
//! not jitter as times do.
//!
//! A function is a workload. The name of its case says how many operations one call is (`x100`), and
//! `bench/src/micro.rs` divides by that. All that is known of core's interface is in [`core`].

#![expect(
    missing_docs,
    unused_qualifications,
    clippy::exit,
    reason = "what the macros make has such"
)]

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};

/// The calls under measurement, and what has to be there for them.
mod core {
    use pushprom_core::{
        expose::{self, Options, Shape},
        limits::Limits,
        model::Timestamp,
        policy::Policy,
        registry::SchemaConflicts,
        wire::json,
    };
    pub(super) use pushprom_core::{model::Delta, registry::Registry, snapshot::Snapshot};

    const NOW: Timestamp = Timestamp(0);

    pub(super) fn registry() -> Registry {
        Registry::new(SchemaConflicts::Adopt)
    }

    /// One of which a store is kept.
    pub(super) fn journaled_registry() -> Registry {
        Registry::journaled(SchemaConflicts::Adopt)
    }

    /// The records of what has changed since the last time, as a store writes them.
    pub(super) fn commit(registry: &Registry) -> usize {
        let (cut, ()) = registry.cut(|| ());
        cut.records().map(|piece| piece.len()).sum()
    }

    /// The deltas of a message, all of them good.
    pub(super) fn decode(message: &[u8]) -> Vec<Delta<'_>> {
        let message = json::decode(message, &Limits::default());
        message.deltas.into_iter().map(|delta| delta.expect("a good delta")).collect()
    }

    /// What a decoder returns, as it returns it.
    pub(super) fn decode_only(message: &[u8]) -> usize {
        json::decode(message, &Limits::default()).deltas.len()
    }

    pub(super) fn apply_all(registry: &Registry, deltas: &[Delta<'_>]) {
        let policy = Policy::default();
        for delta in deltas {
            registry.apply(delta, policy.source(), NOW).expect("a delta to a counter");
        }
    }

    pub(super) fn snapshot(registry: &Registry) -> Snapshot {
        registry.snapshot(NOW)
    }

    pub(super) fn encode(snapshot: &Snapshot) -> Vec<u8> {
        let mut page = Vec::new();
        expose::encode(Shape::default(), Options::default(), snapshot, &mut page);
        page
    }
}

use core::{Delta, Registry, Snapshot};

/// Series of a large registry. With assertions, as in tests, counts mean nothing, and callgrind would take minutes to
/// make so many.
const MANY: usize = if cfg!(debug_assertions) { 1_000 } else { 100_000 };

/// A delta to one of many series, of the size that clients of the original send.
fn delta(series: usize) -> String {
    format!(
        r#"{{"type":"counter","name":"http_requests_total","help":"Requests answered, by their path and status.","method":"inc","labels":{{"path":"/api/v1/orders/{series:06}","status":"200"}}}}"#
    )
}

/// A registry of one histogram, and observations in it that spread as durations do.
fn observed(fields: &str) -> (Registry, Vec<Delta<'static>>) {
    let registry = core::registry();
    let delta = |number: usize| {
        let value = 1 + number * 7919 % 9973;
        format!(
            r#"{{"type":"histogram","name":"took_seconds","method":"observe","value":0.{value:04}{fields}}}"#
        )
    };
    let deltas: Vec<_> =
        (0..1000).flat_map(|number| core::decode(delta(number).leak().as_bytes())).collect();
    core::apply_all(&registry, &deltas);
    (registry, deltas)
}

fn classic() -> (Registry, Vec<Delta<'static>>) {
    observed("")
}

fn native() -> (Registry, Vec<Delta<'static>>) {
    observed(r#","native":true"#)
}

fn one_delta() -> Vec<u8> {
    delta(1).into_bytes()
}

fn hundred_deltas() -> Vec<u8> {
    let deltas: Vec<String> = (0..100).map(delta).collect();
    format!("[{}]", deltas.join(",")).into_bytes()
}

/// A registry of so many series, and deltas to some of them that lie far apart.
fn known(series: usize) -> (Registry, Vec<Delta<'static>>) {
    known_to(core::registry(), series)
}

fn known_to(registry: Registry, series: usize) -> (Registry, Vec<Delta<'static>>) {
    const DELTAS: usize = 1000;
    for number in 0..series {
        core::apply_all(&registry, &core::decode(delta(number).as_bytes()));
    }
    let far_apart = (0..DELTAS).map(|number| number * 7919 % series);
    let deltas = far_apart.flat_map(|number| core::decode(delta(number).leak().as_bytes()));
    let deltas: Vec<_> = deltas.collect();
    // What a first call makes for all others is there.
    core::apply_all(&registry, &deltas);
    (registry, deltas)
}

/// A registry of so many series that are all in a store, and deltas to some of them.
fn stored(series: usize) -> (Registry, Vec<Delta<'static>>) {
    let (registry, deltas) = known_to(core::journaled_registry(), series);
    core::commit(&registry);
    (registry, deltas)
}

/// The same after the deltas.
fn changed(series: usize) -> Registry {
    let (registry, deltas) = stored(series);
    core::apply_all(&registry, &deltas);
    registry
}

/// A registry that has put its series in order, as the first page makes it do.
fn in_order(series: usize) -> Registry {
    let (registry, _) = known(series);
    core::snapshot(&registry);
    registry
}

fn values(series: usize) -> Snapshot {
    core::snapshot(&in_order(series))
}

#[library_benchmark]
#[bench::x100(one_delta())]
fn decode_one(message: Vec<u8>) -> usize {
    (0..100).map(|_| core::decode_only(black_box(&message))).sum()
}

#[library_benchmark]
#[bench::x100(hundred_deltas())]
fn decode_batch(message: Vec<u8>) -> usize {
    core::decode_only(black_box(&message))
}

#[library_benchmark]
#[bench::x1000(known(1))]
fn apply_one_series((registry, deltas): (Registry, Vec<Delta<'static>>)) -> Registry {
    core::apply_all(&registry, black_box(&deltas));
    registry
}

#[library_benchmark]
#[bench::x1000(known(MANY))]
fn apply_100k_series((registry, deltas): (Registry, Vec<Delta<'static>>)) -> Registry {
    core::apply_all(&registry, black_box(&deltas));
    registry
}

#[library_benchmark]
#[bench::x1000(stored(MANY))]
fn apply_100k_stored_series((registry, deltas): (Registry, Vec<Delta<'static>>)) -> Registry {
    core::apply_all(&registry, black_box(&deltas));
    registry
}

#[library_benchmark]
#[bench::x1000(changed(MANY))]
fn commit_100k_stored_series(registry: Registry) -> (Registry, usize) {
    let bytes = core::commit(black_box(&registry));
    (registry, bytes)
}

#[library_benchmark]
#[bench::x1000(classic())]
fn observe_classic((registry, deltas): (Registry, Vec<Delta<'static>>)) -> Registry {
    core::apply_all(&registry, black_box(&deltas));
    registry
}

#[library_benchmark]
#[bench::x1000(native())]
fn observe_native((registry, deltas): (Registry, Vec<Delta<'static>>)) -> Registry {
    core::apply_all(&registry, black_box(&deltas));
    registry
}

#[library_benchmark]
#[bench::x10000(in_order(10_000))]
fn snapshot_10k_series(registry: Registry) -> (Registry, Snapshot) {
    let snapshot = core::snapshot(black_box(&registry));
    (registry, snapshot)
}

#[library_benchmark]
#[bench::x10000(values(10_000))]
fn encode_10k_series(snapshot: Snapshot) -> (Snapshot, Vec<u8>) {
    let page = core::encode(black_box(&snapshot));
    (snapshot, page)
}

library_benchmark_group!(
    name = micro,
    benchmarks = [
        decode_one,
        decode_batch,
        apply_one_series,
        apply_100k_series,
        apply_100k_stored_series,
        commit_100k_stored_series,
        observe_classic,
        observe_native,
        snapshot_10k_series,
        encode_10k_series
    ]
);
main!(library_benchmark_groups = micro);
