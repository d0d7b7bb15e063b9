//! What a figure should be.

/// A bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Times, overheads, sizes.
    AtMost(f64),
    /// Rates.
    AtLeast(f64),
}

/// The target of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The row.
    pub id: &'static str,
    /// What it should be.
    pub goal: Goal,
}

impl Target {
    pub(crate) const fn at_most(id: &'static str, value: f64) -> Self {
        Self {
            id,
            goal: Goal::AtMost(value),
        }
    }

    pub(crate) const fn at_least(id: &'static str, value: f64) -> Self {
        Self {
            id,
            goal: Goal::AtLeast(value),
        }
    }
}

impl Goal {
    /// Whether a figure reaches it.
    #[must_use]
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    /// The bound.
    #[must_use]
    pub const fn value(self) -> f64 {
        match self {
            Self::AtMost(value) | Self::AtLeast(value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_belong_to_the_good_side() {
        assert!(Goal::AtMost(2.0).is_met(2.0) && !Goal::AtMost(2.0).is_met(2.1));
        assert!(Goal::AtLeast(2.0).is_met(2.0) && !Goal::AtLeast(2.0).is_met(1.9));
        assert!(!Goal::AtMost(1.0).is_met(f64::NAN) && !Goal::AtLeast(1.0).is_met(f64::NAN));
    }
}
