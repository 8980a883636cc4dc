//! Cells that many threads change and others read: the state of a series. All but native buckets and windows
//! of time do without locks; those are locked for a single change, or to copy them.
//!
//! Each operation is atomic by itself. Where a value has several parts, writers begin with the counts
//! and end with `finished`; a reader that finds as many finished as begun has seen no change half done,
//! and tries again otherwise. Sums are released and acquired too: who sees a sum sees that what it holds
//! has begun. A reader gives up after `TRIES` looks under heavy fire: then a sum may be ahead or behind of
//! its count by the few observations in flight, which the next scrape mends.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{self, Acquire, Relaxed, Release},
};

use parking_lot::Mutex;

use crate::model::{
    Amount, Bounds, Buckets, Exponential, GaugeChange, HistogramChange, Incomposable, Layout,
    Observations, Readings, Span, SummaryChange, Timestamp, Window,
};

/// Times that a reader looks for an instant at which no change is half done.
const TRIES: u32 = 100;

/// A float; its bits in an integer.
#[derive(Default)]
pub struct AtomicF64(AtomicU64);

impl AtomicF64 {
    /// The float.
    pub fn load(&self) -> f64 {
        f64::from_bits(self.0.load(Acquire))
    }

    /// Takes a value, whatever it was.
    pub fn restore(&self, value: f64) {
        self.0.store(value.to_bits(), Release);
    }

    /// Applies a change.
    pub fn change(&self, change: GaugeChange) {
        match change {
            GaugeChange::Set(value) => self.restore(value),
            GaugeChange::Add(by) => self.add(by),
        }
    }

    fn add(&self, by: f64) {
        let mut bits = self.0.load(Relaxed);
        loop {
            let sum = (f64::from_bits(bits) + by).to_bits();
            match self.0.compare_exchange_weak(bits, sum, Release, Relaxed) {
                Ok(_) => return,
                Err(newer) => bits = newer,
            }
        }
    }
}

/// The total of a counter.
#[derive(Default)]
pub struct AtomicAmount {
    whole: AtomicU64,
    rest: AtomicF64,
}

impl AtomicAmount {
    /// Adds an amount.
    pub fn add(&self, amount: Amount) {
        let mut rest = amount.rest();
        if amount.whole() > 0 {
            let add = |whole: u64| whole.checked_add(amount.whole());
            if self.whole.fetch_update(Relaxed, Relaxed, add).is_err() {
                // It does not fit; what is there stays, and the amount goes to the rest.
                rest = Amount::from_parts(amount.whole(), rest).as_f64();
            }
        }
        if rest > 0.0 {
            self.rest.add(rest);
        }
    }

    /// Takes a total, whatever it was, while nobody adds to it.
    pub fn restore(&self, total: Amount) {
        self.whole.store(total.whole(), Relaxed);
        self.rest.restore(total.rest());
    }

    /// The total.
    pub fn load(&self) -> Amount {
        Amount::from_parts(self.whole.load(Relaxed), self.rest.load())
    }
}

/// Adds to a count, which stays at its greatest value rather than wrap.
fn count(cell: &AtomicU64, by: u64, ordering: Ordering) {
    if cell.fetch_add(by, ordering).checked_add(by).is_none() {
        cell.store(u64::MAX, Release);
    }
}

/// A sum and a count.
#[derive(Default)]
pub struct AtomicObservations {
    begun: AtomicU64,
    sum: AtomicF64,
    finished: AtomicU64,
}

impl AtomicObservations {
    /// Adds observations.
    pub fn add(&self, observations: Observations) {
        count(&self.begun, observations.count, Acquire);
        self.sum.add(observations.sum);
        count(&self.finished, observations.count, Release);
    }

    /// Takes a sum and a count, whatever they were, while nobody adds to them.
    pub fn restore(&self, observations: Observations) {
        self.begun.store(observations.count, Relaxed);
        self.sum.restore(observations.sum);
        self.finished.store(observations.count, Release);
    }

    /// The sum and count.
    pub fn load(&self) -> Observations {
        let mut tries = TRIES;
        loop {
            let count = self.finished.load(Acquire);
            let sum = self.sum.load();
            let undisturbed = self.begun.load(Acquire) == count;
            tries -= 1;
            if undisturbed || tries == 0 {
                return Observations { sum, count };
            }
        }
    }
}

/// The state of a summary.
pub struct AtomicSummary {
    observations: AtomicObservations,
    /// Where quantiles are asked for.
    window: Option<Mutex<Window>>,
}

impl AtomicSummary {
    /// No observation yet.
    pub fn new(has_quantiles: bool) -> Self {
        let window = has_quantiles.then(Mutex::default);
        Self { observations: AtomicObservations::default(), window }
    }

