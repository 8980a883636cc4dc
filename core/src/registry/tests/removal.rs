//! Series that go while others look, or push.

use std::ops::ControlFlow::Continue;

use super::{
    room::{count, delta, expiring, registry},
    *,
};
use crate::model::LabelSet;

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
