//! How many deltas a second come for each family.

use std::{collections::HashMap, sync::Arc, thread, time::Duration};

use parking_lot::Mutex;
use pushprom_core::{
    model::{Timestamp, count_as_f64},
    registry::FamilyFacts,
};
use tokio::{
    task,
    time::{self, MissedTickBehavior},
};

use crate::{clock, http::Context};

/// How often it is measured.
const INTERVAL: Duration = Duration::from_secs(5);

/// How long ago what has come no longer tells much: of one burst a third is left in the rate after this time.
const MEMORY_SECONDS: f64 = 60.0;

/// Families that are measured; of more there is no rate.
const FAMILIES_MAX: usize = 100_000;

/// Families that are looked at in one go.
const FAMILIES_BETWEEN_PAUSES: usize = 1024;

/// The rates of families, as measured last.
#[derive(Default)]
pub(super) struct Rates(Mutex<Measured>);

#[derive(Default)]
struct Measured {
    at: Timestamp,
    rates: HashMap<Arc<str>, Rate>,
}

#[derive(Clone, Copy)]
struct Rate {
    /// Deltas since the family began.
    deltas: u64,
    per_second: f64,
}

impl Rates {
    /// Deltas a second for a family; `None` if that has not been measured.
    pub(super) fn of(&self, name: &str) -> Option<f64> {
        self.0.lock().rates.get(name).map(|rate| rate.per_second)
    }

    /// Measures families at `now`.
    fn measure(&self, families: &[FamilyFacts], now: Timestamp) {
        let (before, mut old) = {
            let measured = self.0.lock();
            (measured.at, measured.rates.clone())
        };
        // A clock that is set back, or did not go on, gives no rates.
        let seconds = count_as_f64(now.0.saturating_sub(before.0)) / 1000.0;
        let is_first = before == Timestamp(0) || seconds <= 0.0;
        let kept = (-seconds / MEMORY_SECONDS).exp();
        let mut rates = HashMap::with_capacity(families.len().min(FAMILIES_MAX));
        for some in families.chunks(FAMILIES_BETWEEN_PAUSES) {
            for family in some {
                if rates.len() == FAMILIES_MAX {
                    break;
                }
                let past = old.remove(&family.name);
                // One that was deleted and begun anew has fewer than before.
                let since = past.map_or(0, |past| past.deltas);
                let new = family.deltas.checked_sub(since).unwrap_or(family.deltas);
                let new = count_as_f64(new) / seconds;
                let per_second = match past {
                    _ if is_first => 0.0,
                    Some(past) => past.per_second * kept + new * (1.0 - kept),
                    None => new,
                };
                let rate = Rate { deltas: family.deltas, per_second };
                rates.insert(Arc::clone(&family.name), rate);
            }
            thread::yield_now();
        }
        *self.0.lock() = Measured { at: now, rates };
    }
}

/// Measures for as long as the runtime is there.
pub(in crate::http) async fn watch(context: Arc<Context>) {
    // What is restored has not just come.
    context.storage.started().await;
    let mut ticks = time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let context = Arc::clone(&context);
        let measure = move || {
            let families = context.ingest.registry().families();
            context.api.rates.measure(&families, clock::now());
        };
        // What ends by a panic has been counted and logged.
        task::spawn_blocking(measure).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use pushprom_core::model::Kind;

    use super::*;

    #[test]
    fn a_rate_follows_what_comes() {
        let rates = Rates::default();
        let facts = |name: &str, deltas| FamilyFacts {
            name: name.into(),
            help: "".into(),
            kind: Kind::Counter,
            series: 1,
            overflowed: 0,
            culprit: None,
            deltas,
        };
        let check = |second: u64, deltas: &[(&str, u64)], want: &[(&str, Option<f64>)]| {
            let families: Vec<FamilyFacts> =
                deltas.iter().map(|(name, deltas)| facts(name, *deltas)).collect();
            rates.measure(&families, Timestamp(second * 1000));
            for (name, want) in want {
                let got = rates.of(name).map(|rate| (rate * 10.0).round() / 10.0);
                assert_eq!(got, *want, "{name} at {second}");
            }
        };
        check(10, &[("a", 500)], &[("a", Some(0.0)), ("b", None)]);
        check(20, &[("a", 600), ("b", 40)], &[("a", Some(1.5)), ("b", Some(4.0))]);
        check(20, &[("a", 700), ("b", 40)], &[("a", Some(0.0))]);
        check(80, &[("a", 1300), ("b", 40)], &[("a", Some(6.3)), ("b", Some(0.0))]);
        check(90, &[("a", 0)], &[("a", Some(5.4)), ("b", None)]);
    }
}
