//! The contract of output: documents, failures, exit codes.

use quil_keys::Amount;
use serde_json::{Map, Value, json};

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// A result with its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    fields: Map<String, Value>,
    rows: Option<(String, Vec<Map<String, Value>>)>,
}

impl Document {
    /// An empty document of a schema such as `quil.key/1`.
    #[must_use]
    pub fn new(schema: &'static str) -> Self {
        let mut fields = Map::new();
        fields.insert("schema".to_owned(), Value::from(schema));
        Self { fields, rows: None }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Adds an amount: a decimal string with its unit.
    #[must_use]
    pub fn with_amount(self, name: &str, amount: Amount) -> Self {
        self.with(name, amount_value(amount))
    }

    /// Adds a list of rows under a name; people see it as a table.
    #[must_use]
    pub fn with_rows(mut self, name: &str, rows: Vec<Map<String, Value>>) -> Self {
        self.rows = Some((name.to_owned(), rows));
        self
    }

    /// The text for stdout, without the last line break.
    #[must_use]
    pub fn render(&self, output: Output) -> String {
        match output {
            Output::Json => self.json(),
            Output::Human => self.human(),
        }
    }

    fn json(&self) -> String {
        let mut all = self.fields.clone();
        if let Some((name, rows)) = &self.rows {
            let rows = rows.iter().cloned().map(Value::Object).collect();
            all.insert(name.clone(), Value::Array(rows));
        }
        Value::Object(all).to_string()
    }

    fn human(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        let shown: Vec<_> = self.fields.iter().filter(|(k, _)| *k != "schema").collect();
        let width = shown.iter().map(|(k, _)| k.len()).max().unwrap_or(0);
        lines.extend(
            shown
                .iter()
                .map(|(k, v)| format!("{k:<width$}  {}", plain(v))),
        );
        if let Some((_, rows)) = &self.rows {
            lines.extend(table(rows));
        }
        lines.join("\n")
    }
}

/// `{"amount": "1.5", "unit": "QUIL"}`.
pub(crate) fn amount_value(amount: Amount) -> Value {
    json!({ "amount": amount.to_string(), "unit": UNIT })
}

/// Name of the unit of amounts.
pub(crate) const UNIT: &str = "QUIL";

/// A value for people: text as it is, amounts with their unit, objects and lists in one line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Object(map) => match (map.get("amount"), map.get("unit"), map.len()) {
            (Some(amount), Some(unit), 2) => format!("{} {}", plain(amount), plain(unit)),
            _ => {
                let fields = map.iter().map(|(k, v)| format!("{k} {}", plain(v)));
                fields.collect::<Vec<_>>().join("  ")
            }
        },
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn table(rows: &[Map<String, Value>]) -> Vec<String> {
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    let names: Vec<&String> = first.keys().collect();
    let cell =
        |row: &Map<String, Value>, name: &String| row.get(name).map(plain).unwrap_or_default();
    let width = |name: &&String| {
        rows.iter()
            .map(|r| cell(r, name).len())
            .max()
            .unwrap_or(0)
            .max(name.len())
    };
    let widths: Vec<usize> = names.iter().map(width).collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(names.iter().map(|n| n.to_uppercase()).collect());
    let body = rows
        .iter()
        .map(|row| line(names.iter().map(|n| cell(row, n)).collect()));
    core::iter::once(head).chain(body).collect()
}

/// Why a command failed, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// A stable word, for example `key.exists`.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: String,
    details: Map<String, Value>,
    exit: u8,
}

impl Failure {
    /// A failure of the plain kind (exit code 1).
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
            details: Map::new(),
            exit: 1,
        }
    }

    /// Adds a field that programs see beside code, message and hint.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Wrong usage (exit code 2).
    #[must_use]
    pub const fn usage(mut self) -> Self {
        self.exit = 2;
        self
    }

    /// The node is not ready (exit code 3).
    #[must_use]
    pub const fn not_ready(mut self) -> Self {
        self.exit = 3;
        self
    }

    /// The network's rules forbid it (exit code 4).
    #[must_use]
    pub const fn rejected(mut self) -> Self {
        self.exit = 4;
        self
    }

    /// Time ran out while waiting (exit code 5).
    #[must_use]
    pub const fn timeout(mut self) -> Self {
        self.exit = 5;
        self
    }

    /// Authentication or permission (exit code 6).
    #[must_use]
    pub const fn denied(mut self) -> Self {
        self.exit = 6;
        self
    }

    /// Something named was not found (exit code 7).
    #[must_use]
    pub const fn not_found(mut self) -> Self {
        self.exit = 7;
        self
    }

    /// No node answers (exit code 8).
    #[must_use]
    pub const fn unreachable(mut self) -> Self {
        self.exit = 8;
        self
    }

    /// The coins do not cover it (exit code 9).
    #[must_use]
    pub const fn insufficient(mut self) -> Self {
        self.exit = 9;
        self
    }

    /// Configuration (exit code 78).
    #[must_use]
    pub const fn configuration(mut self) -> Self {
        self.exit = 78;
        self
    }

    /// 1 failure, 2 usage, 3 not ready, 4 rejected by the network, 5 timeout, 6 permission, 7 not found, 8 node
    /// unreachable, 9 insufficient funds, 78 configuration.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.exit
    }

    /// The text for stderr, without the last line break.
    #[must_use]
    pub fn render(&self, output: Output) -> String {
        match output {
            Output::Human => format!(
                "error: {} ({})\n  next: {}",
                self.message, self.code, self.hint
            ),
            Output::Json => {
                let mut document = Document::new("quil.error/1");
                document.fields.extend(self.details.clone());
                document
                    .with("code", self.code)
                    .with("message", self.message.as_str())
                    .with("hint", self.hint.as_str())
                    .json()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(a: &str, b: &str) -> Map<String, Value> {
        Map::from_iter([
            ("alias".to_owned(), Value::from(a)),
            ("kind".to_owned(), Value::from(b)),
        ])
    }

    #[test]
    fn rows_are_a_table_for_people_and_a_list_for_programs() {
        let doc = Document::new("quil.keys/1")
            .with_rows("keys", vec![row("a", "wallet"), row("longer", "peer")]);
        assert_eq!(
            doc.render(Output::Human),
            "ALIAS   KIND\na       wallet\nlonger  peer"
        );
        let json: Value = serde_json::from_str(&doc.render(Output::Json)).unwrap();
        assert_eq!(json["schema"], "quil.keys/1");
        assert_eq!(json["keys"][1]["alias"], "longer");
    }

    #[test]
    fn failure_names_cause_and_next_step() {
        let f = Failure::new("key.exists", "there is a key `a`", "choose another alias").denied();
        assert_eq!(
            f.render(Output::Human),
            "error: there is a key `a` (key.exists)\n  next: choose another alias"
        );
        let json: Value = serde_json::from_str(&f.render(Output::Json)).unwrap();
        assert_eq!(
            (&json["schema"], &json["code"]),
            (&Value::from("quil.error/1"), &Value::from("key.exists"))
        );
        assert_eq!(f.exit_code(), 6);
    }
}
