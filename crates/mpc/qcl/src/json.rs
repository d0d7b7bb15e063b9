//! Inputs and outputs as JSON: one value per party.
//!
//! | type | JSON |
//! |---|---|
//! | `bool` | `true`, `false` |
//! | integers | a number, or a decimal or `0x` string; out: a number up to 64 bits, else a string |
//! | `[N]byte` | `"hex:…"` (or a list of numbers) |
//! | `string` | text of exactly that many bytes, or `"hex:…"` |
//! | other arrays | a list |
//! | structs | an object with all fields |

use serde_json::{Map, Value};

use crate::bigint::BigInt;
use crate::circuit::{Circuit, EvalError, IoType, OutputGroup};

/// A JSON value does not fit its type. `path` leads to the place: `.field`, `[3]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Another kind of value was expected.
    #[error("input{path}: expected {expected}")]
    Kind {
        /// Where.
        path: String,
        /// What would fit.
        expected: String,
    },
    /// An integer outside its type.
    #[error("input{path}: {value} does not fit {ty}")]
    Range {
        /// Where.
        path: String,
        /// The number.
        value: String,
        /// The type.
        ty: String,
    },
    /// Wrong number of elements or bytes.
    #[error("input{path}: expected {expected} elements, found {found}")]
    Length {
        /// Where.
        path: String,
        /// Elements of the type.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// A field is missing or unknown.
    #[error("input{path}: field {name:?} is {problem}")]
    Field {
        /// Where.
        path: String,
        /// The field.
        name: String,
        /// Missing or unknown.
        problem: &'static str,
    },
    /// The number of inputs differs from the parties of the circuit.
    #[error(transparent)]
    Eval(#[from] EvalError),
}

const BYTE: IoType = IoType::Int {
    signed: false,
    width: 8,
};

/// Bits of a value, least significant first.
///
/// # Errors
/// The value does not fit the type.
pub fn encode(ty: &IoType, value: &Value) -> Result<Vec<bool>, JsonError> {
    let mut bits = Vec::new();
    encode_into(ty, value, "", &mut bits)?;
    Ok(bits)
}

fn kind<T>(path: &str, expected: impl Into<String>) -> Result<T, JsonError> {
    Err(JsonError::Kind {
        path: path.to_owned(),
        expected: expected.into(),
    })
}

fn encode_into(
    ty: &IoType,
    value: &Value,
    path: &str,
    out: &mut Vec<bool>,
) -> Result<(), JsonError> {
    match ty {
        IoType::Bool => match value {
            Value::Bool(bit) => out.push(*bit),
            _ => return kind(path, "true or false"),
        },
        IoType::Int { signed, width } => {
            let Some(number) = integer(value) else {
                return kind(path, "an integer: a number, or a decimal or 0x string");
            };
            if !number.fits(*signed, *width) {
                let name = if *signed { "int" } else { "uint" };
                let ty = format!("{name}{width}");
                return Err(JsonError::Range {
                    path: path.to_owned(),
                    value: number.to_string(),
                    ty,
                });
            }
            let pattern = number.mask(*width);
            out.extend((0..*width).map(|i| pattern.bit(i)));
        }
        IoType::Text { bytes } => {
            let Value::String(text) = value else {
                return kind(path, "a string");
            };
            let found = match text.strip_prefix("hex:") {
                Some(digits) => unhex(digits, path)?,
                None => text.as_bytes().to_vec(),
            };
            push_bytes(&found, *bytes, path, out)?;
        }
        IoType::Array { len, elem } => match value {
            Value::String(text) if **elem == BYTE => {
                let Some(digits) = text.strip_prefix("hex:") else {
                    return kind(path, "\"hex:…\" or a list");
                };
                push_bytes(&unhex(digits, path)?, *len, path, out)?;
            }
            Value::Array(list) => {
                check_length(list.len(), *len, path)?;
                for (i, item) in list.iter().enumerate() {
                    encode_into(elem, item, &format!("{path}[{i}]"), out)?;
                }
            }
            _ => return kind(path, "a list"),
        },
        IoType::Struct { fields } => encode_struct(fields, value, path, out)?,
    }
    Ok(())
}

fn encode_struct(
    fields: &[(String, IoType)],
    value: &Value,
    path: &str,
    out: &mut Vec<bool>,
) -> Result<(), JsonError> {
    let Value::Object(map) = value else {
        return kind(path, "an object");
    };
    let wrong = |name: &str, problem| {
        Err(JsonError::Field {
            path: path.to_owned(),
            name: name.to_owned(),
            problem,
        })
    };
    for key in map.keys() {
        if !fields.iter().any(|(name, _)| name == key) {
            return wrong(key, "unknown");
        }
    }
    for (name, ty) in fields {
        let Some(value) = map.get(name) else {
            return wrong(name, "missing");
        };
        encode_into(ty, value, &format!("{path}.{name}"), out)?;
    }
    Ok(())
}

fn integer(value: &Value) -> Option<BigInt> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.len() <= 20_000 => text.clone(),
        _ => return None,
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.as_str()),
    };
    let magnitude = match digits.strip_prefix("0x") {
        Some(hex) => BigInt::parse(hex, 16)?,
        None => BigInt::parse(digits, 10)?,
    };
    Some(if negative { magnitude.neg() } else { magnitude })
}

