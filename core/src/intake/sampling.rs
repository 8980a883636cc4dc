//! Which deltas are looked at, where looking at each would cost too much.

/// Deltas between two of a sample, on average.
const DISTANCE: u32 = 64;

/// Picks one of some sixty-four deltas, at distances that follow no pattern of theirs.
pub(super) struct Sampling {
    left: u32,
    /// The distance that is being gone.
    distance: u32,
    /// Of a linear congruential generator, whose upper bits are random enough here.
    state: u32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { left: 1, distance: 1, state: 1 }
    }
}

impl Sampling {
    /// For each delta: how many it stands for if it is picked.
    pub(super) fn next(&mut self) -> Option<u32> {
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return None;
        }
        let picked = self.distance;
        // Constants of Numerical Recipes.
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.distance = 1 + (self.state >> 16) % (2 * DISTANCE - 1);
        self.left = self.distance;
        Some(picked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_stands_for_all() {
        for period in [1, 2, 63, 64, 65, 128] {
            let mut sampling = Sampling::default();
            let mut counted = vec![0_u32; period];
            for delta in 0..1_000_000 {
                if let (Some(deltas), Some(counted)) =
                    (sampling.next(), counted.get_mut(delta % period))
                {
                    *counted += deltas;
                }
            }
            let total: u32 = counted.iter().sum();
            assert!((999_000..=1_000_000).contains(&total), "{total}");
            let fair = f64::from(total) / f64::from(u32::try_from(period).unwrap());
            for counted in counted {
                let ratio = f64::from(counted) / fair;
                assert!((0.5..1.5).contains(&ratio), "{ratio} of its part, of {period}");
            }
        }
    }
}
