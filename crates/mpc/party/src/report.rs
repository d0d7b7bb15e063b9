//! What reports have in common.

use std::time::Duration;

use quil_client::Document;
use quil_garble::session::{Outcome, Role};
use quil_qcl::circuit::{Circuit, IoType, Recipients};
use quil_qcl::json::party_output;
use serde_json::Value;

use crate::program::Program;
use crate::progress::rate;

/// The type as it is written in a program.
pub(crate) fn type_name(ty: &IoType) -> String {
    match ty {
        IoType::Bool => "bool".to_owned(),
        IoType::Int {
            signed: false,
            width: 8,
        } => "byte".to_owned(),
        IoType::Int { signed, width } => format!("{}int{width}", if *signed { "" } else { "u" }),
        IoType::Text { bytes } => format!("string of {bytes}"),
        IoType::Array { len, elem } => format!("[{len}]{}", type_name(elem)),
        IoType::Struct { fields } => {
            let fields = fields
                .iter()
                .map(|(n, ty)| format!("{n} {}", type_name(ty)));
            format!("struct {{ {} }}", fields.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Who learns an output.
pub(crate) fn recipients(to: Recipients) -> String {
    let name = |party: u8| match party {
        0 => "garbler".to_owned(),
        1 => "evaluator".to_owned(),
        other => format!("party {other}"),
    };
    let names = (0..16).filter(|party| to.includes(*party)).map(name);
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(" ")
    }
}

/// What a party learns, as JSON.
pub(crate) fn output_of(circuit: &Circuit, role: Role, outcome: &Outcome) -> Value {
    let bits = |group: &Option<Vec<bool>>| group.clone().unwrap_or_default();
    let values: Vec<Vec<bool>> = outcome.outputs.iter().map(bits).collect();
    party_output(circuit.outputs(), &values, role as u8)
}

/// A report that begins with what was run.
pub(crate) fn about(schema: &'static str, program: &Program) -> Document {
    Document::new(schema)
        .with("program", program.path().display().to_string())
        .with("code_id", hex::encode(program.circuit().code_id()))
}

/// Adds a JSON value; people see it as JSON, too.
pub(crate) fn with_value(document: Document, name: &str, value: Value) -> Document {
    document
        .with_remark(name, value.to_string())
        .with_detail(name, value)
}

/// Adds amount of work and time: of the whole session, and of its gates alone for the rate.
pub(crate) fn with_work(doc: Document, ands: u64, session: Duration, gates: Duration) -> Document {
    let rounded = |seconds: f64| (seconds * 1000.0).round() / 1000.0;
    doc.with("and", ands)
        .with("seconds", rounded(session.as_secs_f64()))
        .with("and_per_second", whole(rate(ands, gates)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive, and far from the limits of the integer"
)]
const fn whole(number: f64) -> u64 {
    number.round() as u64
}
