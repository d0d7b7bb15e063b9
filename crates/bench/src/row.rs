//! One measured figure.

/// A figure with its spread, in SI units.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Stable name.
    pub id: &'static str,
    /// Median of the samples.
    pub value: f64,
    /// `s`, `1/s`, `B/s`, `ratio`, `B` or `gates`.
    pub unit: &'static str,
    /// Number of samples.
    pub samples: usize,
    /// Tenth percentile of the samples.
    pub p10: f64,
    /// Ninetieth percentile.
    pub p90: f64,
    /// Bytes of precomputed tables that the operation reads, if it reads some.
    pub table_bytes: Option<u64>,
}

impl Row {
    /// The row of these samples, in any order.
    #[must_use]
    pub fn of(
        id: &'static str,
        unit: &'static str,
        mut samples: Vec<f64>,
        table_bytes: Option<u64>,
    ) -> Self {
        samples.sort_by(f64::total_cmp);
        Self {
            id,
            value: quantile(&samples, 0.5),
            unit,
            samples: samples.len(),
            p10: quantile(&samples, 0.1),
            p90: quantile(&samples, 0.9),
            table_bytes,
        }
    }
}

/// The value below which this part of the sorted samples lies, interpolated between neighbours; 0 without samples.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position between zero and the number of samples"
)]
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = part.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    let low = at.floor() as usize;
    let value = |index: usize| sorted.get(index).or_else(|| sorted.last()).copied();
    let (below, above) = (value(low), value(low.saturating_add(1)));
    let (below, above) = (below.unwrap_or(0.0), above.unwrap_or(0.0));
    below + (above - below) * (at - at.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_stay_inside() {
        let samples = [1.0, 2.0, 3.0, 4.0, 5.0];
        let parts = [0.0, 0.1, 0.5, 0.9, 1.0, 7.0];
        let expected = [1.0, 1.4, 3.0, 4.6, 5.0, 5.0];
        assert_eq!(parts.map(|part| quantile(&samples, part)), expected);
        assert_eq!((quantile(&[7.0], 0.9), quantile(&[], 0.5)), (7.0, 0.0));
    }

    #[test]
    fn order_of_samples_does_not_matter() {
        let row = |samples: &[f64]| Row::of("x", "s", samples.to_vec(), None);
        assert_eq!(row(&[3.0, 1.0, 2.0]), row(&[1.0, 2.0, 3.0]));
        assert_eq!(row(&[3.0, 1.0, 2.0]).value, 2.0);
    }
}
