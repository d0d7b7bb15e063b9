//! What a party gives: JSON on the command line or in a file.

use std::path::Path;

use quil_garble::session::Role;
use quil_qcl::circuit::Circuit;
use quil_qcl::json;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::PartyError;
use crate::program::read_limited;

/// Longest input file, bytes: every input has far fewer than 2^20 bits, JSON takes some digits for each.
const MAX_INPUT: u64 = 16 << 20;

pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Garbler => "garbler's",
        Role::Evaluator => "evaluator's",
    }
}

/// The JSON of `text`, or of the file it names with `@`.
pub(crate) fn read_value(role: Role, text: &str) -> Result<Value, PartyError> {
    let syntax = |source| PartyError::Syntax {
        role: role_name(role),
        source,
    };
    match text.strip_prefix('@') {
        Some(path) => {
            let bytes = Zeroizing::new(read_limited(Path::new(path), MAX_INPUT)?);
            serde_json::from_slice(&bytes).map_err(syntax)
        }
        None => serde_json::from_str(text).map_err(syntax),
    }
}

/// The input bits of a party. A circuit without that party takes none.
pub(crate) fn bits_of(
    circuit: &Circuit,
    role: Role,
    value: &Value,
) -> Result<Zeroizing<Vec<bool>>, PartyError> {
    let Some(port) = circuit.inputs().get(role as usize) else {
        return Ok(Zeroizing::new(Vec::new()));
    };
    let bits = json::encode(&port.ty, value);
    let bits = bits.map_err(|source| PartyError::Input {
        role: role_name(role),
        source,
    })?;
    Ok(Zeroizing::new(bits))
}
