use std::fmt;

/// Some samples of the same thing. Shown as `median (5th–95th percentile)`.
#[derive(Debug, Clone)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// The spread of these samples.
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Self {
        let mut samples: Vec<_> = samples.into_iter().collect();
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    /// The middle one.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The sample that so many percent of all don't exceed; not a number if there are none.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        self.per_mille(10 * percent)
    }

    /// The sample that so many thousandths of all don't exceed; not a number if there are none.
    #[must_use]
    pub fn per_mille(&self, thousandths: usize) -> f64 {
        let index = (self.0.len() * thousandths).div_ceil(1000).saturating_sub(1);
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = [5, 95].map(|percent| self.percentile(percent));
        write!(f, "{:.1} ({low:.1}–{high:.1})", self.median())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let spread = Spread::of((1_u32..=1000).rev().map(f64::from));
        let at = [0, 50, 99, 100].map(|percent| spread.percentile(percent));
        assert_eq!(at, [1.0, 500.0, 990.0, 1000.0]);
        assert_eq!(spread.per_mille(999), 999.0);
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).to_string(), "2.0 (1.0–3.0)");
        assert!(Spread::of([]).median().is_nan());
    }
}
