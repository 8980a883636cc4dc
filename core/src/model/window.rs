//! What a summary with quantiles saw of late.

use std::collections::BTreeMap;

use super::{Exponential, Readings, Resolution, Timestamp};

/// How far back the quantiles of summaries look: over so many slices of time, the present one among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Milliseconds of a slice; at least one.
    slice: u64,
    slices: u64,
}

impl Span {
    /// Ten minutes in five slices, as of client libraries of Prometheus.
    pub const DEFAULT: Self = Self { slice: 120_000, slices: 5 };

    /// So many milliseconds, divided into slices; at least one of one millisecond.
    pub fn new(milliseconds: u64, slices: u64) -> Self {
        let slices = slices.max(1);
        Self { slice: (milliseconds / slices).max(1), slices }
    }

    /// How many slices there are.
    pub fn slices(self) -> usize {
        usize::try_from(self.slices).unwrap_or(usize::MAX)
    }

    /// The slice that an instant falls into.
    pub const fn slice_of(self, now: Timestamp) -> u64 {
        // The constructor sees to it that it is not 0.
        match now.0.checked_div(self.slice) {
            Some(slice) => slice,
            None => 0,
        }
    }

    /// The instant at which a slice begins.
    pub const fn start_of(self, slice: u64) -> Timestamp {
        Timestamp(slice.saturating_mul(self.slice))
    }
}

/// Sketches of observations by slices of time. What is not applied yet is of no slice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    // Two histograms merge alike in any order, and so do two windows.
    sketches: BTreeMap<Option<u64>, Exponential>,
}

impl Window {
    /// Adds observations to a slice.
    pub fn observe(&mut self, slice: Option<u64>, readings: &Readings) {
        if readings.values().is_empty() {
            return;
        }
        let sketch = self.sketch_of(slice);
        for &value in readings.values() {
            sketch.observe(value, readings.times());
        }
    }

    /// Adds what another one holds; what is of no slice yet goes to `arrival`.
    pub fn merge(&mut self, other: &Self, arrival: Option<u64>) {
        for (slice, sketch) in &other.sketches {
            self.sketch_of(slice.or(arrival)).merge(sketch);
        }
    }

    /// Adds a sketch to a slice.
    pub fn put(&mut self, slice: u64, sketch: &Exponential) {
        self.sketch_of(Some(slice)).merge(sketch);
    }

    /// The slices that something was observed in, in order.
    pub fn slices(&self) -> impl Iterator<Item = (u64, &Exponential)> {
        self.sketches.iter().filter_map(|(slice, sketch)| Some(((*slice)?, sketch)))
    }

    /// Forgets what is out of `span` at `now`.
    pub fn slide(&mut self, span: Span, now: Timestamp) {
        let first = span.slice_of(now).saturating_add(1).saturating_sub(span.slices);
        while let Some(oldest) = self.sketches.first_entry()
            && oldest.key().is_some_and(|slice| slice < first)
        {
            oldest.remove();
        }
    }

    /// All of it together.
    pub fn whole(&self) -> Exponential {
        let mut whole = Exponential::none(Resolution::SKETCHES);
        for sketch in self.sketches.values() {
            whole.merge(sketch);
        }
        whole
    }

    fn sketch_of(&mut self, slice: Option<u64>) -> &mut Exponential {
        self.sketches.entry(slice).or_insert(Exponential::none(Resolution::SKETCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let span = Span::new(10_000, 5);
        let mut window = Window::default();
        for second in 0..20 {
            let now = Timestamp(second * 1000);
            window.observe(Some(span.slice_of(now)), &Readings::one(1.0));
            window.slide(span, now);
            let seen = window.whole().count();
            // Four slices of two seconds are full, and the present one is begun.
            assert_eq!(seen, (second + 1).min(9 + second % 2), "after {second} seconds");
        }
        window.slide(span, Timestamp(27_999));
        assert_eq!(window.whole().count(), 2);
        window.slide(span, Timestamp(28_000));
        assert_eq!(window, Window::default());
    }

    #[test]
    fn slices_do_not_make_each_other_coarser() {
        let (span, mut window) = (Span::DEFAULT, Window::default());
        // Six powers of ten in each of three slices, eighteen in all.
        let mut exact = Vec::new();
        for (slice, first) in [(0, 1e-9_f64), (1, 1e-3), (2, 1e3)] {
            for step in 0..600_u32 {
                let value = first * (f64::from(step) / 100.0 * 10.0_f64.ln()).exp();
                window.observe(Some(slice), &Readings::one(value));
                exact.push(value);
            }
        }
        window.slide(span, Timestamp(2 * 120_000));
        let whole = window.whole();
        for (part, place) in [(0.01, 17), (0.25, 449), (0.5, 899), (0.75, 1349), (0.99, 1781)] {
            let got = whole.quantile(part).unwrap();
            assert!((got / exact[place] - 1.0).abs() < 0.0109, "{got} for {}", exact[place]);
        }
    }

    #[test]
    fn what_was_observed_is_where_the_clock_put_it() {
        let span = Span::DEFAULT;
        let mut window = Window::default();
        for now in [Timestamp(1_000_000), Timestamp(10), Timestamp(1_000_000)] {
            window.slide(span, now);
            window.observe(Some(span.slice_of(now)), &Readings::one(1.0));
        }
        assert_eq!(window.whole().count(), 2, "the clock was far behind for one of them");
        assert_eq!(Span::new(0, 0).slice_of(Timestamp(7)), 7);
    }
}
