//! Types of the language.

use std::fmt;
use std::rc::Rc;

use crate::circuit::IoType;

/// Widest integer.
pub(crate) const MAX_INT_BITS: u32 = 1 << 16;
/// Most bits of one value.
pub(crate) const MAX_VALUE_BITS: u64 = 1 << 22;

/// A type. The open ones stand only in declarations and take their size from a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ty {
    Bool,
    Int {
        signed: bool,
        width: u32,
    },
    /// Byte string of known length.
    Text(u32),
    Array(u32, Rc<Self>),
    Struct(Rc<StructTy>),
    Pointer(Rc<Self>),
    /// Integer constant without a type yet.
    Untyped,
    /// `int`, `uint`.
    OpenInt {
        signed: bool,
    },
    /// `string`.
    OpenText,
    /// `[]T`.
    Slice(Rc<Self>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StructTy {
    /// Number of the package, so equal names of two packages differ.
    pub(crate) package: usize,
    pub(crate) name: String,
    pub(crate) fields: Vec<(String, Ty)>,
}

impl Ty {
    pub(crate) const INT32: Self = Self::Int {
        signed: true,
        width: 32,
    };
    pub(crate) const BYTE: Self = Self::Int {
        signed: false,
        width: 8,
    };

    /// Width; saturating. Open types and pointers have none.
    pub(crate) fn bits(&self) -> u64 {
        match self {
            Self::Bool => 1,
            Self::Int { width, .. } => u64::from(*width),
            Self::Text(bytes) => u64::from(*bytes).saturating_mul(8),
            Self::Array(len, elem) => u64::from(*len).saturating_mul(elem.bits()),
            Self::Struct(def) => def
                .fields
                .iter()
                .fold(0, |sum, (_, ty)| sum.saturating_add(ty.bits())),
            Self::Pointer(_)
            | Self::Untyped
            | Self::OpenInt { .. }
            | Self::OpenText
            | Self::Slice(_) => 0,
        }
    }

    /// Nesting of arrays and structs.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Array(_, elem) | Self::Slice(elem) | Self::Pointer(elem) => {
                elem.depth().saturating_add(1)
            }
            Self::Struct(def) => def
                .fields
                .iter()
                .map(|(_, ty)| ty.depth())
                .max()
                .unwrap_or(0)
                .saturating_add(1),
            _ => 1,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::OpenInt { .. } | Self::OpenText | Self::Slice(_) => true,
            Self::Array(_, elem) => elem.is_open(),
            Self::Struct(def) => def.fields.iter().any(|(_, ty)| ty.is_open()),
            _ => false,
        }
    }

    /// Work to build a zero value: equal elements are shared.
    pub(crate) fn zero_cost(&self) -> u64 {
        match self {
            Self::Text(len) => u64::from(*len),
            Self::Array(len, elem) => elem.zero_cost().saturating_add(u64::from(*len)),
            Self::Struct(def) => def
                .fields
                .iter()
                .fold(1, |sum, (_, ty)| ty.zero_cost().saturating_add(sum)),
            _ => 1,
        }
    }

    /// The type of its zero value: nothing is open.
    pub(crate) fn closed(&self) -> Self {
        match self {
            Self::OpenInt { signed } => Self::Int {
                signed: *signed,
                width: 32,
            },
            Self::OpenText => Self::Text(0),
            Self::Slice(elem) => Self::Array(0, Rc::new(elem.closed())),
            Self::Array(len, elem) => Self::Array(*len, Rc::new(elem.closed())),
            Self::Struct(def) if self.is_open() => {
                let fields = def
                    .fields
                    .iter()
                    .map(|(n, ty)| (n.clone(), ty.closed()))
                    .collect();
                Self::Struct(Rc::new(StructTy {
                    package: def.package,
                    name: def.name.clone(),
                    fields,
                }))
            }
            other => other.clone(),
        }
    }

    pub(crate) fn has_pointer(&self) -> bool {
        match self {
            Self::Pointer(_) => true,
            Self::Array(_, elem) | Self::Slice(elem) => elem.has_pointer(),
            Self::Struct(def) => def.fields.iter().any(|(_, ty)| ty.has_pointer()),
            _ => false,
        }
    }

    /// Shape for inputs and outputs; `None` for pointers and open types.
    pub(crate) fn io(&self) -> Option<IoType> {
        Some(match self {
            Self::Bool => IoType::Bool,
            Self::Int { signed, width } => IoType::Int {
                signed: *signed,
                width: *width,
            },
            Self::Text(bytes) => IoType::Text { bytes: *bytes },
            Self::Array(len, elem) => IoType::Array {
                len: *len,
                elem: Box::new(elem.io()?),
            },
            Self::Struct(def) => IoType::Struct {
                fields: def
                    .fields
                    .iter()
                    .map(|(name, ty)| Some((name.clone(), ty.io()?)))
                    .collect::<Option<_>>()?,
            },
            _ => return None,
        })
    }

    /// Built-in type of that name.
    pub(crate) fn builtin(name: &str) -> Option<Self> {
        let sized = |digits: &str| -> Option<u32> {
            let plain = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
            let width = digits.parse().ok()?;
            (plain && width <= MAX_INT_BITS).then_some(width)
        };
        let int = |signed: bool, digits: &str| {
            Some(Self::Int {
                signed,
                width: sized(digits)?,
            })
        };
        let text = |digits: &str| {
            let bits = sized(digits)?;
            (bits % 8 == 0).then_some(Self::Text(bits / 8))
        };
        match name {
            "bool" => Some(Self::Bool),
            "byte" => Some(Self::BYTE),
            "rune" => Some(Self::INT32),
            "int" => Some(Self::OpenInt { signed: true }),
            "uint" => Some(Self::OpenInt { signed: false }),
            "string" => Some(Self::OpenText),
            _ => name
                .strip_prefix("uint")
                .and_then(|d| int(false, d))
                .or_else(|| name.strip_prefix("int").and_then(|d| int(true, d)))
                .or_else(|| name.strip_prefix("string").and_then(text))
                .or_else(|| name.strip_prefix('u').and_then(|d| int(false, d)))
                .or_else(|| name.strip_prefix('i').and_then(|d| int(true, d)))
                .or_else(|| name.strip_prefix('s').and_then(text)),
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int {
                signed: true,
                width,
            } => write!(f, "int{width}"),
            Self::Int {
                signed: false,
                width,
            } => write!(f, "uint{width}"),
            Self::Text(bytes) => write!(f, "string of {bytes} bytes"),
            Self::Array(len, elem) => write!(f, "[{len}]{elem}"),
            Self::Struct(def) => f.write_str(&def.name),
            Self::Pointer(to) => write!(f, "*{to}"),
            Self::Untyped => f.write_str("integer constant"),
            Self::OpenInt { signed: true } => f.write_str("int"),
            Self::OpenInt { signed: false } => f.write_str("uint"),
            Self::OpenText => f.write_str("string"),
            Self::Slice(elem) => write!(f, "[]{elem}"),
        }
    }
}
