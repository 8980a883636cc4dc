//! Series that go while others look, or push.

use std::ops::ControlFlow::Continue;

use parking_lot::Mutex;

use super::{
    room::{count, delta, expiring, registry},
    *,
};
use crate::model::{Kind, LabelSet};

/// To the millisecond: a series that takes a delta more often than it expires stays for good.
#[test]
fn a_series_never_expires_early_and_at_most_a_second_late() {
    for after in [1, 2, 60] {
        let policy = expiring(after);
        for touched in [5000, 5001, 5499, 5998, 5999] {
            let registry = registry();
            let message = delta("counter", "c", 1);
            let message = json::decode(message.as_bytes(), &Limits::default());
            let message = message.deltas[0].as_ref().unwrap();
            registry.apply(message, policy.source(), Timestamp(touched)).unwrap();
            let due = touched + u64::from(after) * 1000;
            let expired =
                (due - 1001..due + 9999).find(|now| registry.expire(Timestamp(*now), || ()) == 1);
            let late = expired.unwrap() - due;
            assert!((1..=1000).contains(&late), "{touched} after {after} s: {late} ms late");
        }
    }
}

#[test]
fn who_looks_at_each_series_holds_up_no_page() {
    let (registry, policy, looked) = (registry(), expiring(60), AtomicUsize::new(0));
    let deltas: Vec<String> = (0..3).map(|a| delta("counter", "c", a)).collect();
    count(&registry, &policy, &deltas);
    let family = registry.all_families().remove(0);
    let look = || {
        looked.fetch_add(1, Relaxed);
        assert!(!family.holds_up_pages());
    };
    registry.follow(policy.rules(), look);
    assert_eq!(registry.expire(Timestamp(7), look), 0);
    let is_wanted = |_: &str, _: &LabelSet| {
        look();
        Continue(true)
    };
    let deleted = registry.delete(|_| Continue(true), is_wanted, || ());
    assert_eq!(deleted, Deleted { series: 3, is_complete: true });
    assert_eq!(looked.into_inner(), 1 + 1 + 3);
}

/// Deltas come while series are deleted, most of them to a series that is remembered: each is in what was removed or in
/// what is there, once; and what was removed takes those alone that were on their way.
#[test]
fn no_delta_is_lost_to_a_removal() {
    const THREADS: usize = 3;
    const REMOVED: usize = 1000;
    let (registry, policy, is_over) = (registry(), Policy::default(), AtomicBool::new(false));
    let texts: Vec<String> = (0..7).map(|a| delta("counter", "c", a)).collect();
    let push_all = || {
        let pass = registry.pass();
        let messages = texts.iter().map(|text| json::decode(text.as_bytes(), &Limits::default()));
        let deltas: Vec<Delta<'_>> =
            messages.map(|message| message.deltas.into_iter().next().unwrap().unwrap()).collect();
        let mut remembered: Vec<Option<Known>> = vec![None; deltas.len()];
        let (mut pushed, mut born) = (0, 0);
        while !is_over.load(Relaxed) {
            let n = pushed;
            let (delta, source) = (&deltas[n % 7], policy.source());
            let known = remembered[n % 7].as_ref().filter(|_| n % 64 != 0);
            let applied = known.and_then(|known| {
                registry.turn(&pass).apply_known(known, delta.change(), Timestamp(1))
            });
            if applied.is_none() {
                let applied = registry.apply(delta, source, Timestamp(1)).unwrap();
                born += usize::from(applied.created);
                remembered[n % 7] = registry.known(delta, source);
            }
            pushed += 1;
        }
        (pushed, born)
    };
    // Removes all that is there: series, and what they held as they left the table.
    let remove_all = || -> Vec<(Arc<Series>, u64)> {
        let found = Mutex::new(Vec::new());
        let is_there = |name: &str, labels: &LabelSet| {
            let labels = Labels::new(labels.iter().collect(), NameScheme::Legacy).unwrap();
            // Nobody else removes any: the one that is there is the one that is asked for.
            let series = registry.find(registry.fingerprinter.of(name, &labels));
            let series = series.filter(|series| !series.is_gone());
            let is_there = series.is_some();
            found.lock().extend(series);
            Continue(is_there)
        };
        let deleted = registry.delete(|_| Continue(true), is_there, || ());
        let found = found.into_inner();
        assert_eq!(deleted, Deleted { series: found.len(), is_complete: true });
        found.into_iter().map(|series| (Arc::clone(&series), total(&series))).collect()
    };
    let mut removed = Vec::new();
    let (pushed, born) = thread::scope(|scope| {
        let pushing: Vec<_> = (0..THREADS).map(|_| scope.spawn(push_all)).collect();
        while removed.len() < REMOVED {
            removed.extend(remove_all());
            assert!(registry.series_count() <= 7);
        }
        is_over.store(true, Relaxed);
        let counts = pushing.into_iter().map(|thread| thread.join().unwrap());
        counts.fold((0, 0), |(pushed, born), more| (pushed + more.0, born + more.1))
    });
    removed.extend(remove_all());
    assert_eq!(removed.len(), born);
    let sum: u64 = removed.iter().map(|(series, _)| total(series)).sum();
    assert_eq!(sum, u64::try_from(2 * pushed).unwrap());
    // One of each thread, and each is of 2.
    for (series, held) in &removed {
        let late = total(series) - held;
        assert!(late <= 6, "{late} came when it was long gone");
    }
    drop(removed);
    assert_eq!((registry.bytes(), registry.family_count()), (0, 0));
    assert!(registry.shards.iter().all(|shard| shard.read().is_empty()));
}

/// What a counter holds.
fn total(series: &Series) -> u64 {
    let mut values = Values::none(Kind::Counter);
    series.read_into(&mut values, Timestamp(0));
    let Values::Counter(amounts) = values else { panic!("it is a counter") };
    amounts[0].whole()
}
