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

/// Who sees a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Everybody,
    Programs,
    People,
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: String,
    value: Value,
    shown: Shown,
}

#[derive(Clone, Debug, PartialEq)]
struct Rows {
    name: String,
    rows: Vec<Map<String, Value>>,
    /// What people see instead; the same when absent.
    people: Option<Vec<Map<String, Value>>>,
    /// What people see, in this order; all when empty.
    columns: &'static [&'static str],
}

/// A result with its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    schema: &'static str,
    fields: Vec<Field>,
    rows: Option<Rows>,
}

impl Document {
    /// An empty document of a schema such as `quil.key/1`.
    #[must_use]
    pub const fn new(schema: &'static str) -> Self {
        Self {
            schema,
            fields: Vec::new(),
            rows: None,
        }
    }

    fn field(mut self, name: &str, value: Value, shown: Shown) -> Self {
        let field = Field {
            name: name.to_owned(),
            value,
            shown,
        };
        let same = |f: &&mut Field| f.name == name && f.shown == shown;
        match self.fields.iter_mut().find(same) {
            Some(known) => *known = field,
            None => self.fields.push(field),
        }
        self
    }

    /// Adds a field that people and programs see; one of the same name is replaced.
    #[must_use]
    pub fn with(self, name: &str, value: impl Into<Value>) -> Self {
        self.field(name, value.into(), Shown::Everybody)
    }

    /// Adds a field that only programs see.
    #[must_use]
    pub fn with_detail(self, name: &str, value: impl Into<Value>) -> Self {
        self.field(name, value.into(), Shown::Programs)
    }

    /// Adds a field that only people see.
    #[must_use]
    pub fn with_remark(self, name: &str, value: impl Into<Value>) -> Self {
        self.field(name, value.into(), Shown::People)
    }

    /// Adds an amount: a decimal string with its unit.
    #[must_use]
    pub fn with_amount(self, name: &str, amount: Amount) -> Self {
        self.with(name, amount_value(amount))
    }

    /// Adds a list of rows under a name; people see it as a table.
    #[must_use]
    pub fn with_rows(self, name: &str, rows: Vec<Map<String, Value>>) -> Self {
        self.with_table(name, rows, &[])
    }

    /// Adds a list of rows of which people see these columns, in this order.
    #[must_use]
    pub fn with_table(
        mut self,
        name: &str,
        rows: Vec<Map<String, Value>>,
        columns: &'static [&'static str],
    ) -> Self {
        self.rows = Some(Rows {
            name: name.to_owned(),
            rows,
            people: None,
            columns,
        });
        self
    }

    /// Shows people these rows instead of the ones that programs get.
    #[must_use]
    pub fn with_table_for_people(mut self, shown: Vec<Map<String, Value>>) -> Self {
        if let Some(rows) = &mut self.rows {
            rows.people = Some(shown);
        }
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
        let fields = self.fields.iter().filter(|f| f.shown != Shown::People);
        let mut all: Map<String, Value> =
            fields.map(|f| (f.name.clone(), f.value.clone())).collect();
        all.insert("schema".to_owned(), Value::from(self.schema));
        if let Some(rows) = &self.rows {
            let list = rows.rows.iter().cloned().map(Value::Object).collect();
            all.insert(rows.name.clone(), Value::Array(list));
        }
        Value::Object(all).to_string()
    }

    fn human(&self) -> String {
        let fields = self.fields.iter().filter(|f| f.shown != Shown::Programs);
        let shown: Vec<&Field> = fields.collect();
        let width = shown.iter().map(|f| f.name.len()).max().unwrap_or(0);
        let line = |f: &&Field| format!("{:<width$}  {}", f.name, plain(&f.value));
        let mut lines: Vec<String> = shown.iter().map(line).collect();
        lines.extend(self.rows.iter().flat_map(table));
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

fn table(rows: &Rows) -> Vec<String> {
    let shown = rows.people.as_ref().unwrap_or(&rows.rows);
    let Some(first) = shown.first() else {
        return Vec::new();
    };
    let names: Vec<&str> = if rows.columns.is_empty() {
        first.keys().map(String::as_str).collect()
    } else {
        rows.columns.to_vec()
    };
    let cell = |row: &Map<String, Value>, name: &str| row.get(name).map(plain).unwrap_or_default();
    let width = |name: &&str| {
        let cells = shown.iter().map(|r| cell(r, name).chars().count());
        cells.max().unwrap_or(0).max(name.len())
    };
    let widths: Vec<usize> = names.iter().map(width).collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(names.iter().map(|n| n.to_uppercase()).collect());
    let body = shown
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
                let details = self.details.iter();
                let empty = Document::new("quil.error/1");
                details
                    .fold(empty, |d, (name, value)| d.with(name, value.clone()))
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
    fn people_and_programs_see_what_is_for_them() {
        let doc = Document::new("quil.example/1")
            .with("b", "first")
            .with_detail("roots", vec!["long"])
            .with_remark("time", "noon")
            .with_amount("a", Amount::from_units(12_000_000_000))
            .with("b", Value::Null)
            .with_detail("c", 1)
            .with_remark("c", "one")
            .with_table("rows", vec![row("x", "y")], &["kind"])
            .with_table_for_people(vec![row("x", "z")]);
        let human = "b     -\ntime  noon\na     1.5 QUIL\nc     one\nKIND\nz";
        assert_eq!(doc.render(Output::Human), human);
        let json = r#"{"a":{"amount":"1.5","unit":"QUIL"},"b":null,"c":1,"roots":["long"],"rows":[{"alias":"x","kind":"y"}],"schema":"quil.example/1"}"#;
        assert_eq!(doc.render(Output::Json), json);
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let new = || Failure::new("x", "y", "z");
        let table = [
            (new(), 1),
            (new().usage(), 2),
            (new().not_ready(), 3),
            (new().rejected(), 4),
            (new().timeout(), 5),
            (new().denied(), 6),
            (new().not_found(), 7),
            (new().unreachable(), 8),
            (new().insufficient(), 9),
            (new().configuration(), 78),
        ];
        for (failure, code) in table {
            assert_eq!(failure.exit_code(), code);
        }
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
