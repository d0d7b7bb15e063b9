//! Where the time of a simulation goes: real time, unlike everything else here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Real time by kind of engine (core) and kind of work.
#[derive(Clone, Debug, Default)]
pub struct Costs(BTreeMap<(u16, &'static str, &'static str), (u64, Duration)>);

impl Costs {
    pub(crate) fn time<T>(
        &mut self,
        core: u16,
        group: &'static str,
        label: &'static str,
        work: impl FnOnce() -> T,
    ) -> T {
        let start = Instant::now();
        let result = work();
        let entry = self.0.entry((core, group, label)).or_default();
        entry.0 = entry.0.saturating_add(1);
        entry.1 = entry.1.saturating_add(start.elapsed());
        result
    }

    /// Core, group, label, count, time; in order.
    pub fn iter(
        &self,
    ) -> impl Iterator<Item = (u16, &'static str, &'static str, u64, Duration)> + '_ {
        self.0
            .iter()
            .map(|((c, g, l), (n, d))| (*c, *g, *l, *n, *d))
    }

    /// Time of all work of one kind of engine.
    #[must_use]
    pub fn total(&self, core: u16) -> Duration {
        let own = self.0.iter().filter(|((c, ..), _)| *c == core);
        own.map(|(_, (_, d))| *d).sum()
    }
}
