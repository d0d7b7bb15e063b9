//! Steps of a demonstration, with their times.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use quil_client::{Failure, Output};
use serde_json::{Map, Value, json};

use super::DemoError;
use crate::error::DevnetError;

/// Why a step does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unheld(pub(super) String);

impl From<DevnetError> for Unheld {
    fn from(e: DevnetError) -> Self {
        Self(e.to_string())
    }
}

impl From<Failure> for Unheld {
    fn from(f: Failure) -> Self {
        Self(format!("{} ({})", f.message, f.code))
    }
}

/// Fails with words unless a condition holds.
pub(super) fn holds(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), Unheld> {
    if condition {
        return Ok(());
    }
    Err(Unheld(otherwise()))
}

/// What a step shows: a line for people, fields for programs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Facts {
    pub(super) line: String,
    pub(super) fields: Map<String, Value>,
}

impl Facts {
    pub(super) fn new(line: String) -> Self {
        Self {
            line,
            fields: Map::new(),
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

/// A step that held.
#[derive(Clone, Debug, PartialEq)]
pub struct StepDone {
    /// Which one, from 1.
    pub number: usize,
    /// Its name.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// What it showed, in words.
    pub line: String,
    /// What it showed, for programs.
    pub fields: Map<String, Value>,
}

impl StepDone {
    /// The line for people.
    #[must_use]
    pub fn render(&self) -> String {
        let seconds = self.took.as_secs_f64();
        format!(
            "{:>2}  {:<16} {seconds:>6.2} s  {}",
            self.number, self.name, self.line
        )
    }

    fn value(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("step".to_owned(), json!(self.number));
        fields.insert("name".to_owned(), json!(self.name));
        fields.insert("ok".to_owned(), json!(true));
        fields.insert("seconds".to_owned(), json!(rounded(self.took)));
        fields.insert("detail".to_owned(), json!(self.line));
        Value::Object(fields)
    }
}

/// Seconds to the millisecond.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

/// A demonstration of which every step held.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoReport {
    /// The steps.
    pub steps: Vec<StepDone>,
    /// All of it.
    pub took: Duration,
}

impl DemoReport {
    /// The text for stdout, without the last line break. People have seen the lines already and get the sum.
    #[must_use]
    pub fn render(&self, output: Output) -> String {
        let seconds = rounded(self.took);
        match output {
            Output::Human => {
                let steps = self.steps.len();
                format!("all {steps} steps held in {seconds:.1} s; everything is removed")
            }
            Output::Json => json!({
                "schema": "quil.demo/1",
                "ok": true,
                "seconds": seconds,
                "steps": self.steps.iter().map(StepDone::value).collect::<Vec<_>>(),
            })
            .to_string(),
        }
    }
}

/// The steps so far.
pub(super) struct Steps<'a> {
    say: &'a (dyn Fn(&StepDone) + Send + Sync),
    begin: Instant,
    last: Instant,
    done: Vec<StepDone>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(say: &'a (dyn Fn(&StepDone) + Send + Sync)) -> Self {
        let now = Instant::now();
        Self {
            say,
            begin: now,
            last: now,
            done: Vec::new(),
        }
    }

    /// A step held; its time is that since the one before.
    pub(super) fn done(&mut self, name: &'static str, facts: Facts) {
        let step = StepDone {
            number: self.done.len().saturating_add(1),
            name,
            took: self.last.elapsed(),
            line: facts.line,
            fields: facts.fields,
        };
        self.last = Instant::now();
        (self.say)(&step);
        self.done.push(step);
    }

    /// The step after those that are done does not hold.
    pub(super) fn failed(
        &self,
        name: &'static str,
        unheld: &Unheld,
        kept: Option<PathBuf>,
    ) -> DemoError {
        DemoError {
            number: self.done.len().saturating_add(1),
            name,
            why: unheld.to_string(),
            kept,
        }
    }

    pub(super) fn finish(self) -> DemoReport {
        DemoReport {
            took: self.begin.elapsed(),
            steps: self.done,
        }
    }
}
