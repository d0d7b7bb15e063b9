//! Rows as a document: for programs exactly the figures, for people a table beside the targets.

use quil_client::Document;
use serde_json::{Map, Value};

use crate::machine::Machine;
use crate::row::Row;
use crate::target::{Goal, Target};

/// Schema of every benchmark.
const SCHEMA: &str = "quil.bench/1";

/// The document of some rows.
#[must_use]
pub fn report(machine: &Machine, rows: &[Row], targets: &[Target]) -> Document {
    let goal_of = |row: &Row| targets.iter().find(|t| t.id == row.id).map(|t| t.goal);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| for_people(row, goal_of(row)))
        .collect();
    let judged = rows
        .iter()
        .filter_map(|row| Some(goal_of(row)?.is_met(row.value)));
    let judged: Vec<bool> = judged.collect();
    let met = judged.iter().filter(|met| **met).count();
    Document::new(SCHEMA)
        .with("cpu", machine.cpu.as_str())
        .with_remark("cores", machine.cores)
        .with("simd", machine.simd.as_str())
        .with_remark("targets", format!("{met} of {} met", judged.len()))
        .with_table("rows", rows.iter().map(for_programs).collect(), COLUMNS)
        .with_table_for_people(shown)
}

const COLUMNS: &[&str] = &[
    "id", "figure", "target", "state", "p10", "p90", "samples", "tables",
];

fn for_programs(row: &Row) -> Map<String, Value> {
    let mut map = Map::from_iter([
        ("id".to_owned(), Value::from(row.id)),
        ("value".to_owned(), Value::from(row.value)),
        ("unit".to_owned(), Value::from(row.unit)),
        ("samples".to_owned(), Value::from(row.samples)),
        ("p10".to_owned(), Value::from(row.p10)),
        ("p90".to_owned(), Value::from(row.p90)),
    ]);
    if let Some(bytes) = row.table_bytes {
        map.insert("table_bytes".to_owned(), Value::from(bytes));
    }
    map
}

fn for_people(row: &Row, goal: Option<Goal>) -> Map<String, Value> {
    let figure = |value| Value::from(human(value, row.unit));
    let state = |goal: Goal| {
        if goal.is_met(row.value) {
            "met"
        } else {
            "missed"
        }
    };
    let tables = row.table_bytes.map(|bytes| human(bytes as f64, "B"));
    Map::from_iter([
        ("id".to_owned(), Value::from(row.id)),
        ("figure".to_owned(), figure(row.value)),
        (
            "target".to_owned(),
            goal.map_or_else(|| Value::from(""), |g| figure(g.value())),
        ),
        (
            "state".to_owned(),
            goal.map(state).unwrap_or_default().into(),
        ),
        ("p10".to_owned(), figure(row.p10)),
        ("p90".to_owned(), figure(row.p90)),
        ("samples".to_owned(), Value::from(row.samples)),
        ("tables".to_owned(), tables.unwrap_or_default().into()),
    ])
}

/// A figure for people: three digits and a unit.
pub(crate) fn human(value: f64, unit: &str) -> String {
    const TIMES: &[(f64, &str)] = &[(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")];
    const RATES: &[(f64, &str)] = &[(1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")];
    const FLOWS: &[(f64, &str)] = &[(1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s")];
    const SIZES: &[(f64, &str)] = &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")];
    match unit {
        "s" => scaled(value, TIMES),
        "1/s" => scaled(value, RATES),
        "B/s" => scaled(value, FLOWS),
        "B" => scaled(value, SIZES),
        "ratio" => format!("{:.1} %", value * 100.0),
        "gates" => format!("{value:.0}"),
        other => format!("{value} {other}"),
    }
}

fn scaled(value: f64, scales: &[(f64, &str)]) -> String {
    let fits = |scale: &&(f64, &str)| value.abs() >= scale.0 * 0.9995;
    let Some((scale, name)) = scales.iter().find(fits).or_else(|| scales.last()) else {
        return value.to_string();
    };
    let shown = value / scale;
    let decimals = match shown.abs() {
        x if x >= 99.95 => 0,
        x if x >= 9.995 => 1,
        _ => 2,
    };
    format!("{shown:.decimals$} {name}")
}

#[cfg(test)]
mod tests {
    use quil_client::Output;

    use super::*;

    fn machine() -> Machine {
        Machine {
            cpu: "a cpu".to_owned(),
            cores: 2,
            simd: "portable".to_owned(),
        }
    }

    fn row(id: &'static str, value: f64, table_bytes: Option<u64>) -> Row {
        Row {
            id,
            value,
            unit: "s",
            samples: 9,
            p10: value * 0.5,
            p90: value * 2.0,
            table_bytes,
        }
    }

    #[test]
    fn figures_have_three_digits_and_a_fitting_unit() {
        let cases = [
            (57.04e-9, "s", "57.0 ns"),
            (0.99999e-3, "s", "1.00 ms"),
            (8e-3, "s", "8.00 ms"),
            (4.0, "s", "4.00 s"),
            (2e-10, "s", "0.20 ns"),
            (110_000.0, "1/s", "110 k/s"),
            (60e6, "1/s", "60.0 M/s"),
            (1.25e9, "B/s", "1.25 GB/s"),
            (17_301_504.0, "B", "17.3 MB"),
            (0.0812, "ratio", "8.1 %"),
            (22573.0, "gates", "22573"),
            (0.0, "s", "0.00 ns"),
        ];
        for (value, unit, expected) in cases {
            assert_eq!(human(value, unit), expected);
        }
    }

    #[test]
    fn programs_get_exactly_the_figures() {
        let rows = [row("a.x", 0.5, None), row("b.y", 0.25, Some(17))];
        let text = report(&machine(), &rows, &[]).render(Output::Json);
        let expected = r#"{"cpu":"a cpu","rows":[{"id":"a.x","p10":0.25,"p90":1.0,"samples":9,"unit":"s","value":0.5},{"id":"b.y","p10":0.125,"p90":0.5,"samples":9,"table_bytes":17,"unit":"s","value":0.25}],"schema":"quil.bench/1","simd":"portable"}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn people_see_targets_and_whether_they_are_met() {
        let rows = [
            row("a.x", 0.5, None),
            row("b.y", 0.25, Some(17_000_000)),
            row("c", 1.0, None),
        ];
        let targets = [Target::at_most("a.x", 0.4), Target::at_most("b.y", 0.4)];
        let text = report(&machine(), &rows, &targets).render(Output::Human);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[3], "targets  1 of 2 met");
        assert_eq!(
            lines[4],
            "ID   FIGURE  TARGET  STATE   P10     P90     SAMPLES  TABLES"
        );
        assert_eq!(lines[5], "a.x  500 ms  400 ms  missed  250 ms  1.00 s  9");
        assert_eq!(
            lines[6],
            "b.y  250 ms  400 ms  met     125 ms  500 ms  9        17.0 MB"
        );
        assert!(lines[7].starts_with("c    1.00 s                  500 ms"));
    }
}
