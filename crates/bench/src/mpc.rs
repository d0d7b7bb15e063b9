//! `quil bench mpc`: rates and sizes of two-party computation.

use quil_session_io::bench::{IDS, SAMPLES, run as measured};

use crate::error::BenchError;
use crate::row::Row;
use crate::target::Target;

/// What the rows should be, in their order.
pub const TARGETS: [Target; 19] = [
    Target::at_least("garble.and", 60e6),
    Target::at_least("garble.and.portable", 2e6),
    Target::at_least("evaluate.and", 60e6),
    Target::at_least("garble.xor", 500e6),
    Target::at_least("session.and", 25e6),
    Target::at_least("ot.cot", 55e6),
    Target::at_least("ot.ferret", 30e6),
    Target::at_most("session.setup", 15e-3),
    Target::at_most("session.setup_rss", 24e6),
    Target::at_most("circuit.aes128_and", 6_400.0),
    Target::at_most("circuit.aes128_expanded_and", 5_120.0),
    Target::at_most("circuit.sha256_and", 22_573.0),
    Target::at_most("circuit.mul64_and", 4_006.0),
    Target::at_most("circuit.div64_and", 4_288.0),
    Target::at_most("circuit.add64_and", 63.0),
    Target::at_most("compile.aes128", 0.2),
    Target::at_most("compile.sha256", 0.3),
    Target::at_most("compile.ed25519", 20.0),
    Target::at_most("stream.rss_1e9", 64e6),
];

/// Measures the rows whose id begins with `prefix`. `say` hears what is measured next.
///
/// # Errors
/// No such row, or a load failed.
pub fn run(prefix: &str, say: &dyn Fn(&str)) -> Result<Vec<Row>, BenchError> {
    // Figures of memory come first, while the process holds nothing else: the order of the crate.
    let wanted: Vec<&'static str> = IDS
        .into_iter()
        .filter(|id| id.starts_with(prefix))
        .collect();
    if wanted.is_empty() {
        return Err(BenchError::NoRow {
            prefix: prefix.to_owned(),
            ids: TARGETS.iter().map(|target| target.id).collect(),
        });
    }
    let mut rows = Vec::with_capacity(wanted.len());
    for (done, id) in wanted.iter().enumerate() {
        say(&format!(
            "{} of {}: {id}",
            done.saturating_add(1),
            wanted.len()
        ));
        rows.extend(measured(id, SAMPLES)?.into_iter().map(|row| Row {
            id: row.id,
            value: row.value,
            unit: row.unit,
            samples: row.samples,
            p10: row.p10,
            p90: row.p90,
            table_bytes: None,
        }));
    }
    let place = |row: &Row| TARGETS.iter().position(|target| target.id == row.id);
    rows.sort_by_key(place);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_target() {
        let (mut rows, mut targets) = (IDS.to_vec(), TARGETS.map(|target| target.id).to_vec());
        rows.sort_unstable();
        targets.sort_unstable();
        assert_eq!(rows, targets);
    }

    #[test]
    fn sizes_of_circuits_are_exact() {
        let rows = run("circuit.", &|_| {}).unwrap();
        assert_eq!(rows.len(), 6);
        for row in rows {
            assert_eq!((row.samples, row.unit), (1, "gates"));
            let target = TARGETS.iter().find(|target| target.id == row.id).unwrap();
            assert!(target.goal.is_met(row.value), "{row:?}");
        }
    }

    #[test]
    fn unknown_rows_are_refused_with_the_known_ones() {
        let error = run("nothing", &|_| {}).unwrap_err();
        let BenchError::NoRow { ids, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(ids.len(), TARGETS.len());
    }
}