    /// Adds a change at `now`; quantiles look back over `span`.
    pub fn add(&self, change: &SummaryChange, span: Span, now: Timestamp) {
        if let Some(window) = &self.window {
            let mut window = window.lock();
            window.slide(span, now);
            let slice = Some(span.slice_of(now));
            match change {
                SummaryChange::Observed { readings, .. } => window.observe(slice, readings),
                SummaryChange::Summed(summary) => window.merge(&summary.window, slice),
            }
        }
        self.observations.add(match change {
            SummaryChange::Observed { readings, .. } => readings.summed(),
            SummaryChange::Summed(summary) => summary.observations,
        });
    }

    /// Takes what was summed up, whatever it was, while nobody adds to it.
    pub fn restore(&self, observations: Observations, window: Window) {
        self.observations.restore(observations);
        if let Some(held) = &self.window {
            *held.lock() = window;
        }
    }

    /// The sum and count.
    pub fn load(&self) -> Observations {
        self.observations.load()
    }

    /// What was observed of late, if quantiles are asked for.
    pub fn window(&self) -> Option<Window> {
        Some(self.window.as_ref()?.lock().clone())
    }

    /// What was observed within `span` of `now`, if quantiles are asked for.
    pub fn recent(&self, span: Span, now: Timestamp) -> Option<Exponential> {
        let mut window = self.window.as_ref()?.lock();
        window.slide(span, now);
        let recent = window.clone();
        drop(window);
        // Put together apart from the lock: that takes longer than copying.
        Some(recent.whole())
    }
}

/// The state of a histogram.
pub struct AtomicBuckets {
    /// One count per classic bucket, `+Inf` last. Their sum is what has begun.
    counts: Box<[AtomicU64]>,
    native: Option<Box<Mutex<Exponential>>>,
    sum: AtomicF64,
    finished: AtomicU64,
}

impl AtomicBuckets {
    /// No observation yet.
    pub fn new(layout: &Layout) -> Self {
        Self {
            counts: (0..layout.bounds.buckets()).map(|_| AtomicU64::new(0)).collect(),
            native: layout.native.map(|native| Box::new(Mutex::new(Exponential::none(native)))),
            sum: AtomicF64::default(),
            finished: AtomicU64::new(0),
        }
    }

    /// Adds a change to the histogram whose layout is `layout`.
    pub fn add(&self, change: &HistogramChange, layout: &Layout) -> Result<(), Incomposable> {
        match change {
            HistogramChange::Observed { readings, .. } => self.observe(readings, &layout.bounds),
            HistogramChange::Sorted(buckets) if buckets.layout() == layout => {
                for (cell, &by) in self.counts.iter().zip(buckets.counts()) {
                    count(cell, by, Acquire);
                }
                if let (Some(native), Some(more)) = (&self.native, buckets.native()) {
                    native.lock().merge(more);
                }
                self.finish(buckets.sum(), buckets.count());
            }
            HistogramChange::Sorted(_) => return Err(Incomposable::Bounds),
        }
        Ok(())
    }

    /// Adds observations to the histogram whose classic bounds are `bounds`.
    pub fn observe(&self, readings: &Readings, bounds: &Bounds) {
        for &value in readings.values() {
            if let Some(bucket) = self.counts.get(bounds.bucket_of(value)) {
                count(bucket, readings.times(), Acquire);
            }
        }
        if let Some(native) = &self.native {
            let mut native = native.lock();
            for &value in readings.values() {
                native.observe(value, readings.times());
            }
        }
        let summed = readings.summed();
        self.finish(summed.sum, summed.count);
    }

    /// Takes buckets of the same layout, whatever it held, while nobody adds to it.
    pub fn restore(&self, buckets: &Buckets) {
        for (cell, &count) in self.counts.iter().zip(buckets.counts()) {
            cell.store(count, Relaxed);
        }
        if let (Some(native), Some(held)) = (&self.native, buckets.native()) {
            native.lock().clone_from(held);
        }
        self.sum.restore(buckets.sum());
        self.finished.store(buckets.count(), Release);
    }

    fn finish(&self, sum: f64, observations: u64) {
        self.sum.add(sum);
        count(&self.finished, observations, Release);
    }

    /// Appends the counts of the classic buckets to `counts`, and the native buckets, if there are any, to
    /// `natives`; returns the sum.
    pub fn load_into(&self, counts: &mut Vec<u64>, natives: &mut Vec<Exponential>) -> f64 {
        let start = counts.len();
        let mut tries = TRIES;
        loop {
            let finished = self.finished.load(Acquire);
            let sum = self.sum.load();
            let native = self.native.as_ref().map(|native| native.lock().clone());
            counts.extend(self.counts.iter().map(|count| count.load(Acquire)));
            let begun =
                counts.iter().skip(start).fold(0_u64, |all, &count| all.saturating_add(count));
            tries -= 1;
            if begun == finished || tries == 0 {
                natives.extend(native);
                return sum;
            }
            counts.truncate(start);
        }
    }

    /// The state; `layout` is the histogram's.
    pub fn load(&self, layout: &Layout) -> Buckets {
        let mut counts = Vec::with_capacity(self.counts.len());
        let mut natives = Vec::new();
        let sum = self.load_into(&mut counts, &mut natives);
        Buckets::from_parts(layout.clone(), counts.into(), natives.pop(), sum)
    }
}
