//! Cells that many threads change and others read, without locks: the state of a series.
//!
//! Each operation is atomic by itself. Where a value has several parts, writers begin with the counts
//! and end with `finished`; a reader that finds as many finished as begun has seen no change half done,
//! and tries again otherwise. Sums are released and acquired too: who sees a sum sees that what it holds
//! has begun. A reader gives up after `TRIES` looks under heavy fire: then a sum may be ahead or behind of
//! its count by the few observations in flight, which the next scrape mends.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::model::{
    Amount, Bounds, Buckets, GaugeChange, HistogramChange, Incomposable, Observations,
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

    /// Applies a change.
    pub fn change(&self, change: GaugeChange) {
        match change {
            GaugeChange::Set(value) => self.0.store(value.to_bits(), Release),
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

    /// The total.
    pub fn load(&self) -> Amount {
        Amount::from_parts(self.whole.load(Relaxed), self.rest.load())
    }
}

/// The state of a summary.
#[derive(Default)]
pub struct AtomicObservations {
    begun: AtomicU64,
    sum: AtomicF64,
    finished: AtomicU64,
}

impl AtomicObservations {
    /// Adds observations.
    pub fn add(&self, observations: Observations) {
        self.begun.fetch_add(observations.count, Acquire);
        self.sum.add(observations.sum);
        self.finished.fetch_add(observations.count, Release);
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

/// The state of a histogram.
pub struct AtomicBuckets {
    /// One count per bucket, `+Inf` last. Their sum is what has begun.
    counts: Box<[AtomicU64]>,
    sum: AtomicF64,
    finished: AtomicU64,
}

impl AtomicBuckets {
    /// No observation yet, in the buckets of `bounds`.
    pub fn new(bounds: &Bounds) -> Self {
        Self {
            counts: (0..bounds.buckets()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicF64::default(),
            finished: AtomicU64::new(0),
        }
    }

    /// Adds a change to the histogram whose bounds are `bounds`.
    pub fn add(&self, change: &HistogramChange, bounds: &Bounds) -> Result<(), Incomposable> {
        let (sum, count) = match change {
            HistogramChange::Observation { value, .. } => {
                if let Some(bucket) = self.counts.get(bounds.bucket_of(*value)) {
                    bucket.fetch_add(1, Acquire);
                }
                (*value, 1)
            }
            HistogramChange::Buckets(buckets) if buckets.bounds() == bounds => {
                for (count, &by) in self.counts.iter().zip(buckets.counts()) {
                    count.fetch_add(by, Acquire);
                }
                (buckets.sum(), buckets.count())
            }
            HistogramChange::Buckets(_) => return Err(Incomposable::Bounds),
        };
        self.sum.add(sum);
        self.finished.fetch_add(count, Release);
        Ok(())
    }

    /// Appends the counts to `counts`; returns the sum.
    pub fn load_into(&self, counts: &mut Vec<u64>) -> f64 {
        let start = counts.len();
        let mut tries = TRIES;
        loop {
            let finished = self.finished.load(Acquire);
            let sum = self.sum.load();
            counts.extend(self.counts.iter().map(|count| count.load(Acquire)));
            let begun =
                counts.iter().skip(start).fold(0_u64, |all, &count| all.wrapping_add(count));
            tries -= 1;
            if begun == finished || tries == 0 {
                return sum;
            }
            counts.truncate(start);
        }
    }

    /// The state; `bounds` are the histogram's.
    pub fn load(&self, bounds: &Bounds) -> Buckets {
        let mut counts = Vec::with_capacity(self.counts.len());
        let sum = self.load_into(&mut counts);
        Buckets::from_parts(bounds.clone(), counts.into(), sum)
    }
}
