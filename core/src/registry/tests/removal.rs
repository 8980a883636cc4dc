//! Series that go while others look, or push.

use std::ops::ControlFlow::Continue;

use super::{
    room::{count, delta, expiring, registry},
    *,
};
use crate::model::LabelSet;

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