fn unhex(digits: &str, path: &str) -> Result<Vec<u8>, JsonError> {
    let nibble = |c: u8| {
        char::from(c)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
            _ => None,
        })
        .collect();
    bytes.map_or_else(
        || kind(path, "an even number of hexadecimal digits after hex:"),
        Ok,
    )
}

fn check_length(found: usize, expected: u32, path: &str) -> Result<(), JsonError> {
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    if found == expected {
        return Ok(());
    }
    Err(JsonError::Length {
        path: path.to_owned(),
        expected,
        found,
    })
}

fn push_bytes(bytes: &[u8], len: u32, path: &str, out: &mut Vec<bool>) -> Result<(), JsonError> {
    check_length(bytes.len(), len, path)?;
    out.extend(
        bytes
            .iter()
            .flat_map(|b| (0..8).map(move |i| b >> i & 1 == 1)),
    );
    Ok(())
}

/// The value of `ty.bits()` bits; missing bits count as zero.
#[must_use]
pub fn decode(ty: &IoType, bits: &[bool]) -> Value {
    let mut bits = bits.iter().copied();
    decode_from(ty, &mut bits)
}

fn decode_from(ty: &IoType, bits: &mut impl Iterator<Item = bool>) -> Value {
    match ty {
        IoType::Bool => Value::Bool(bits.next().unwrap_or(false)),
        IoType::Int { signed, width } => {
            let pattern = BigInt::from_bits((0..*width).map(|_| bits.next().unwrap_or(false)));
            let number = if *signed {
                pattern.signed(*width)
            } else {
                pattern
            };
            number_value(&number, *signed, *width)
        }
        IoType::Text { bytes } => {
            let bytes = take_bytes(*bytes, bits);
            match String::from_utf8(bytes) {
                Ok(text) if !text.starts_with("hex:") && !text.contains('\0') => {
                    Value::String(text)
                }
                Ok(text) => Value::String(hex_text(text.as_bytes())),
                Err(error) => Value::String(hex_text(error.as_bytes())),
            }
        }
        IoType::Array { len, elem } if **elem == BYTE => {
            Value::String(hex_text(&take_bytes(*len, bits)))
        }
        IoType::Array { len, elem } => {
            Value::Array((0..*len).map(|_| decode_from(elem, bits)).collect())
        }
        IoType::Struct { fields } => {
            let mut map = Map::new();
            for (name, ty) in fields {
                map.insert(name.clone(), decode_from(ty, bits));
            }
            Value::Object(map)
        }
    }
}

fn number_value(number: &BigInt, signed: bool, width: u32) -> Value {
    if width <= 64 {
        if let Some(value) = number.to_u64() {
            return Value::from(value);
        }
        if let Some(value) = number.abs().to_u64() {
            return Value::from(0i64.wrapping_sub_unsigned(value));
        }
    }
    if signed {
        return Value::String(number.to_string());
    }
    let digits: String = (0..width.div_ceil(4))
        .rev()
        .map(|i| {
            let nibble = (0..4u32)
                .filter(|k| number.bit(i.saturating_mul(4).saturating_add(*k)))
                .fold(0u32, |sum, k| sum | 1 << k);
            char::from_digit(nibble, 16).unwrap_or('0')
        })
        .collect();
    let digits = digits.trim_start_matches('0');
    Value::String(format!(
        "0x{}",
        if digits.is_empty() { "0" } else { digits }
    ))
}

fn take_bytes(len: u32, bits: &mut impl Iterator<Item = bool>) -> Vec<u8> {
    (0..len)
        .map(|_| {
            (0..8).fold(0u8, |byte, i| {
                byte | u8::from(bits.next().unwrap_or(false)) << i
            })
        })
        .collect()
}

fn hex_text(bytes: &[u8]) -> String {
    let mut text = "hex:".to_owned();
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// What one party learns: the value if it is one, else an object of all values by name; `null` if it is none.
/// `values` are the bits of the output groups in order.
#[must_use]
pub fn party_output(outputs: &[OutputGroup], values: &[Vec<bool>], party: u8) -> Value {
    let mine: Vec<(&OutputGroup, &Vec<bool>)> = outputs
        .iter()
        .zip(values)
        .filter(|(group, _)| group.to.includes(party))
        .collect();
    match mine.as_slice() {
        [] => Value::Null,
        [(group, bits)] => decode(&group.ty, bits),
        many => {
            let entries = many
                .iter()
                .map(|(group, bits)| (group.name.clone(), decode(&group.ty, bits)));
            Value::Object(entries.collect())
        }
    }
}

impl Circuit {
    /// Runs the circuit in the clear on one JSON value per party; gives what each party learns.
    ///
    /// # Errors
    /// An input does not fit.
    pub fn eval_json(&self, inputs: &[Value]) -> Result<Vec<Value>, JsonError> {
        let expected = self.inputs().len();
        if inputs.len() != expected {
            return Err(EvalError::Parties {
                expected,
                found: inputs.len(),
            }
            .into());
        }
        let bits = self
            .inputs()
            .iter()
            .zip(inputs)
            .map(|(port, value)| encode(&port.ty, value))
            .collect::<Result<Vec<_>, _>>()?;
        let values = self.eval(&bits)?;
        let parties = u8::try_from(expected).unwrap_or(u8::MAX);
        Ok((0..parties)
            .map(|party| party_output(self.outputs(), &values, party))
            .collect())
    }
}
